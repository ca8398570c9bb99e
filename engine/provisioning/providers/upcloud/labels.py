"""Tags as UpCloud's labels, and back.

A label's key has 2 to 32 letters, digits, `-` and `_` and begins with a letter or digit (keys that begin with `_` are UpCloud's
own); its value has at most 255 characters. A tag that does not fit gets a shortened key with a part of its hash: only who knows
the tag can name it again, so reading takes the tags that are known.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART

OURS = {TAG_ADDRESS: "prov-id", TAG_LINEAGE: "prov-lineage", TAG_PART: "prov-part"}
GROUPS = "prov-groups"
"""On a server: the keys of its security groups, joined by commas."""
RULES = "prov-rules"
"""On a security group: the digest of its rules."""

_FITS = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{1,31}")
_RESERVED = frozenset({*OURS.values(), GROUPS, RULES})
_TAGS = {label: tag for tag, label in OURS.items()}
_LONGEST_VALUE = 255


def digest(text: str) -> str:
    """Eight hexadecimal digits that tell texts apart."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def key_of(tag: str) -> str:
    """The label's key of a tag."""
    if tag in OURS:
        return OURS[tag]
    if _FITS.fullmatch(tag) and tag not in _RESERVED:
        return tag
    word = re.sub(r"[^A-Za-z0-9_-]", "-", tag).lstrip("_-")[:23] or "tag"
    return f"{word}-{digest(tag)}"


def value_of(text: str) -> str:
    """The label's value of a tag's text."""
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 9]}~{digest(text)}"


def labels(tags: Mapping[str, str], extra: Mapping[str, str] | None = None) -> list[dict[str, str]]:
    """All tags as the API takes labels, in the order of their keys. `extra` are labels that are no tags."""
    every = {key_of(tag): value_of(text) for tag, text in tags.items()} | dict(extra or {})
    return [{"key": key, "value": every[key]} for key in sorted(every)]


def labels_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The labels of an answer: a list, or a list in a record, as the kinds of object differ."""
    found = row.get("labels") or []
    return {one["key"]: one["value"] for one in (found.get("label", []) if isinstance(found, Mapping) else found)}


def tags_of(row: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, str]:
    """The tags of an answer. `known` are tags that it may have: they give shortened keys and values their names back."""
    names = {key_of(tag): tag for tag in known}
    tags = {}
    for key, value in labels_of(row).items():
        if key in _TAGS:
            tags[_TAGS[key]] = value
        elif key not in _RESERVED and not key.startswith("_"):
            tag = names.get(key, key)
            tags[tag] = known[tag] if tag in known and value_of(known[tag]) == value else value
    return tags


def carries(row: Mapping[str, Any], tags: Mapping[str, str]) -> bool:
    """Whether an object has all these tags."""
    return {key_of(tag): value_of(text) for tag, text in tags.items()}.items() <= labels_of(row).items()


def query(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """The query of a list that shall have these tags only."""
    return [("label", f"{key_of(tag)}={value_of(text)}") for tag, text in sorted(tags.items())]


def user_values(tags: Mapping[str, str], known: Iterable[str]) -> dict[str, str | None]:
    """A person's tags as observed values (`tags.Team`); one that is known and not there is None."""
    own = {tag: value for tag, value in tags.items() if tag not in OURS}
    return {f"tags.{tag}": own.get(tag) for tag in sorted({*own, *known} - OURS.keys())}
