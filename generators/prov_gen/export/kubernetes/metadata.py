"""Names, labels and annotations that Kubernetes takes. Source: "Object Names and IDs", "Labels and Selectors", "Annotations"."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from prov_gen.export.tracking import Ledger

_KEY_NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_KEY = re.compile(rf"([a-z0-9]([a-z0-9.-]{{0,251}}[a-z0-9])?/)?{_KEY_NAME}")
_LABEL_VALUE = re.compile(rf"({_KEY_NAME})?")
_OURS = re.compile(r"([a-z0-9.-]*\.)?(kubernetes|k8s)\.io/.*")
_LONGEST = 63

NAME_LABEL = "app.kubernetes.io/name"


def metadata(name: str, namespace: str | None, tags: Mapping[str, str], labels: Mapping[str, str]) -> dict[str, Any]:
    """An object's metadata: tags that can be labels are labels, other ones are annotations."""
    usable = {key: value for key, value in tags.items() if is_key(key)}
    as_labels = {key: value for key, value in usable.items() if _LABEL_VALUE.fullmatch(value)}
    notes = {key: value for key, value in usable.items() if key not in as_labels}
    made: dict[str, Any] = {"name": name}
    if namespace is not None:
        made["namespace"] = namespace
    made["labels"] = {**as_labels, **labels}
    return made | ({"annotations": notes} if notes else {})


def is_key(key: str) -> bool:
    """Whether a tag's name can name a label: the project's own prefixes are not for tags."""
    return bool(_KEY.fullmatch(key)) and not _OURS.fullmatch(key)


def is_label(key: str, value: str) -> bool:
    """Whether Kubernetes takes the pair as a label."""
    return is_key(key) and bool(_LABEL_VALUE.fullmatch(value))


def own_tags(tagged: Any, where: tuple[str | int, ...], ledger: Ledger) -> dict[str, str]:
    """A record's tags; those whose names Kubernetes does not take are left in the ledger."""
    tags: dict[str, str] = tagged.tags
    for key in tags:
        if not is_key(key):
            ledger.leave((*where, "tags", key), "no name for a label or annotation of Kubernetes")
    return tags


def object_name(text: str) -> str:
    """A DNS label made from any text; texts that differ get names that differ."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if plain == text and len(plain) <= _LONGEST:
        return plain
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST - 9].rstrip('-')}-{digest}".lstrip("-")
