"""What a rule looks at: one resource (or a part of one), and the configuration around it, with what is worked out once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

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
    def subnets(self) -> dict[str, Subnet]:
        """The subnets of all networks by name."""
        return {subnet.name: subnet for network in self.networks for subnet in network.subnets}

    @property
    def networks(self) -> tuple[Networking | Vpc, ...]:
        """The configuration's own network and its further ones."""
        own = self.config.networking
        return (own, *own.vpcs) if own else ()

    @cached_property
    def log_buckets(self) -> frozenset[str]:
        """Names of the buckets that receive access logs."""
        named = [bucket.log_bucket for bucket in self.config.buckets]
        named += [balancer.log_bucket for balancer in self.config.load_balancers]
        return frozenset(name for name in named if name)


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
