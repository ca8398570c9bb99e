"""What a rule looks at: one resource (or a part of one), and the configuration around it, with what is worked out once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Any

from prov_gen.effective import provider_of
from prov_gen.findings import Finding
from prov_gen.layers.network import check_network
from prov_gen.layers.plaintext import check_plaintext
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME, Item, resources
from prov_gen.model.network import Networking, Subnet, Vpc
from prov_gen.model.operations import BackupPlan
from prov_judge.compliance.model import Path

INFRASTRUCTURE = "infrastructure"
ANY = "any"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one result is about: a record, its place, and its address (kind.name)."""

    record: Any
    path: Path
    address: str


class World:
    """A configuration as all rules see it."""

    def __init__(self, config: InfrastructureConfig, today: date) -> None:
        self.config = config
        self.today = today
        self._subjects: dict[tuple[str, str], tuple[Subject, ...]] = {}
        self._names: dict[str, frozenset[str]] = {}

    def subjects(self, kind: str, each: str = "", called: str = "") -> tuple[Subject, ...]:
        """Every resource of a kind; with `each` (a dotted list field) every element of it, addressed as `called`.name."""
        key = (kind, each)
        if key not in self._subjects:
            whole = tuple(self._of_kind(kind))
            self._subjects[key] = tuple(_elements(whole, each.split("."), called)) if each else whole
        return self._subjects[key]

    def _of_kind(self, kind: str) -> Iterator[Subject]:
        if kind == INFRASTRUCTURE:
            yield Subject(self.config, (), INFRASTRUCTURE)
        elif kind == ANY:
            yield from (_subject(item) for item in self.items if item.kind.is_resource)
        else:
            yield from (_subject(item) for item in self.items if item.kind is BY_NAME[kind])

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All resources."""
        return tuple(resources(self.config))

    @cached_property
    def addresses(self) -> frozenset[str]:
        """The addresses of all resources."""
        return frozenset(_subject(item).address for item in self.items)

    @cached_property
    def secrets(self) -> dict[Path, Finding]:
        """Texts that look like secrets: the first of each resource, by its path; () holds those of no resource."""
        paths = {item.path for item in self.items if item.kind.is_resource}
        found: dict[Path, Finding] = {}
        for one in check_plaintext(self.config):
            owner = next((path for path in (one.where[:2], one.where[:1]) if path in paths), ())
            found.setdefault(owner, one)
        return found

    @cached_property
    def overlaps(self) -> tuple[Finding, ...]:
        """Networks that share addresses."""
        return tuple(one for one in check_network(self.config) if one.code == "network_overlap")

    @cached_property
    def plans(self) -> dict[str, tuple[tuple[int, BackupPlan], ...]]:
        """The backup plans (with their place in the list) that name a resource."""
        plans: dict[str, tuple[tuple[int, BackupPlan], ...]] = {}
        for index, plan in enumerate(self.config.backup_plans):
            for target in plan.targets:
                plans[target] = (*plans.get(target, ()), (index, plan))
        return plans

    @cached_property
    def networks(self) -> tuple[Networking | Vpc, ...]:
        """The configuration's own network and its further ones."""
        own = self.config.networking
        return (own, *own.vpcs) if own else ()

    @cached_property
    def main_network(self) -> str:
        """The name of the configuration's own network."""
        return self.config.networking.name if self.config.networking else Networking().name

    @cached_property
    def subnets(self) -> dict[str, dict[str, Subnet]]:
        """The subnets by name, then by their network (the configuration's own first): names are unique in a network only."""
        found: dict[str, dict[str, Subnet]] = {}
        for network in self.networks:
            for subnet in network.subnets:
                found.setdefault(subnet.name, {})[network.name] = subnet
        return found

    def subnets_named(self, name: str | None, network: str | None = None) -> tuple[Subnet, ...]:
        """The subnets that a name may mean: that of the network where one is said and has it, else those of all networks."""
        found = self.subnets.get(name or "", {})
        return (found[network],) if network in found else tuple(found.values())

    def network_of(self, record: Any) -> str:
        """The network that a resource lies in: the one it names, else its first subnet's, else the configuration's own."""
        networking = getattr(record, "networking", record)
        if named := getattr(networking, "vpc", None):
            return str(named)
        names = [getattr(networking, "subnet", None), *getattr(networking, "subnets", ())]
        found = next((self.subnets[name] for name in names if name in self.subnets), {})
        return self.main_network if self.main_network in found else next(iter(found), self.main_network)

    @cached_property
    def providers(self) -> frozenset[str]:
        """Where the resources are; with none, the configuration's own provider."""
        placed = (item for item in self.items if hasattr(item.record, "provider") or isinstance(item.record, Networking))
        return frozenset(provider_of(item.record, self.config) for item in placed) or frozenset({self.config.provider})

    @cached_property
    def ssh_ports(self) -> dict[str, frozenset[int]]:
        """The ports where SSH answers on the servers of each security group."""
        ports: dict[str, frozenset[int]] = {}
        for server in self.config.servers:
            for group in server.networking.security_groups:
                ports[group] = ports.get(group, frozenset()) | {server.ssh.port}
        return ports

    @cached_property
    def tags(self) -> dict[str, tuple[str, str]]:
        """The configuration's tags that say something, by their folded key: the key as written, and the text."""
        return {folded(key): (key, text.strip()) for key, text in self.config.tags.items() if text.strip()}

    @cached_property
    def log_buckets(self) -> frozenset[str]:
        """Names of the buckets that receive the access logs of others."""
        named = [bucket.log_bucket for bucket in self.config.buckets if bucket.log_bucket != bucket.name]
        named += [balancer.log_bucket for balancer in self.config.load_balancers]
        return frozenset(name for name in named if name)

    def names_of(self, field: str) -> frozenset[str]:
        """Names of what a field of the configuration lists, such as `kms_keys`."""
        if field not in self._names:
            self._names[field] = frozenset(record.name for record in getattr(self.config, field))
        return self._names[field]


@lru_cache(4096)
def folded(tag: str) -> str:
    """A tag's key as it is compared: case and separators do not matter, and Env is Environment."""
    key = tag.casefold().replace("-", "").replace("_", "").replace(" ", "")
    return "environment" if key == "env" else key


def _subject(item: Item) -> Subject:
    name = getattr(item.record, "name", None) or getattr(item.record, "domain", None)
    return Subject(item.record, item.path, f"{item.kind.name}.{name}" if name else item.kind.name)


def _elements(subjects: tuple[Subject, ...], steps: list[str], called: str) -> Iterator[Subject]:
    for subject in subjects:
        inner = tuple(
            Subject(element, (*subject.path, steps[0], index), f"{called}.{element.name}")
            for index, element in enumerate(getattr(subject.record, steps[0]))
        )
        yield from _elements(inner, steps[1:], called) if len(steps) > 1 else inner
