"""Predicates about what resources say of themselves in a field or a tag: their class of data, their owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from prov_gen.model.base import DataClass
from prov_judge.compliance.evidence import Evidence, failing, holding, unknown
from prov_judge.compliance.model import Path
from prov_judge.compliance.scope import Subject, World, folded

CLASSES: frozenset[str] = frozenset(get_args(DataClass))
SENSITIVE = ("personal", "health", "card")
"""Classes of data about people, whose loss or leak harms them."""


@dataclass(frozen=True, slots=True)
class Said:
    """A text and where it stands."""

    text: str
    path: Path


def said_of(record: Any, path: Path, world: World, *, field: str, tag: str) -> Said | None:
    """What a resource says: its field, else its tag, else the configuration's field (as far as stated) or tag."""
    return own_word(record, path, field=field, tag=tag) or general_word(world, field=field, tag=tag)


def data_class_of(record: Any, path: Path, world: World) -> Said | None:
    """A resource's class of data, in lower case. The configuration's tag DataClass is about what can hold data only."""
    found = own_word(record, path, field="data_class", tag="DataClass")
    if found is None and hasattr(record, "data_class"):
        found = general_word(world, field="", tag="DataClass")
    return Said(found.text.casefold(), found.path) if found else None


def own_word(record: Any, path: Path, *, field: str, tag: str) -> Said | None:
    """What a resource says itself, in a field or a tag that is not blank."""
    stated = getattr(record, field, None) if field else None
    if stated:
        return Said(str(stated), (*path, field))
    for key, text in getattr(record, "tags", {}).items():
        if folded(key) == folded(tag) and text.strip():
            return Said(text.strip(), (*path, "tags", key))
    return None


def general_word(world: World, *, field: str, tag: str) -> Said | None:
    """What the configuration says for all: its field where it is stated, else its tag, else the field's default."""
    value = getattr(world.config, field, None) if field else None
    if value and field in world.config.model_fields_set:
        return Said(str(value), (field,))
    if found := world.tags.get(folded(tag)):
        return Said(found[1], ("tags", found[0]))
    return Said(str(value), (field,)) if value else None


def holds_data(subject: Subject, world: World, *, classes: Sequence[str]) -> Evidence:
    """Whether the resource is said to hold data of one of these classes; nobody can tell from a class that is not known."""
    said = data_class_of(subject.record, subject.path, world)
    if said is None:
        return failing((*subject.path, "data_class"), "not stated", "its class of data is not stated")
    if said.text not in CLASSES:
        words = f"its class of data is {said.text}; known are {', '.join(sorted(CLASSES))}"
        return unknown(said.path, said.text, words)
    return Evidence(said.text in classes, said.path, said.text, f"it holds {said.text} data")


def keeps_data(subject: Subject, world: World) -> Evidence:
    """Whether a server keeps data: as `stateful` says, else where its class of data is one about people."""
    server = subject.record
    if server.stateful or "stateful" in server.model_fields_set:
        shown = "true" if server.stateful else "false"
        return Evidence(server.stateful, (*subject.path, "stateful"), shown, f"stateful is {shown}")
    return holds_data(subject, world, classes=SENSITIVE)


def receives_logs(subject: Subject, world: World) -> Evidence:
    """Whether the bucket is where others put their access logs, and is not said to hold data about people as well."""
    if subject.record.name not in world.log_buckets:
        return failing(subject.path, "no log bucket", "nothing puts its access logs there")
    data = holds_data(subject, world, classes=SENSITIVE)
    if data.holds:
        return failing(data.path, data.value, data.words)
    return holding(subject.path, "log bucket", "it receives the access logs of others")


def tagged(subject: Subject, world: World, *, tags: Mapping[str, str]) -> Evidence:
    """Whether the resource bears these tags, its own or the configuration's. A tag may be answered by a field instead."""
    record, path = subject.record, subject.path
    missing = [tag for tag, field in tags.items() if said_of(record, path, world, field=field, tag=tag) is None]
    path = (*path, "tags") if hasattr(record, "tags") else ("tags",)
    if missing:
        return failing(path, f"without {', '.join(missing)}", f"it bears no tag {', '.join(missing)}")
    return holding(path, "complete", f"it bears {', '.join(tags)}")
