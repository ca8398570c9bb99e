"""The things of a configuration by address: its resources, and the parts of networks and zones that are things of their own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from prov_gen.effective import region_of
from prov_gen.model import network
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import INFRASTRUCTURE, KINDS, Item, Kind, resources
from prov_gen.model.references import REFERENCES
from prov_judge.changes.filled import filled
from prov_judge.changes.leaves import Leaf, canonical, leaves
from prov_judge.changes.masking import shown

PARTS = (
    Kind("vpc", network.Vpc, "networking", "Network"),
    Kind("subnet", network.Subnet, "networking", "Subnet"),
    Kind("nat", network.Networking, "networking", "NAT gateway"),
    Kind("peering", network.Peering, "networking", "Peering"),
    Kind("dns_record", network.DnsRecord, "dns_zones", "DNS record"),
)
"""What lives inside a network or a zone. The configuration's own network is a `vpc` too."""

IS_NO_THING = frozenset({"infrastructure", "limits", "waiver"})
"""What is written down and nowhere done: its change has no step and counts as no resource."""

_PART = {kind.name: kind for kind in PARTS}
WHOLE = "main"
"""The name of what a configuration has once: `security.main`, `infrastructure.main`."""

ORDER = {
    name: rank
    for rank, name in enumerate(
        ["infrastructure", "security", "limits", "kms_key", "secret", "vpc", "subnet", "nat", "peering", "security_group", "dns"]
        + [kind.name for kind in KINDS if kind.name not in {"kms_key", "secret", "security_group", "dns", "security", "limits"}]
        + ["dns_record"]
    )
}
"""Kinds in the order in which they are told: what others stand on first."""

