"""Roles whose allowed names depend on who asks: `{{identity.entity.id}}`, `...name}}` and `...metadata.KEY}}`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from svault.engines.pki.roles import Role
from svault.logical import Identity


def filled_role(role: Role, entity: Identity | None) -> Role:
    """The role with its templates filled in. A pattern for which the entity has no value allows nothing and is left out."""
    values = _values(entity) if entity is not None else {}
    if not role.allow_globs_in_identity_templates:
        values = {name: value for name, value in values.items() if "*" not in value}
    if role.allowed_domains_template:
        role = replace(role, allowed_domains=_filled(role.allowed_domains, values))
    if role.allowed_uri_sans_template:
        role = replace(role, allowed_uri_sans=_filled(role.allowed_uri_sans, values))
    return role


def _values(entity: Identity) -> dict[str, str]:
    found = {f"identity.entity.metadata.{name}": value for name, value in entity.metadata.items()}
    found |= {"identity.entity.id": entity.entity_id, "identity.entity.name": entity.display_name}
    return {name: value for name, value in found.items() if value and "{{" not in value}


def _filled(patterns: Sequence[str], values: Mapping[str, str]) -> tuple[str, ...]:
    found = []
    for pattern in patterns:
        text = pattern
        for name, value in values.items():
            text = text.replace("{{" + name + "}}", value)
        if "{{" not in text:
            found.append(text)
    return tuple(found)
