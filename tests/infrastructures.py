"""Pairs of configurations that hang together: what runs, and what somebody made of it. The same for the same `random.Random`.

Names are `kind-number`; a thing names only things of a smaller number, so that references make no circle.
"""

import copy
from collections.abc import Callable
from random import Random
from typing import Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.references import REFERENCES

Values = dict[str, Any]

_SKUS = {
    "aws": ["t3.small", "t3.medium", "m5.large", "m5.xlarge"],
    "gcp": ["e2-small", "e2-medium", "e2-standard-2"],
    "azure": ["Standard_B1ms", "Standard_B2s"],
    "hetzner": ["cx23", "cx33"],
    "upcloud": ["starter-1xCPU-2GB", "premium-2xCPU-8GB"],
    "local": ["small", "medium"],
}
_REGIONS = {
    "aws": ["us-east-1", "eu-central-1"],
    "gcp": ["us-central1", "europe-west3"],
    "azure": ["eastus", "westeurope"],
    "hetzner": ["fsn1", "nbg1"],
    "upcloud": ["de-fra1", "fi-hel1"],
    "local": ["local"],
}
_FIELD = {
    "server": "servers", "database": "databases", "bucket": "buckets", "volume": "volumes", "kms_key": "kms_keys",
    "security_group": "security_groups", "load_balancer": "load_balancers", "certificate": "certificates", "queue": "queues",
    "cache": "caches", "kubernetes": "clusters", "workload": "workloads", "file_system": "file_systems",
    "log_group": "log_groups",
    "registry": "registries", "taskserv": "taskservs", "backup": "backup_plans",
}  # fmt: skip


def configuration(rng: Random, size: int = 6) -> Values:
    """What somebody could have written, with about `size` resources beside the network."""
    provider = rng.choice(["aws", "aws", "aws", "gcp", "azure", "hetzner", "upcloud"])
    values: Values = {"provider": provider, "tags": {"team": rng.choice(["shop", "data"])}}
    if rng.random() < 0.3:
        values["region"] = rng.choice(_REGIONS[provider])
    if rng.random() < 0.7:
        subnets = [_subnet(rng, number) for number in range(rng.randint(0, 3))]
        values["networking"] = {"subnets": subnets, "nat": rng.choice(["none", "single"])}
        if rng.random() < 0.2:
            values["networking"]["vpcs"] = [{"name": "vpc-0", "cidr": "10.9.0.0/16", "subnets": [_subnet(rng, 9)]}]
    for _ in range(rng.randint(0, 2 * size)):
        add(rng, values)
    if rng.random() < 0.4:
        values["dns_zones"] = [{"domain": "example.com", "records": [_record(rng, values, name) for name in ("@", "www", "api")]}]
    if rng.random() < 0.2:
        values["monitoring"] = {"enabled": True}
    return values


def changed(rng: Random, before: Values, changes: int = 5) -> Values:
    """The same with some changes, of which some mean nothing (an order, a default written out)."""
    after = copy.deepcopy(before)
    for _ in range(rng.randint(0, changes)):
        rng.choice(_CHANGES)(rng, after)
    return after


def model(values: Values) -> InfrastructureConfig:
    """The configuration."""
    return InfrastructureConfig.model_validate(values)


def pair(rng: Random) -> tuple[InfrastructureConfig, InfrastructureConfig]:
    """What runs, and what somebody made of it."""
    before = configuration(rng)
    return model(before), model(changed(rng, before))


def shuffled(rng: Random, values: Any) -> Any:
    """The same values with every list in another order, but those whose order means something."""
    if isinstance(values, dict):
        return {
            key: inner if key == "taskservs" and inner and isinstance(inner[0], str) else shuffled(rng, inner)
            for key, inner in values.items()
        }
    if isinstance(values, list):
        return rng.sample([shuffled(rng, one) for one in values], len(values))
    return values


def add(rng: Random, values: Values) -> None:
    """One resource more."""
    kind = rng.choice(list(_FIELD))
    number = 1 + max((int(one["name"].split("-")[1]) for field in _FIELD.values() for one in values.get(field, ())), default=9)
    record = {"name": f"{kind.replace('_', '')}-{number}", **_MAKE.get(kind, lambda *_: {})(rng, values)}
    values.setdefault(_FIELD[kind], []).append(record)


