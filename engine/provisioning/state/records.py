"""Recorded resources as text: canonical JSON, the same for the same resource, and its SHA-256.

The text (`body`) is what a resource is; what the last look saw (`status`, `checked_at`, `observed`) stands beside it and is in
no hash, so that looking makes no serial.
"""

import gc
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from pydantic_core import from_json

from provisioning.resource import Recorded, Status
from stratumops.errors import InvalidInputError

What = Literal["create", "update", "delete"]


def canonical(value: Any) -> str:
    """A JSON value as one ASCII text: keys sorted, nothing between. Raises TypeError, ValueError for what is no JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain)


def sha256(text: str | bytes) -> str:
    """The SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def hash_of(parent: str, number: int, changes: str) -> str:
    """The hash of a serial: over its parent's, its number and its changes as canonical JSON (`changes_text`)."""
    return sha256(f"{parent}\n{number}\n{changes}")


def changes_text(changes: Mapping[str, tuple[What, str]]) -> str:
    """What became of each address, with the SHA-256 of its new body ("" for one that was deleted)."""
    return canonical({address: list(one) for address, one in changes.items()})


@dataclass(frozen=True, slots=True)
class Row:
    """A resource as it is stored."""

    address: str
    body: str
    sha256: str
    status: Status
    checked_at: float
    observed: str


def row_of(one: Recorded) -> Row:
    """The row of a resource. Raises InvalidInputError when it holds what is no JSON."""
    if not one.address:
        raise InvalidInputError("a recorded resource needs an address", hint="write it like server.web")
    try:
        body = canonical(
            {
                "address": one.address,
                "kind": one.kind,
                "provider": one.provider,
                "region": one.region,
                "id": one.id,
                "values": one.values,
                "record": one.record,
                "model": one.model,
                "path": one.path,
                "names": one.names,
                "outputs": one.outputs,
                "parts": one.parts,
                "tags": one.tags,
            }
        )
        observed = canonical(one.observed)
    except (TypeError, ValueError, RecursionError):
        # The message of json would repeat the value.
        raise InvalidInputError(f"{one.address} cannot be recorded: it holds a value that JSON does not have") from None
    return Row(one.address, body, sha256(body), one.status, float(one.checked_at), observed)


def recorded(body: Mapping[str, Any], status: Status, checked_at: float, observed: Mapping[str, Any]) -> Recorded:
    """The resource of a body that was read. Raises KeyError, TypeError for a body that none of ours wrote."""
    return Recorded(
        body["address"],
        body["kind"],
        body["provider"],
        body["region"],
        body["id"],
        body["values"],
        body["record"],
        body["model"],
        tuple(body["path"]),
        tuple([(name, address) for name, address in body["names"]]),
        body["outputs"],
        body["parts"],
        body["tags"],
        status,
        checked_at,
        observed,
    )


def values_of(texts: Sequence[str]) -> list[Any]:
    """The JSON values of many texts. Raises ValueError."""
    text = f"[{','.join(texts)}]"
    try:
        return list(from_json(text))
    except ValueError:  # it refuses half of a surrogate pair, which `canonical` can write
        return list(json.loads(text))


@contextmanager
def at_once() -> Iterator[None]:
    """Make many objects that all stay: looking for garbage among them meanwhile would double the time."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


def whole(one: Recorded) -> dict[str, Any]:
    """A resource as one JSON value, with what the last look saw."""
    row = row_of(one)
    seen = {"status": row.status, "checked_at": row.checked_at, "observed": json.loads(row.observed)}
    return {**json.loads(row.body), **seen}


def from_whole(value: Mapping[str, Any]) -> Recorded:
    """The other direction of `whole`. Raises KeyError, TypeError, ValueError for what is none."""
    return recorded(value, value.get("status", "unknown"), float(value.get("checked_at", 0)), value.get("observed") or {})


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError("no JSON value")
