"""Templated paths: `secret/data/{{identity.entity.name}}/*`, filled in for the entity that asks.

Source: Vault's policies page, "Templated policies". A directive without a value drops the rule. A value with `*`, `+` or `/`
refuses everything, as OpenBao does: such a value may come from outside and must not widen the rule, and to leave the rule out
could widen as well, when it is narrower than another one. An empty value counts as none, for the same reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AliasValues:
    """An alias of the entity, as templates see it."""

    id: str
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    custom_metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupValues:
    """A group that the entity belongs to, itself or through another group."""

    id: str
    name: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TemplateValues:
    """All that templates may ask about one entity. `revision` changes whenever any of it may have changed: caches go by it."""

    entity_id: str
    name: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, AliasValues] = field(default_factory=dict)
    """By the accessor of the mount."""
    groups: tuple[GroupValues, ...] = ()
    revision: int = 0


def is_templated(path: str) -> bool:
    """Whether a path has directives. Raises ValueError with a sentence when its braces do not match."""
    head, *pieces = path.split("{{")
    if "}}" in head or any(piece.count("}}") != 1 for piece in pieces):
        raise ValueError("failed to validate policy templating: unbalanced templating characters")
    return bool(pieces)


def rendered(path: str, values: TemplateValues | None) -> str | None:
    """The path for an entity, or None when a directive has no value. Raises ValueError when a value is forbidden."""
    head, *pieces = path.split("{{")
    if not pieces:
        return path
    if values is None:
        return None
    for piece in pieces:
        directive, _, literal = piece.partition("}}")
        value = _looked_up(directive.strip(), values)
        if not value:
            return None
        if forbidden := next((sign for sign in "*+/" if sign in value), ""):
            raise ValueError(f'template substitution contains forbidden value: "{forbidden}"')
        head += value + literal
    return head


def _looked_up(directive: str, values: TemplateValues) -> str | None:
    kind, _, rest = directive.removeprefix("identity.").partition(".")
    if not directive.startswith("identity."):
        return None
    if kind == "entity":
        if rest.startswith("aliases."):
            accessor, _, of_alias = rest.removeprefix("aliases.").partition(".")
            alias = values.aliases.get(accessor)
            return None if alias is None else _of_alias(of_alias, alias)
        return {"id": values.entity_id, "name": values.name}.get(rest) or _of_metadata(rest, "metadata.", values.metadata)
    if kind == "groups":
        by, _, rest = rest.partition(".")
        name, _, of_group = rest.partition(".")
        for group in values.groups:
            if name == {"ids": group.id, "names": group.name}.get(by):
                return {"id": group.id, "name": group.name}.get(of_group) or _of_metadata(of_group, "metadata.", group.metadata)
    return None


def _of_alias(what: str, alias: AliasValues) -> str | None:
    return (
        {"id": alias.id, "name": alias.name}.get(what)
        or _of_metadata(what, "metadata.", alias.metadata)
        or _of_metadata(what, "custom_metadata.", alias.custom_metadata)
    )


def _of_metadata(what: str, prefix: str, metadata: Mapping[str, str]) -> str | None:
    return metadata.get(what.removeprefix(prefix)) if what.startswith(prefix) else None
