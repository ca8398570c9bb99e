"""Tags: the list of pairs that most services take, which ones people see, and how a resource is found again by them."""

from collections.abc import Iterable, Mapping
from typing import Any

from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE, TAG_PART, Recorded, Wanted

NAME = "Name"
"""The tag that the console shows as a name."""

TAG_TIER = "prov:tier"
"""Which tier a subnet is meant to be: what a private and an isolated one differ in is seen only where there is a NAT gateway."""

_THEIRS = ("aws:", "prov:", "kubernetes.io/", "k8s.io/", "eks:", "elasticbeanstalk:")
"""Starts of keys that AWS, its services or the engine set: no person wrote them."""


def tags_of(wanted: Wanted, part: str = "", **more: str) -> dict[str, str]:
    """All tags of an object: the resource's own, a name, and which part it is."""
    own = str(wanted.values.get("name") or wanted.name)
    name = f"{own}-{part}" if part else own
    marked = {TAG_PART: part} if part else {}
    return {NAME: name, **wanted.tags, **marked, **more}


def pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """As EC2, RDS, S3, ELB, IAM and Route 53 take them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def unpaired(listed: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    """The other direction."""
    return {one["Key"]: one["Value"] for one in listed or ()}


def specification(kind: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """The argument with which EC2 tags what it makes in the same call."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": pairs(tags)}]}


def filters_of(tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """EC2's filters for everything that carries all of these tags."""
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in tags.items()]


def identity(wanted: Wanted) -> dict[str, str]:
    """The tags by which what an earlier attempt made is found again."""
    return {key: wanted.tags[key] for key in (TAG_ADDRESS, TAG_LINEAGE) if key in wanted.tags}


def identity_of(one: Recorded) -> dict[str, str]:
    """The same of a recorded resource; empty where its lineage is not known: nobody else's objects are taken for its own."""
    lineage = one.tags.get(TAG_LINEAGE)
    return {TAG_ADDRESS: one.address, TAG_LINEAGE: lineage} if lineage else {}


def name_told(tags: Mapping[str, str], values: Mapping[str, Any] | None) -> dict[str, str]:
    """The name by its tag, unless the configuration states that tag itself."""
    if NAME not in tags or NAME in ((values or {}).get("tags") or {}):
        return {}
    return {"name": tags[NAME]}


def carries(tags: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """Whether all wanted tags are there."""
    return all(tags.get(key) == value for key, value in wanted.items())


def visible(tags: Mapping[str, str], values: Mapping[str, Any] | None) -> dict[str, str]:
    """The tags that people set. The name is one where the configuration states it."""
    stated = (values or {}).get("tags") or {}
    return {key: value for key, value in tags.items() if not key.startswith(_THEIRS) and (key != NAME or key in stated)}


def tags_told(tags: Mapping[str, str], values: Mapping[str, Any] | None) -> dict[str, Any]:
    """The visible tags, for a resource whose record has any."""
    return {"tags": visible(tags, values)} if values is None or "tags" in values else {}


def differing(before: Mapping[str, str], wanted: Mapping[str, str], paths: frozenset[str]) -> tuple[dict[str, str], list[str]]:
    """What an update does to tags: those to set, and the keys to take away (only those that `paths` names)."""
    setting = {key: value for key, value in wanted.items() if before.get(key) != value}
    gone = [key for key in before if f"tags.{key}" in paths and key not in wanted and not key.startswith(_THEIRS) and key != NAME]
    return setting, gone