# References that follow from where a thing lives, beside the ones that `model.references` knows.
_PLACES = (("subnet", "vpc", "vpc"), ("nat", "vpc", "vpc"), ("peering", "vpc", "vpc"), ("dns_record", "zone", "dns"))


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing. `values` are its JSON values with everything filled in, `leaves` the same by dotted path.

    `names` are (field, target's address) for every other thing of the configuration that it names.
    """

    address: str
    item: Item
    values: Mapping[str, Any]
    leaves: Mapping[str, Leaf]
    names: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return self.item.kind.name

    @property
    def name(self) -> str:
        """Its name, as it stands in the address."""
        return self.address.split(".", 1)[1]

    @property
    def provider(self) -> str:
        """The provider that it is at; "" for what is at none."""
        return str(self.values.get("provider", ""))


def order(address: str) -> tuple[int, str]:
    """The place of an address among others."""
    return ORDER[address.split(".", 1)[0]], address


def things(config: InfrastructureConfig) -> dict[str, Thing]:
    """Everything that a configuration describes, by address, in the order of `ORDER`.

    Two things with one address (a mistake that layer 4 reports) both stay: the second is `server.web#2`.
    """
    found: dict[str, list[tuple[Item, dict[str, Any]]]] = {}
    for name, item, values in _parts(config):
        found.setdefault(f"{item.kind.name}.{name}", []).append((item, values))
    every: dict[str, tuple[Item, dict[str, Any]]] = {}
    for address in sorted(found, key=order):
        alike = found[address]
        if len(alike) > 1:
            alike.sort(key=lambda one: canonical(one[1]))
        for number, one in enumerate(alike, 1):
            every[address if number == 1 else f"{address}#{number}"] = one
    known = _Known(every)
    return {
        address: Thing(address, item, values, leaves(values), known.named_by(item.kind.name, values))
        for address, (item, values) in every.items()
    }


def _parts(config: InfrastructureConfig) -> Iterator[tuple[str, Item, dict[str, Any]]]:
    whole = config.model_dump(mode="json", include={"name", "description", "environment"})
    yield WHOLE, Item((), INFRASTRUCTURE, config), whole
    for item in resources(config):
        values = filled(item, config)
        if item.kind.name == "networking":
            yield from _network(item, values, config)
            continue
        if item.kind.name == "dns":
            yield from _records(item, values)
        yield _name(item, values), item, values


def _name(item: Item, values: Mapping[str, Any]) -> str:
    if item.kind.name == "waiver":
        # Free texts, and addresses stand in every document.
        return "/".join(str(shown(field, values[field])) for field in ("check", "resource") if values[field])
    return str(values["domain" if item.kind.name == "dns" else "name"]) if item.kind.is_list else WHOLE


def _network(item: Item, values: dict[str, Any], config: InfrastructureConfig) -> Iterator[tuple[str, Item, dict[str, Any]]]:
    base = {"provider": values["provider"], "region": region_of(config, config)}
    name = values["name"]
    kept = {key: values[key] for key in ("name", "pod_cidr", "service_cidr", "flow_logs", "default_security_group_closed")}
    own = {**base, **kept, "cidr": values["vpc_cidr"], "tags": dict(config.tags)}
    yield name, Item(item.path, _PART["vpc"], item.record), own
    yield from _subnets(item.path, item.record, values["subnets"], name, "", base)
    for index, vpc in enumerate(values["vpcs"]):
        path, record = (*item.path, "vpcs", index), item.record.vpcs[index]
        inner = {key: value for key, value in vpc.items() if key != "subnets"}
        tags = {**config.tags, **vpc["tags"]}
        yield vpc["name"], Item(path, _PART["vpc"], record), {**base, **inner, "tags": tags}
        yield from _subnets(path, record, vpc["subnets"], vpc["name"], f"{vpc['name']}/", base)
    for index, peering in enumerate(values["peerings"]):
        path = (*item.path, "peerings", index)
        yield peering["name"], Item(path, _PART["peering"], item.record.peerings[index]), {**base, **peering, "vpc": name}
    if values["nat"] != "none":
        yield name, Item((*item.path, "nat"), _PART["nat"], item.record), {**base, "nat": values["nat"], "vpc": name}


def _subnets(
    path: tuple[str | int, ...], record: Any, subnets: list[dict[str, Any]], vpc: str, prefix: str, base: dict[str, Any]
) -> Iterator[tuple[str, Item, dict[str, Any]]]:
    for index, subnet in enumerate(subnets):
        item = Item((*path, "subnets", index), _PART["subnet"], record.subnets[index])
        yield f"{prefix}{subnet['name']}", item, {**base, **subnet, "vpc": vpc}


def _records(item: Item, values: dict[str, Any]) -> Iterator[tuple[str, Item, dict[str, Any]]]:
    zone = values["domain"]
    for index, record in enumerate(values.pop("records")):
        name = zone if record["name"] == "@" else f"{record['name']}.{zone}"
        part = Item((*item.path, "records", index), _PART["dns_record"], item.record.records[index])
        yield f"{name}/{record['type']}", part, {**record, "zone": zone, "provider": values["provider"]}


@cache
def fields_that_name(kind: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The fields of a kind that name other things, with the kinds that they name."""
    known = [(reference.field, reference.targets) for reference in REFERENCES if reference.kind == kind]
    known = [(field.removeprefix("records[]."), targets) for field, targets in known]
    if kind == "dns_record":
        known = [("target", ("load_balancer", "server"))]
    elif kind == "dns":
        known = []
    return (*known, *((field, (target,)) for place, field, target in _PLACES if place == kind))


class _Known:
    """The addresses that names mean."""

    def __init__(self, addresses: Mapping[str, Any]) -> None:
        self._addresses = addresses
        # A subnet of a further network is found by its own name where the configuration's network has none of that name.
        self._inner = {
            f"subnet.{address.rpartition('/')[2]}": address
            for address in reversed(list(addresses))
            if address.startswith("subnet.") and "/" in address
        }

    def named_by(self, kind: str, values: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
        found = []
        for field, targets in fields_that_name(kind):
            for name in names_at(values, field):
                address = self._address(targets, name, values)
                if address:
                    found.append((field, address))
        return tuple(sorted(set(found)))

    def _address(self, targets: tuple[str, ...], name: str, values: Mapping[str, Any]) -> str | None:
        for target in targets:
            if target == "subnet":
                vpc = (values.get("networking") or {}).get("vpc") or values.get("vpc")
                inside = f"subnet.{vpc}/{name}"
                if inside in self._addresses:
                    return inside
            address = f"{target}.{name}"
            if address in self._addresses:
                return address
            if address in self._inner:
                return self._inner[address]
        return None


def names_at(values: Any, field: str) -> list[str]:
    """The names that a dotted field holds; `[]` stands for each element of a list."""
    step, _, rest = field.partition(".")
    inner = values.get(step.removesuffix("[]"))
    if inner is None:
        return []
    elements = inner if step.endswith("[]") else [inner]
    return [name for element in elements for name in names_at(element, rest)] if rest else [str(one) for one in elements]
