"""Layer 4: names are unique, what is referred to exists, and nothing waits for itself."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from prov_gen.effective import provider_of, region_of
from prov_gen.findings import Finding, Path, finding
from prov_gen.layers.suggest import Suggestions
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME, resources


@dataclass(frozen=True, slots=True)
class Reference:
    """A field of a kind that names others. `field` is dotted, `[]` stands for each element of a list."""

    kind: str
    field: str
    targets: tuple[str, ...]
    what: str


# Kinds named here are those of `model.kinds`, and `subnet` and `vpc`, which live inside `networking`.
REFERENCES = (
    Reference("server", "networking.vpc", ("vpc",), "network"),
    Reference("server", "networking.subnet", ("subnet",), "subnet"),
    Reference("server", "networking.security_groups[]", ("security_group",), "security group"),
    Reference("security_group", "vpc", ("vpc",), "network"),
    Reference("security_group", "rules[].groups[]", ("security_group",), "security group"),
    Reference("kubernetes", "networking.vpc", ("vpc",), "network"),
    Reference("kubernetes", "networking.subnets[]", ("subnet",), "subnet"),
    Reference("kubernetes", "kms_key", ("kms_key",), "key"),
    Reference("workload", "cluster", ("kubernetes",), "cluster"),
    Reference("database", "subnets[]", ("subnet",), "subnet"),
    Reference("database", "security_groups[]", ("security_group",), "security group"),
    Reference("database", "kms_key", ("kms_key",), "key"),
    Reference("cache", "subnets[]", ("subnet",), "subnet"),
    Reference("cache", "security_groups[]", ("security_group",), "security group"),
    Reference("load_balancer", "listeners[].certificate", ("certificate",), "certificate"),
    Reference("load_balancer", "targets[]", ("server", "kubernetes", "workload"), "server, cluster or workload"),
    Reference("load_balancer", "subnets[]", ("subnet",), "subnet"),
    Reference("load_balancer", "security_groups[]", ("security_group",), "security group"),
    Reference("load_balancer", "log_bucket", ("bucket",), "bucket"),
    Reference("bucket", "log_bucket", ("bucket",), "bucket"),
    Reference("bucket", "kms_key", ("kms_key",), "key"),
    Reference("volume", "attached_to", ("server",), "server"),
    Reference("volume", "kms_key", ("kms_key",), "key"),
    Reference("file_system", "subnets[]", ("subnet",), "subnet"),
    Reference("file_system", "kms_key", ("kms_key",), "key"),
    Reference("queue", "kms_key", ("kms_key",), "key"),
    Reference("log_group", "kms_key", ("kms_key",), "key"),
    Reference("dns", "records[].target", ("load_balancer", "server"), "load balancer or server"),
    Reference("backup", "targets[]", ("server", "kubernetes", "database", "volume", "file_system", "bucket"), "resource"),
    Reference("backup", "kms_key", ("kms_key",), "key"),
    Reference("taskserv", "targets[]", ("server", "kubernetes"), "server or cluster"),
    Reference("security", "iam_users[].policies[]", ("iam_policy",), "policy"),
)


MAX_NAMED = 10
"""Names that a message about a circle tells."""


def check_references(config: InfrastructureConfig, suggestions: Suggestions | None = None) -> Iterator[Finding]:
    """Findings about names."""
    yield from _duplicates(config)
    names = known_names(config)
    known = {
        targets: {name: None for kind in targets for name in names.get(kind, ())}
        for targets in {reference.targets for reference in REFERENCES}
    }
    suggestions = suggestions or Suggestions()
    for item in resources(config):
        for reference in _OF_KIND.get(item.kind.name, ()):
            for where, name in _values(item.record, reference.field.split("."), item.path):
                if name not in known[reference.targets]:
                    yield _missing(reference, where, name, known[reference.targets], suggestions)
    yield from _volumes(config)
    yield from _cycles(config)


_OF_KIND: dict[str, list[Reference]] = {}
for _reference in REFERENCES:
    _OF_KIND.setdefault(_reference.kind, []).append(_reference)


def known_names(config: InfrastructureConfig) -> Mapping[str, tuple[str, ...]]:
    """The names that can be referred to, by kind."""
    names: dict[str, list[str]] = {}
    for item in resources(config):
        if item.kind.is_list and hasattr(item.record, "name"):
            names.setdefault(item.kind.name, []).append(item.record.name)
    networking = config.networking
    if networking:
        names["vpc"] = [networking.name, *(vpc.name for vpc in networking.vpcs)]
        subnets = [*networking.subnets, *(subnet for vpc in networking.vpcs for subnet in vpc.subnets)]
        names["subnet"] = [subnet.name for subnet in subnets]
    if config.security:
        names["iam_policy"] = [policy.name for policy in config.security.iam_policies]
    return {kind: tuple(found) for kind, found in names.items()}


def _missing(reference: Reference, where: Path, name: str, known: Mapping[str, None], suggestions: Suggestions) -> Finding:
    near = suggestions.close(reference.what, name, known)
    if near:
        fix = f"did you mean {near}?"
    elif known:
        fix = f"there are: {', '.join(islice(known, 10))}"
    else:
        kind = BY_NAME.get(reference.targets[0])
        fix = f"add it to {kind.field}" if kind else "add it to networking"
    return finding("reference_missing", where, f"there is no {reference.what} named {name}", fix)


def _values(value: object, steps: list[str], where: Path) -> Iterator[tuple[Path, str]]:
    """Every name that a dotted field holds, with its path."""
    if value is None:
        return
    if not steps:
        yield where, str(value)
        return
    step, each = steps[0].removesuffix("[]"), steps[0].endswith("[]")
    inner = getattr(value, step)
    if each:
        for index, element in enumerate(inner):
            yield from _values(element, steps[1:], (*where, step, index))
    else:
        yield from _values(inner, steps[1:], (*where, step))


def _duplicates(config: InfrastructureConfig) -> Iterator[Finding]:
    # Servers and clusters share one space of names: load balancers and taskservs name either.
    seen: dict[str, dict[str, Path]] = {}
    for item in resources(config):
        name = getattr(item.record, "name", None) or getattr(item.record, "domain", None)
        if not item.kind.is_list or name is None or item.kind.name == "taskserv":
            continue
        space = "machine" if item.kind.name in {"server", "kubernetes"} else item.kind.name
        first = seen.setdefault(space, {}).setdefault(name, item.path)
        if first != item.path:
            message = f"the name {name} is used twice (first by {first[0]}[{first[1]}])"
            yield finding("name_duplicate", (*item.path, "name"), message, f"choose another, such as {name}-2")
    if config.networking:
        counted = Counter(known_names(config).get("subnet", ()))
        for name, count in counted.items():
            if count > 1:
                message = f"{count} subnets are named {name}"
                yield finding("name_duplicate", ("networking", "subnets"), message, f"choose others, such as {name}-2")


def _volumes(config: InfrastructureConfig) -> Iterator[Finding]:
    servers = {server.name: server for server in config.servers}
    for index, volume in enumerate(config.volumes):
        server = servers.get(volume.attached_to or "")
        if server is None:
            continue
        mine = (provider_of(volume, config), region_of(volume, config))
        its = (provider_of(server, config), region_of(server, config))
        if mine != its:
            message = f"the volume is at {'/'.join(mine)} and its server at {'/'.join(its)}"
            yield finding("volume_elsewhere", ("volumes", index, "attached_to"), message, "put both into one region")
        elif volume.zone and server.zone and volume.zone != server.zone:
            message = f"the volume is in {volume.zone} and its server in {server.zone}"
            yield finding("volume_elsewhere", ("volumes", index, "zone"), message, f"set zone = {server.zone!r}")


def _cycles(config: InfrastructureConfig) -> Iterator[Finding]:
    """Circles in which each thing needs another first: access logs of buckets, aliases of DNS names."""
    logs = {bucket.name: {bucket.log_bucket} for bucket in config.buckets if bucket.log_bucket}
    yield from _circle(logs, ("buckets",), "access logs go round in a circle", "let one of them log elsewhere")
    for index, zone in enumerate(config.dns_zones):
        domain = zone.domain
        aliases = {
            _absolute(record.name, domain): {value.rstrip(".").lower() for value in record.values}
            for record in zone.records
            if record.type == "CNAME"
        }
        yield from _circle(
            aliases, ("dns_zones", index, "records"), "CNAME records point at each other", "let one of them name an address"
        )


def _absolute(name: str, domain: str) -> str:
    return domain if name == "@" else f"{name}.{domain}"


def _circle(needs: Mapping[str, set[str]], where: Path, message: str, fix: str) -> Iterator[Finding]:
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        around: list[str] = error.args[1]
        named = around if len(around) <= MAX_NAMED else [*around[: MAX_NAMED - 1], f"... ({len(around) - 1} in all)", around[-1]]
        yield finding("reference_cycle", where, f"{message}: {' -> '.join(named)}", fix)
