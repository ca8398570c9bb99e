"""Check a hash chain offline: every line's hash, their order across files, every signature. Streams; keeps no file in memory.

What it can know: a changed, missing, added or moved line, a missing file, a forged signature, another key. A cut end shows when
the caller kept a head that was cut with it (`expected_head`); lines behind the last signature are counted as not yet signed.
"""

import hashlib
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from svault.audit import files, records
from svault.audit.records import BEFORE_ALL, Head, Line
from svault.crypto.base import CryptoBackend, CryptoError
from svault.errors import NotFoundError

MAX_PROBLEMS = 1000
_MAX_REMEMBERED = 100_000
"""Lines whose hashes are kept for a signature to come: it stands some thousands behind the line that it signs."""
_MAX_UNSIGNED = 10_000


class Problem(NamedTuple):
    """What is wrong, or worth knowing, and where. `line` counts from 1; 0 is the file as a whole."""

    file: str
    line: int
    what: str


@dataclass(slots=True)
class Verification:
    """What was found. `problems` break the chain; `notes` do not: marked torn lines, files that the retention removed."""

    files: list[str] = field(default_factory=list)
    lines: int = 0
    entries: int = 0
    """Lines that are not the chain's own records."""
    head: Head = BEFORE_ALL
    signed_up_to: int = -1
    """The number of the last line that a valid signature covers; -1 when there is none."""
    unsigned: int = 0
    """Entries behind it."""
    key_id: str = ""
    """The key that the signatures were checked with. Without a key from the caller it is the one that the first file names."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(path: Path, public_key: bytes | None, crypto: CryptoBackend, expected_head: Head | None = None) -> Verification:
    """Verify a file with those it was before, or all chain files of a folder.

    Raises NotFoundError when there is no file of a chain; a broken chain is no error but a Verification that is not ok.
    """
    return _Walk(_sources(path), public_key, crypto, expected_head).walk()


def verify_file(path: Path, public_key: bytes | None, crypto: CryptoBackend, expected_head: Head | None = None) -> Verification:
    """Verify one file that holds a whole chain, such as an export; what lies beside it does not matter."""
    return _Walk([path], public_key, crypto, expected_head).walk()


def _sources(path: Path) -> list[Path]:
    named = sorted(path.iterdir()) if path.is_dir() else [*files.rotated(path), path]
    found = [(line.seq, one.name, one) for one in named if one.is_file() and (line := files.first_line(one)) is not None]
    if not path.is_dir() and path.is_file() and all(one != path for _, _, one in found):
        found.append((max((seq for seq, _, _ in found), default=-1) + 1, path.name, path))  # a first line that was damaged
    if not found:
        raise NotFoundError(f"no file of a hash chain at {path}", hint="give the audit file or its folder")
    return [one for _, _, one in sorted(found)]


class _Walk:
    """One pass over the files."""

    def __init__(self, sources: list[Path], public_key: bytes | None, crypto: CryptoBackend, expected_head: Head | None) -> None:
        self._sources, self._crypto, self._expected = sources, crypto, expected_head
        self._key = public_key
        self._is_key_given = public_key is not None
        self._found = Verification(key_id=records.key_id(public_key) if public_key else "")
        self._file, self._number = "", 0
        self._previous: Line | None = None
        self._first: Line | None = None
        self._remembered: dict[int, str] = {}
        self._entries: deque[int] = deque(maxlen=1_000_000)
        self._has_expected = expected_head is None
        self._context = records.CONTEXT
        self._expired: list[tuple[int, Head]] = []
        self._max_unsigned = _MAX_UNSIGNED
        self._stray_at, self._stray_bytes, self._stray_hash, self._is_torn = Problem("", 0, ""), 0, hashlib.sha256(), False

    def walk(self) -> Verification:
        for path in self._sources:
            self._file, self._number = str(path), 0
            self._found.files.append(self._file)
            self._one_file(path)
        self._end()
        return self._found

    def _one_file(self, path: Path) -> None:
        try:
            with path.open("rb") as file:
                for raw in file:
                    self._number += 1
                    line = records.parsed(raw[:-1]) if raw.endswith(b"\n") else None
                    if line is None:
                        self._stray_line(raw)
                    else:
                        self._line(line, raw)
        except OSError as error:
            self._problem(f"cannot be read: {files.said(error)}")

    def _line(self, line: Line, raw: bytes) -> None:
        own = records.record_of(raw)
        self._settle_stray(own)
        if not line.is_whole:
            self._problem(f"line {line.seq} of the chain was changed: its hash is not that of its bytes")
        self._order(line)
        self._previous = line
        if line.head == self._expected:
            self._has_expected = True
        found = self._found
        found.lines += 1
        found.head = line.head
        self._remembered[line.seq] = line.hash
        if len(self._remembered) > _MAX_REMEMBERED:
            self._remembered.pop(line.seq - _MAX_REMEMBERED, None)
        if own:
            self._record(line, own)
        else:
            found.entries += 1
            self._entries.append(line.seq)

    def _order(self, line: Line) -> None:
        previous = self._previous
        if previous is None:
            self._first = line
            return
        if line.seq > previous.seq + 1:
            last = line.seq - 1
            which = f"line {last} is" if last == previous.seq + 1 else f"lines {previous.seq + 1} to {last} are"
            self._problem(f"{which} missing before this one")
        elif line.seq <= previous.seq:
            self._problem(f"line {line.seq} stands behind line {previous.seq}: repeated, added or moved")
        elif line.prev != previous.hash:
            self._problem(f"line {line.seq} does not follow the line before it: one of the two was replaced")

    def _record(self, line: Line, own: dict[str, Any]) -> None:
        match own.get("event"):
            case "start":
                self._start(own)
            case "signed":
                self._signature(own)
            case "expired":
                self._expired.append((line.seq, Head(_number(own.get("seq")), str(own.get("hash")))))
                names = own.get("files")
                self._note(f"the retention removed {len(names) if isinstance(names, list) else 0} files")
            case _:
                pass

    def _start(self, own: dict[str, Any]) -> None:
        public = records.decoded(own.get("public_key"))
        if self._key is None:
            self._key, self._found.key_id = public, records.key_id(public)
        elif public != self._key:
            self._problem(f"the file was begun with another key ({records.key_id(public)[:16]}) than {self._found.key_id[:16]}")
        self._context = str(own.get("context")).encode()
        self._max_unsigned = max(_MAX_UNSIGNED, 4 * _number(own.get("sign_lines")))

    def _signature(self, own: dict[str, Any]) -> None:
        signed = Head(_number(own.get("seq")), str(own.get("hash")))
        if self._remembered.get(signed.seq) != signed.hash:
            self._problem(f"the signature is of a line {signed.seq} that does not stand here")
            return
        try:
            message, signature = records.signed_message(signed), records.decoded(own.get("signature"))
            is_valid = self._crypto.dsa_verify(self._key or b"", message, signature, self._context)
        except CryptoError:
            is_valid = False
        if not is_valid:
            self._problem(f"the signature of line {signed.seq} is not by the key {self._found.key_id[:16]}")
            return
        self._found.signed_up_to = max(self._found.signed_up_to, signed.seq)
        while self._entries and self._entries[0] <= signed.seq:
            self._entries.popleft()

    def _stray_line(self, raw: bytes) -> None:
        if not self._stray_bytes:
            self._stray_at = Problem(self._file, self._number, "")
        self._stray_bytes += len(raw)
        self._stray_hash.update(raw)
        self._is_torn = not raw.endswith(b"\n")

    def _settle_stray(self, own: dict[str, Any]) -> None:
        if not self._stray_bytes and "stray" not in own:
            return
        marked = own.get("stray") if own.get("event") in {"marked", "start"} else None
        if marked == {"bytes": self._stray_bytes, "sha256": self._stray_hash.hexdigest()}:
            what = (
                f"{self._stray_bytes} bytes that are no line of the chain: a torn write, marked by the writer when it came back"
            )
            self._found.notes.append(self._stray_at._replace(what=what))
        elif self._stray_bytes:
            self._add(self._stray_at._replace(what="not a line of the chain: added, or changed beyond recognition"))
        else:
            self._problem("bytes that this record marks are missing")
        self._clear_stray()

    def _clear_stray(self) -> None:
        self._stray_at, self._stray_bytes, self._stray_hash, self._is_torn = Problem("", 0, ""), 0, hashlib.sha256(), False

    def _end(self) -> None:
        found = self._found
        if self._stray_bytes and self._is_torn:
            found.notes.append(self._stray_at._replace(what="the last line is torn; the writer marks it when it comes back"))
        elif self._stray_bytes:
            self._settle_stray({})
        self._beginning()
        found.unsigned = len(self._entries)
        if found.lines and found.signed_up_to < 0:
            self._problem("no valid signature")
        elif found.unsigned > self._max_unsigned:
            self._problem(f"{found.unsigned} entries behind the last signature: more than the writer ever leaves unsigned")
        if not self._has_expected and self._expected is not None:
            self._problem(
                f"line {self._expected.seq} with the expected hash does not stand here: the end was cut, or the chain replaced"
            )

    def _beginning(self) -> None:
        first = self._first
        if first is None:
            self._problem("no line of a chain")
        elif first.seq == 0 and first.prev != BEFORE_ALL.hash:
            self._problem("the first line is not the beginning of a chain")
        elif first.seq > 0:
            removed = Head(first.seq - 1, first.prev)
            if not any(until == removed and seq <= self._found.signed_up_to for seq, until in self._expired):
                text = f"lines 0 to {removed.seq} are missing, and no signed record says that the retention removed them"
                self._add(Problem(self._found.files[0], 1, text))

    def _problem(self, what: str) -> None:
        self._add(Problem(self._file, self._number, what))

    def _note(self, what: str) -> None:
        self._found.notes.append(Problem(self._file, self._number, what))

    def _add(self, problem: Problem) -> None:
        if len(self._found.problems) < MAX_PROBLEMS:
            self._found.problems.append(problem)


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1