def _subnet(rng: Random, number: int) -> Values:
    return {"name": f"net-{number}", "cidr": f"10.0.{number}.0/24", "tier": rng.choice(["public", "private"])}


def _record(rng: Random, values: Values, name: str) -> Values:
    targets = _names(values, "load_balancer") + _names(values, "server")
    held = {"target": rng.choice(targets)} if targets and rng.random() < 0.6 else {"values": ["192.0.2.1"]}
    return {"name": name, "ttl": rng.choice([60, 300, 3600]), **held}


def _names(values: Values, kind: str) -> list[str]:
    if kind == "subnet":
        return [subnet["name"] for subnet in (values.get("networking") or {}).get("subnets", ())]
    return [one["name"] for one in values.get(_FIELD[kind], ())]


def _some(rng: Random, names: list[str]) -> list[str]:
    return rng.sample(names, rng.randint(0, min(2, len(names))))


def _one(rng: Random, field: str, names: list[str]) -> Values:
    return {field: rng.choice(names)} if names and rng.random() < 0.6 else {}


def _server(rng: Random, values: Values) -> Values:
    networking = {
        **_one(rng, "subnet", _names(values, "subnet")),
        "security_groups": _some(rng, _names(values, "security_group")),
    }
    plan = {"plan": rng.choice(_SKUS[values["provider"]])} if rng.random() < 0.7 else {}
    return {**plan, "spec": {"disk_gb": rng.choice([50, 80])}, "networking": networking, "stateful": rng.random() < 0.2}


def _database(rng: Random, values: Values) -> Values:
    made = {
        "engine": rng.choice(["postgresql", "mysql"]),
        "storage_gb": rng.choice([20, 50, 100]),
        "multi_az": rng.random() < 0.3,
    }
    made["security_groups"] = _some(rng, _names(values, "security_group"))
    return {**made, "subnets": _some(rng, _names(values, "subnet")), **_one(rng, "kms_key", _names(values, "kms_key"))}


def _group(rng: Random, values: Values) -> Values:
    others = _names(values, "security_group")
    rules = [{"from_port": rng.choice([22, 80, 443]), "cidrs": ["10.0.0.0/8"]}]
    if others:
        rules.append({"from_port": 5432, "groups": _some(rng, others)})
    return {"rules": rules}


def _balancer(rng: Random, values: Values) -> Values:
    listeners = [{"port": 443, **_one(rng, "certificate", _names(values, "certificate"))}, {"port": 80, "protocol": "http"}]
    logs = _one(rng, "log_bucket", _names(values, "bucket"))
    return {
        "targets": _some(rng, _names(values, "server")),
        "listeners": listeners,
        "subnets": _some(rng, _names(values, "subnet")),
        **logs,
    }


def _bucket(rng: Random, values: Values) -> Values:
    return {
        "versioning": rng.random() < 0.5,
        **_one(rng, "log_bucket", _names(values, "bucket")),
        "object_lock": rng.random() < 0.2,
    }


def _volume(rng: Random, values: Values) -> Values:
    keys = _one(rng, "kms_key", _names(values, "kms_key"))
    return {"size_gb": rng.choice([10, 20, 40]), **_one(rng, "attached_to", _names(values, "server")), **keys}


def _cluster(rng: Random, values: Values) -> Values:
    workers = {"count": rng.choice([1, 3]), "plan": rng.choice(["small", "medium"])}
    return {
        "version": rng.choice(["1.34", "1.35"]),
        "workers": workers,
        "networking": {"subnets": _some(rng, _names(values, "subnet"))},
    }


def _workload(rng: Random, values: Values) -> Values:
    return {
        "image": rng.choice(["shop:1", "shop:2"]),
        "replicas": rng.choice([1, 2]),
        **_one(rng, "cluster", _names(values, "kubernetes")),
    }


