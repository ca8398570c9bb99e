"""Labels of a foreign document brought to ours: a resource's label is its name, one beside it has the label of its owner.

References follow, so that the rest of the import sees one way of writing. The first names stay known for reports.
"""

import re
from collections import Counter
from typing import Any

from prov_gen.export.terraform.document import label_of, name_of, referred
from prov_gen.export.terraform.item import SUBNET_SEPARATOR
from prov_gen.export.terraform.providers import TARGETS
from prov_gen.export.terraform.rows import find

_ADDRESS = re.compile(r"(?<![\w.-])[a-z][a-z0-9_]*\.[A-Za-z_][\w-]*")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What our exports write beside a record under another label of a type that records become: pattern of the label, owner's type.
_DERIVED = {
    "aws_db_instance": (r"(.+)_replica_\d+", "aws_db_instance"),
    "aws_s3_bucket": (r"(.+)_replica", "aws_s3_bucket"),
    "aws_kms_key": (r"(.+)_(?:secrets|dnssec)", ""),
    "aws_backup_vault": (r"(.+)_copy", "aws_backup_vault"),
    "aws_cloudwatch_log_group": (r"(.+)_flow", "aws_vpc"),
}
_ZONE, _RECORD = "aws_route53_zone", "aws_route53_record"
_DOMAIN = re.compile(r"[a-z0-9][a-z0-9._-]*\.?")
_OWN = re.compile(r"_(trail|own)")
Resources = dict[str, dict[str, dict[str, Any]]]
"""Bodies by type and label."""


def main_types() -> dict[str, str]:
    """Resource types that a record becomes, and the provider each belongs to."""
    types = {main.type: provider for provider, target in TARGETS.items() for main in target.table if main.type}
    return types | {kind: provider for provider, target in TARGETS.items() for kind in target.places.values()}


def is_derived(kind: str, label: str, resources: Resources) -> bool:
    """Whether a resource stands beside another of its type, as our own exports write them (`orders_replica_1`)."""
    if _OWN.fullmatch(label):
        return True
    pattern, owner = _DERIVED.get(kind, ("", ""))
    found = re.fullmatch(pattern, label) if pattern else None
    owners = [owner] if owner else ["aws_eks_cluster", "aws_route53_zone"]
    return bool(found and any(found[1] in resources.get(name, {}) for name in owners))


def named(label: str) -> str | None:
    """A label as a name of ours: lower case, `-` for `_`. None where nothing is left of it."""
    name = re.sub(r"[^a-z0-9-]+", "-", label.lower()).strip("-")[:63].rstrip("-")
    return name if _NAME.fullmatch(name) else None


def _name_attributes() -> dict[str, str]:
    """The attribute that holds the name by which the provider knows a resource, by type."""
    found = {main.type: main.called for target in TARGETS.values() for main in target.table if main.called}
    return found | {kind: "name" for provider, target in TARGETS.items() for kind in target.places.values() if provider != "aws"}


def _physical(body: dict[str, Any], attribute: str) -> str | None:
    """The name at the provider, where it may be a name of ours: a plan must not make the resource again under another one."""
    text = body.get(attribute) if attribute else None
    name = text.removesuffix(".fifo") if isinstance(text, str) else ""
    return name if _NAME.fullmatch(name) else None


def _zone(body: dict[str, Any]) -> str | None:
    """The label of a zone is its domain's, as our export writes it."""
    domain = body.get("name")
    if not isinstance(domain, str) or not _DOMAIN.fullmatch(domain):
        return None
    return re.sub(r"[^a-z0-9-]", "_", domain.rstrip(".")) + ("_private" if body.get("vpc") else "")


def _record_changes(resources: Resources) -> dict[tuple[str, str], str]:
    """Records of a zone have its label and a number."""
    changes: dict[tuple[str, str], str] = {}
    counted = Counter[str]()
    records = resources.get(_RECORD, {})
    for label, body in records.items():
        zone = referred(body.get("zone_id"))
        if zone and zone[0] == _ZONE:
            new = f"{zone[1]}_{counted[zone[1]]}"
            counted[zone[1]] += 1
            if new != label and new not in records:
                changes[_RECORD, label] = new
    return changes


def renamed(resources: Resources) -> tuple[Resources, dict[str, str]]:
    """The resources with our labels, and the first address of each address that changed."""
    changes: dict[tuple[str, str], str] = {}
    attributes = _name_attributes()
    for kind in main_types().keys() & resources.keys():
        taken = set(resources[kind])
        for label, body in resources[kind].items():
            if kind in _subnet_types() or is_derived(kind, label, resources):
                continue
            wanted = (
                [_zone(body)]
                if kind == _ZONE
                else [_physical(body, attributes.get(kind, "")), None if _NAME.fullmatch(name_of(label)) else named(label)]
            )
            for new in (label_of(name) for name in wanted if name):
                if new == label:
                    break
                if new not in taken:
                    taken.add(new)
                    changes[kind, label] = new
                    break
    resources = _apply(resources, changes)
    second = {**_subnet_changes(resources), **_beside_changes(resources), **_record_changes(resources)}
    first = {f"{kind}.{new}": f"{kind}.{old}" for (kind, old), new in {**changes, **second}.items()}
    return _apply(resources, second), first


def _subnet_types() -> set[str]:
    return {target.places["subnet"] for target in TARGETS.values() if "subnet" in target.places}


def _subnet_changes(resources: Resources) -> dict[tuple[str, str], str]:
    changes: dict[tuple[str, str], str] = {}
    for kind in _subnet_types() & resources.keys():
        taken = set(resources[kind])
        for label, body in resources[kind].items():
            found = next((reference for value in body.values() if (reference := referred(value))), None)
            if found is None or label.startswith(f"{found[1]}{SUBNET_SEPARATOR}"):
                continue
            name = _physical(body, "name") or named(label)
            new = f"{found[1]}{SUBNET_SEPARATOR}{name}"
            if name and new not in taken:
                taken.add(new)
                changes[kind, label] = new
    return changes


def _beside_changes(resources: Resources) -> dict[tuple[str, str], str]:
    """Resources beside a record take its label."""
    changes: dict[tuple[str, str], str] = {}
    for target in TARGETS.values():
        for main in target.table:
            for extra in main.beside:
                for label, body in resources.get(extra.type, {}).items():
                    owner = referred(find(body, extra.link[0]))
                    if owner and owner[0] == main.type and owner[1] != label and owner[1] not in resources[extra.type]:
                        changes[extra.type, label] = owner[1]
    return changes


def _apply(resources: Resources, changes: dict[tuple[str, str], str]) -> Resources:
    if not changes:
        return resources
    by_text = {f"{kind}.{old}": f"{kind}.{new}" for (kind, old), new in changes.items()}

    def follow(value: Any) -> Any:
        if isinstance(value, str) and ("${" in value or value in by_text):
            return _ADDRESS.sub(lambda found: by_text.get(found[0], found[0]), value)
        if isinstance(value, dict):
            return {key: follow(item) for key, item in value.items()}
        return [follow(item) for item in value] if isinstance(value, list) else value

    return {
        kind: {changes.get((kind, label), label): follow(body) for label, body in labels.items()}
        for kind, labels in resources.items()
    }
