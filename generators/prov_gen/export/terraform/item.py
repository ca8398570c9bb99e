"""One record on its way to Terraform: what it is called there, whom it refers to, what is left out and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import region_of
from prov_gen.export.model import Path
from prov_gen.export.terraform.document import Document, Expression, label_of, reference
from prov_gen.export.tracking import Ledger, path_of, record_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.network import Networking, Vpc

SUBNET_SEPARATOR = "_"
"""Stands between a network's and a subnet's name in a label; no name holds it."""

TypeOf = Mapping[str, Mapping[str, str]]
"""Terraform's type by provider and kind."""


def subnet_label(vpc: str, subnet: str) -> str:
    """A subnet's name is unique in its network only."""
    return f"{label_of(vpc)}{SUBNET_SEPARATOR}{subnet}"


def home_region(config: InfrastructureConfig) -> str:
    """The region of AWS that resources are in which name no other."""
    return region_of(config, config) if config.provider == "aws" else catalogue.default_region("aws").id


@dataclass
class Names:
    """The labels of what can be referred to: (kind, name) to (provider, label). The first of two with one name counts."""

    config: InfrastructureConfig
    types: TypeOf
    labels: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    subnets: set[str] = field(default_factory=set)

    def add(self, kind: str, name: str, provider: str, label: str) -> bool:
        """Make a record known; False where one of its kind and name is known already."""
        return self.labels.setdefault((kind, name), found := (provider, label)) is found

    def __post_init__(self) -> None:
        networking, provider = self.config.networking, self.config.provider
        if networking:
            vpcs: tuple[Networking | Vpc, ...] = (networking, *networking.vpcs)
            for vpc in vpcs:
                self.labels.setdefault(("vpc", vpc.name), (provider, label_of(vpc.name)))
                for subnet in vpc.subnets:
                    label = subnet_label(vpc.name, subnet.name)
                    self.subnets.add(label)
                    self.labels.setdefault(("subnet", subnet.name), (provider, label))


@dataclass
class Item:
    """A record and its surroundings. `record` remembers what is read of it (`tracking.Taking`)."""

    record: Any
    label: str
    provider: str
    config: InfrastructureConfig
    names: Names
    document: Document
    ledger: Ledger

    @property
    def raw(self) -> Any:
        """The record itself: looking at it does not count as carrying."""
        return record_of(self.record)

    @property
    def path(self) -> Path:
        """Where the record stands."""
        return path_of(self.record)

    def inside(self, record: Any, label: str) -> "Item":
        """A record inside of this one."""
        return Item(record, label, self.provider, self.config, self.names, self.document, self.ledger)

    def leave(self, dotted: str, reason: str) -> None:
        """A field that is not carried."""
        steps = tuple(int(step) if step.isdigit() else step for step in dotted.split("."))
        self.ledger.leave((*self.path, *steps), reason)

    def get(self, dotted: str) -> Any:
        """A field by its dotted name; it counts as carried. None inside of what is not there."""
        value = self.record
        for step in dotted.split("."):
            if value is None:
                return None
            value = getattr(value, step)
        return value

    def refer(self, kind: str, name: str, attribute: str = "id") -> Expression | None:
        """A reference to another resource of the same provider, or None when there is none."""
        provider, label = self.names.labels.get((kind, name), ("", ""))
        target = self.names.types.get(provider, {}).get(kind)
        return reference(target, label, attribute) if target and provider == self.provider else None

    def put(self, kind: str, label: str, body: dict[str, Any]) -> None:
        """Add a resource in this record's region, where its provider is placed by an alias."""
        if hasattr(self.raw, "region") and self.provider == "aws":
            region = region_of(self.raw, self.config)
            if region != home_region(self.config):
                body = {"provider": Expression(f"aws.{region.replace('-', '_')}")} | body
        self.document.put(kind, label, body, self.path)