_MAKE: dict[str, Callable[[Random, Values], Values]] = {
    "server": _server, "database": _database, "security_group": _group, "load_balancer": _balancer, "bucket": _bucket,
    "volume": _volume, "kubernetes": _cluster, "workload": _workload,
    "certificate": lambda rng, _: {"domain": rng.choice(["a.example.com", "b.example.com"])},
    "queue": lambda rng, values: {"fifo": rng.random() < 0.5, **_one(rng, "kms_key", _names(values, "kms_key"))},
    "cache": lambda rng, values: {"nodes": rng.choice([1, 2]), "subnets": _some(rng, _names(values, "subnet"))},
    "file_system": lambda rng, values: {"size_gb": rng.choice([50, 100]), **_one(rng, "kms_key", _names(values, "kms_key"))},
    "log_group": lambda rng, values: {"retention_days": rng.choice([30, 365]), **_one(rng, "kms_key", _names(values, "kms_key"))},
    "backup": lambda rng, values: {"targets": _some(rng, _names(values, "database")), "retention_days": rng.choice([7, 35])},
    "taskserv": lambda rng, values: {"targets": _some(rng, _names(values, "server")), "version": rng.choice(["1.0", "2.0"])},
}  # fmt: skip


def _somewhere(rng: Random, values: Values) -> tuple[str, Values] | None:
    every = [(kind, one) for kind, field in _FIELD.items() for one in values.get(field, ())]
    return rng.choice(every) if every else None


def _remove(rng: Random, values: Values) -> None:
    """One resource less, and nothing names it any more."""
    if found := _somewhere(rng, values):
        kind, record = found
        values[_FIELD[kind]].remove(record)
        _follow(values, kind, record["name"], None)


def _rename(rng: Random, values: Values) -> None:
    """Another name, and everything that names it follows."""
    if found := _somewhere(rng, values):
        kind, record = found
        old, new = record["name"], f"{record['name']}-b"
        if len(new) < 40 and new not in _names(values, kind):
            record["name"] = new
            _follow(values, kind, old, new)


def _follow(values: Values, kind: str, old: str, new: str | None) -> None:
    for reference in REFERENCES:
        if kind in reference.targets:
            field = "dns_zones" if reference.kind == "dns" else _FIELD.get(reference.kind)
            for record in values.get(field, ()) if field else ():
                _replace_at(record, reference.field.split("."), old, new)


def _replace_at(record: Values, steps: list[str], old: str, new: str | None) -> None:
    step, each = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    inner = record.get(step)
    if inner is None:
        return
    if len(steps) > 1:
        for one in inner if each else [inner]:
            _replace_at(one, steps[1:], old, new)
    elif each:
        record[step] = [kept for one in inner if (kept := new if one == old else one)]
    elif inner == old:
        record[step] = new


def _redraw(rng: Random, values: Values) -> None:
    """Some fields of a resource as they would be drawn again."""
    if found := _somewhere(rng, values):
        kind, record = found
        number = int(record["name"].split("-")[1])
        older = {
            field: [one for one in values.get(field, ()) if int(one["name"].split("-")[1]) < number] for field in _FIELD.values()
        }
        drawn = _MAKE.get(kind, lambda *_: {"tags": {"drawn": "again"}})(rng, {**values, **older})
        for field in rng.sample(sorted(drawn), rng.randint(0, len(drawn))):
            record[field] = drawn[field]


def _move(rng: Random, values: Values) -> None:
    values["region"] = rng.choice(_REGIONS[values["provider"]])


def _tag(rng: Random, values: Values) -> None:
    values["tags"] = {"team": rng.choice(["shop", "data"]), "stage": "live"}


def _readdress(rng: Random, values: Values) -> None:
    subnets = (values.get("networking") or {}).get("subnets") or []
    if subnets:
        rng.choice(subnets)["cidr"] = f"10.0.{rng.randint(100, 200)}.0/24"


def _write_out(rng: Random, values: Values) -> None:
    """Everything that a default would have filled in, written: no change at all."""
    written = model(values).model_dump(mode="json", exclude_none=True)
    written.get("networking", {}).pop("nat", None) if not values.get("networking") else None
    for field in _FIELD.values():
        if rng.random() < 0.3 and values.get(field):
            values[field] = written[field]


def _shuffle(rng: Random, values: Values) -> None:
    values.update(shuffled(rng, values))


_CHANGES = (add, _remove, _rename, _rename, _rename, _redraw, _redraw, _redraw, _move, _tag, _readdress, _write_out, _shuffle)
