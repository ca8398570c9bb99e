"""The rules for new versions, of a mount and of one secret, as a request changes them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from svault.engines.kv.custom_metadata import check_custom_metadata, custom_texts
from svault.engines.kv.merge_patch import merged
from svault.engines.kv.versions import MAX_VERSIONS, KeyMetadata, KvConfig
from svault.errors import BadRequestError
from svault.logical import Fields

CUSTOM = "custom_metadata"


def changed_config(config: KvConfig, fields: Fields) -> KvConfig:
    """The mount's rules with what is sent. Raises BadRequestError."""
    sent = {name: value for name, value in _rules(fields).items() if name in fields}
    if "delete_version_after" in sent:
        sent["delete_version_after"] = max(sent["delete_version_after"], -1)
    return replace(config, **sent)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request says about the rules of one secret. `cas` is the revision that the rules must have, None for any."""

    changes: Mapping[str, Any]
    cas: int | None
    merges_custom: bool = False

    @classmethod
    def sent(cls, fields: Fields) -> "Rules":
        """The fields of a write: one that is null counts as not sent."""
        return cls({name: value for name, value in _key_rules(fields).items() if name in fields}, _cas(fields))

    @classmethod
    def patch(cls, fields: Fields) -> "Rules":
        """The fields of a merge patch: one that is null takes its default."""
        changes = {name: value for name, value in _key_rules(fields).items() if name in fields.raw}
        return cls(changes, _cas(fields), merges_custom=True)

    def check(self, key: KeyMetadata | None, config: KvConfig) -> None:
        """Raise BadRequestError when the revision is another one, or should have been sent."""
        if self.cas is None:
            if config.metadata_cas_required or (key and key.metadata_cas_required):
                raise BadRequestError("metadata check-and-set parameter required for this call")
        elif self.cas != (key.revision if key else 0):
            raise BadRequestError("metadata check-and-set parameter does not match the current version")

    def apply(self, key: KeyMetadata, now: float) -> None:
        """Change the secret's rules. Raises BadRequestError for custom metadata that cannot be kept."""
        changes = dict(self.changes)
        if CUSTOM in changes:
            custom = changes.pop(CUSTOM)
            if self.merges_custom and custom is not None:
                custom = merged(key.custom, custom)
            check_custom_metadata(custom or {})
            key.custom = custom or None
        for name, value in changes.items():
            setattr(key, name, value)
        key.revision += 1
        key.updated = now

    def warnings(self, config: KvConfig) -> list[str]:
        """What has no effect because the mount demands it anyway."""
        return [
            f'"{name}" set to false, but is mandated by backend config. This value will be ignored.'
            for name in ("cas_required", "metadata_cas_required")
            if self.changes.get(name) is False and getattr(config, name)
        ]


def _cas(fields: Fields) -> int | None:
    return fields.integer("metadata_cas") if "metadata_cas" in fields else None


def _rules(fields: Fields) -> dict[str, Any]:
    max_versions = fields.integer("max_versions")
    if not 0 <= max_versions <= MAX_VERSIONS:
        raise BadRequestError(f"max_versions is a number from 0 to {MAX_VERSIONS}")
    return {
        "max_versions": max_versions,
        "cas_required": fields.boolean("cas_required"),
        "metadata_cas_required": fields.boolean("metadata_cas_required"),
        "delete_version_after": fields.duration("delete_version_after"),
    }


def _key_rules(fields: Fields) -> dict[str, Any]:
    rules = _rules(fields)
    if rules["delete_version_after"] < 0:
        raise BadRequestError('error converting input for field "delete_version_after": cannot provide negative value')
    custom = fields.mapping(CUSTOM)
    texts = custom_texts({name: value for name, value in custom.items() if value is not None})
    removed = {name: None for name, value in custom.items() if value is None}
    return {**rules, CUSTOM: {**texts, **removed} if CUSTOM in fields else None}
