"""The lines of a hash chain, as bytes.

A line is a JSON object whose last member is `"chain":{"seq":N,"prev":"...","hash":"..."}`. `prev` is the hash of the line before
it (64 zeros for the first one of all), `hash` the SHA-256 of the line's own bytes up to `,"hash":`, so it covers `prev` and
everything else. No JSON is written again to verify it. Records of the chain itself begin with `{"type":"chain","event":...`:

- `start`, the first of each file: the public key, the head it follows, why the file was begun;
- `signed`: an ML-DSA-65 signature (FIPS 204, pure, with a context) of an earlier line's number and hash;
- `marked`: how many bytes before it are no lines of the chain (a write that a crash tore), and their SHA-256;
- `expired`: which whole files the retention removed.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from svault.logical.clock import rfc3339

CONTEXT = b"stratumops audit"
NOTHING = "0" * 64
"""The hash before the first line."""
RECORD = b'{"type":"chain",'
_SIGNATURE = RECORD + b'"event":"signed",'
_TAIL = re.compile(rb',"chain":\{"seq":(0|[1-9]\d{0,18}),"prev":"([0-9a-f]{64})"(,"hash":"([0-9a-f]{64})"\}\})\Z')
_TAIL_BYTES = 192
_HEAD = re.compile(r"(-1|\d{1,19}):([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """A line's number and hash: where a chain stands."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "Head":
        """The other direction of `str`. Raises ValueError."""
        found = _HEAD.fullmatch(text)
        if not found:
            raise ValueError("a head is NUMBER:HASH, with 64 hex digits")
        return cls(int(found[1]), found[2])


BEFORE_ALL = Head(-1, NOTHING)


@dataclass(frozen=True, slots=True)
class Line:
    """What the end of a line says, and whether its own hash is right."""

    seq: int
    prev: str
    hash: str
    is_whole: bool
    is_signature: bool

    @property
    def head(self) -> Head:
        """This line as the head."""
        return Head(self.seq, self.hash)


def linked(body: bytes, after: Head) -> tuple[bytes, Head]:
    """A JSON object (not empty, without a line break) as the line that follows `after`; returns it with the new head."""
    seq = after.seq + 1
    covered = b'%b,"chain":{"seq":%d,"prev":"%b"' % (body[:-1], seq, after.hash.encode())
    digest = hashlib.sha256(covered).hexdigest()
    return b'%b,"hash":"%b"}}\n' % (covered, digest.encode()), Head(seq, digest)


def parsed(line: bytes) -> Line | None:
    """A line without its line break, or None when it is none of a chain."""
    found = _TAIL.search(line, max(0, len(line) - _TAIL_BYTES))
    if found is None or not line.startswith(b"{"):
        return None
    digest = found[4].decode()
    is_whole = hashlib.sha256(memoryview(line)[: found.start(3)]).hexdigest() == digest
    return Line(int(found[1]), found[2].decode(), digest, is_whole, line.startswith(_SIGNATURE))


def record(event: str, time: float, members: Mapping[str, Any]) -> bytes:
    """The body of one of the chain's own records."""
    return json.dumps({"type": "chain", "event": event, "time": rfc3339(time), **members}, separators=(",", ":")).encode()


def record_of(line: bytes) -> dict[str, Any]:
    """The chain's own record that a line is; `{}` for every other line."""
    if not line.startswith(RECORD):
        return {}
    try:
        members = json.loads(line)
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}


def key_id(public: bytes) -> str:
    """The fingerprint of a public key: its SHA-256 in hex."""
    return hashlib.sha256(public).hexdigest()


def signed_message(head: Head) -> bytes:
    """What is signed of a head. Its hash covers all lines before it, so also the chain's identity and key."""
    return f"stratumops audit chain v1\n{head.seq}\n{head.hash}\n".encode()


def stray(data: bytes) -> dict[str, Any]:
    """How `marked` (and a `start` in a file that had other content) names bytes that are no lines of the chain."""
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def encoded(data: bytes) -> str:
    """Bytes in a record: standard base64."""
    return base64.b64encode(data).decode()


def decoded(text: object) -> bytes:
    """The other direction; nothing for what is not base64."""
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""
