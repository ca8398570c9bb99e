"""Taking a state elsewhere and back: one JSON document without a secret in clear; and going back to an earlier serial.

Nothing here touches the world: what is restored are records. A refresh and a plan then show what the world says to them.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from prov_judge.changes.masking import HIDDEN, shown
from provisioning.resource import Recorded
from provisioning.secrets import SEALED
from provisioning.state.model import Head
from provisioning.state.records import canonical, from_whole, sha256, whole
from provisioning.state.store import StateStore, Write
from stratumops.errors import ConflictError, InvalidInputError
from stratumops.handles import is_handle

FORMAT = "stratumops-state"
VERSION = 1
_HINT = "give a document that `prov state export` wrote, as it is"
_TOLD = ("values", "record", "outputs", "observed", "parts", "tags")


def export(store: StateStore, serial: int | None = None) -> dict[str, Any]:
    """The state, now or as of a serial, as a JSON document.

    `format`, `version`, `lineage`, `serial`, `hash`, `exported_at`, `resources` (as recorded: sealed leaves stay sealed),
    `hidden` (paths of texts that look like secrets and were recorded in clear: they say "(hidden)"), and `sha256` over all of
    it. Raises NotFoundError for a serial that never was.
    """
    if serial is None:
        head, resources = store.moment()
    else:
        head, resources = _head_at(store, serial), store.resources(serial)
    hidden: list[str] = []
    document: dict[str, Any] = {
        "format": FORMAT,
        "version": VERSION,
        "lineage": head.lineage,
        "serial": head.serial,
        "hash": head.hash,
        "exported_at": time.time(),
        "resources": [_without_secrets(whole(one), hidden) for one in resources],
        "hidden": hidden,
    }
    return {**document, "sha256": sha256(canonical(document))}


def restore(store: StateStore, source: Mapping[str, Any] | int, write: Write, *, force: bool = False) -> Head:
    """Make the records those of a document or of an earlier serial: a new serial, whatever the source's number is.

    A state that never had a serial takes the document's lineage. Otherwise the document must be of the same lineage and not older
    than the state, unless `force`. Raises InvalidInputError (no document of ours, or altered), ConflictError (another lineage,
    older, another history), NotFoundError (no such serial), LeaseLostError.
    """
    if isinstance(source, int):
        return store.restore(store.resources(source), write)
    resources = read(source)
    head = store.head()
    if not force and head.serial:
        _check(source, head)
    is_same = source["lineage"] == head.lineage or not head.serial
    return store.restore(resources, write, lineage=source["lineage"], at_least=source["serial"] + 1 if is_same else 0)


def read(document: Mapping[str, Any]) -> list[Recorded]:
    """The resources of a document. Raises InvalidInputError."""
    if document.get("format") != FORMAT:
        raise InvalidInputError("this is no exported state", hint=_HINT)
    if document.get("version") != VERSION:
        raise InvalidInputError(
            f"this export has the version {document.get('version')!r}, this product reads {VERSION}", hint="update stratumops"
        )
    try:
        unsigned = canonical({name: value for name, value in document.items() if name != "sha256"})
        is_whole = sha256(unsigned) == document.get("sha256")
    except (TypeError, ValueError):
        is_whole = False
    if not is_whole:
        raise InvalidInputError("this export was altered: its sha256 is another one", hint=_HINT)
    try:
        return [from_whole(one) for one in document["resources"]]
    except (KeyError, TypeError, ValueError):
        raise InvalidInputError("the resources of this export cannot be read", hint=_HINT) from None


def import_resource(store: StateStore, one: Recorded, write: Write) -> Head:
    """Record what exists already and was made by somebody else; `write.reason` says why.

    Raises ConflictError when the address, or the object under another address, is recorded already; LeaseLostError.
    """
    for known in store.resources():
        if known.address == one.address:
            raise ConflictError(
                f"{one.address} is recorded already", hint="`prov state rm` it first, or import under another name"
            )
        if one.id and (known.provider, known.kind, known.id) == (one.provider, one.kind, one.id):
            raise ConflictError(f"{one.kind} {one.id} is recorded already, as {known.address}", hint=f"use {known.address}")
    return store.put(one, write)


def _head_at(store: StateStore, serial: int) -> Head:
    lineage = store.head().lineage
    found = next((one for one in store.serials() if one.number == serial), None)
    if found is None:
        store.resources(serial)  # says what is wrong, unless it is the empty beginning
        return Head(lineage, 0, "")
    return Head(lineage, found.number, found.hash)


def _check(document: Mapping[str, Any], head: Head) -> None:
    if document["lineage"] != head.lineage:
        raise ConflictError(
            f"this export is of another state (lineage {document['lineage']}, here {head.lineage})",
            hint="restore it in the workspace that it came from, or force it here: the records here are then replaced",
        )
    if document["serial"] < head.serial:
        raise ConflictError(
            f"this export is older (serial {document['serial']}) than the state (serial {head.serial})",
            hint="force it if the newer records shall be replaced; they stay in the history",
        )
    if document["serial"] == head.serial and document["hash"] != head.hash:
        raise ConflictError(
            f"this export has the serial {head.serial} of another history",
            hint="force it if the records here shall be replaced; they stay in the history",
        )


def _without_secrets(resource: dict[str, Any], hidden: list[str]) -> dict[str, Any]:
    for name in _TOLD:
        resource[name] = _masked(resource[name], "", f"{resource['address']}: {name}.", hidden)
    return resource


def _masked(value: Any, path: str, where: str, hidden: list[str]) -> Any:
    """A value without texts that are secrets; elements of lists are judged by the list's path."""
    if isinstance(value, Mapping):
        if set(value) == {SEALED}:
            return value
        return {key: _masked(inner, f"{path}.{key}" if path else key, where, hidden) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_masked(inner, path, where, hidden) for inner in value]
    if isinstance(value, str) and not is_handle(value) and shown(path, value) == HIDDEN:
        hidden.append(f"{where}{path}")
        return HIDDEN
    return value


def text(document: Mapping[str, Any]) -> str:
    """The document as it is written to a file."""
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
