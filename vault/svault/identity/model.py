"""Entities, aliases and groups as they are stored. Frozen: a change is a new value, so that whoever holds one sees it whole."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

INTERNAL, EXTERNAL = "internal", "external"


@dataclass(frozen=True, slots=True)
class Alias:
    """The name under which an auth mount knows an entity, or a group. Times are seconds since the epoch."""

    id: str
    name: str
    mount_accessor: str
    created: float
    updated: float
    metadata: Mapping[str, str] | None = None
    """What the auth mount says about the name."""
    custom_metadata: Mapping[str, str] | None = None
    merged_from: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str]:
        """What an alias is found by; names differ by more than case."""
        return self.mount_accessor, self.name.lower()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The alias that was stored."""
        return cls(**{**stored, "merged_from": tuple(stored["merged_from"])})


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody, or a machine: at most one alias a mount."""

    id: str
    name: str
    created: float
    updated: float
    metadata: Mapping[str, str] | None = None
    policies: tuple[str, ...] = ()
    is_disabled: bool = False
    aliases: tuple[Alias, ...] = ()
    merged: tuple[str, ...] = ()

    def alias_at(self, accessor: str) -> Alias | None:
        """Its alias at a mount."""
        return next((alias for alias in self.aliases if alias.mount_accessor == accessor), None)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The entity that was stored."""
        aliases = tuple(Alias.of(alias) for alias in stored["aliases"])
        return cls(**{**stored, "aliases": aliases, "policies": tuple(stored["policies"]), "merged": tuple(stored["merged"])})


@dataclass(frozen=True, slots=True)
class Group:
    """Entities and groups with policies in common. An external group's members are those whose login names its alias."""

    id: str
    name: str
    created: float
    updated: float
    kind: str = INTERNAL
    metadata: Mapping[str, str] | None = None
    policies: tuple[str, ...] | None = None
    entities: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    alias: Alias | None = None
    index: int = field(default=1)
    """How often it was written."""

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The group that was stored."""
        alias, policies = stored["alias"], stored["policies"]
        values = {
            **stored,
            "alias": None if alias is None else Alias.of(alias),
            "policies": None if policies is None else tuple(policies),
            "entities": tuple(stored["entities"]),
            "groups": tuple(stored["groups"]),
        }
        return cls(**values)
