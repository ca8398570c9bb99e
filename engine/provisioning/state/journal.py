"""The journal beside a state's database: every serial as one line, appended and never changed.

    {"sha256":"<of the line before's sha256 and this entry's bytes>","entry":{"lineage","number","hash",...}}

The first entry has only the lineage; each further one a serial with its changes and the bodies of its rows, enough to make the
database again. The database is the truth: a line is written after the commit, so the journal is never ahead of it, unless the
database has lost something. A line without its end was cut off by a crash: it is written again.
"""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from provisioning.state.locks import wait_for
from provisioning.state.records import sha256
from provisioning.state.refusals import refused

_HEAD, _MIDDLE, _TAIL = b'{"sha256":"', b'","entry":', b"}\n"
_ENTRY = len(_HEAD) + 64 + len(_MIDDLE)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the whole lines of a journal end, and which serial the last of them is. `chain` is its sha256."""

    inode: int = 0
    end: int = 0
    chain: str = ""
    lineage: str = ""
    number: int = 0
    hash: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a journal says: up to where it is whole, and how many bytes after that are damaged (0: none)."""

    position: Position
    damaged: int = 0


class Unfit(Exception):  # noqa: N818 - no error that leaves this package
    """The journal is not that of this database: it is damaged, ahead of it, or tells of other serials."""


class Entry(NamedTuple):
    """A line to be: `text` is its JSON, which has the other fields too."""

    lineage: str
    number: int
    parent: str
    hash: str
    text: str


Entries = Callable[[int], tuple[Sequence[Entry], str]]
"""The entries after a number (-1: from the lineage on), and the hash of the newest serial, of one moment of the database."""


class Journal:
    """The file. Processes that share it wait for each other; threads of one process come one at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = Position()

    def read(self) -> Reading:
        """Read and check it whole; a journal that is not there is an empty one. Raises UnavailableError."""
        try:
            with self.path.open("rb") as file:
                return _read(file, Position())
        except FileNotFoundError:
            return Reading(Position())
        except OSError as error:
            raise refused("read", self.path, error) from None

    def append(self, entries: Entries) -> None:
        """Write the entries that are missing; they are durable when this returns. Raises Unfit, UnavailableError.

        A line that could not be written whole is taken back.
        """
        try:
            with self._locked() as handle:
                reading = self._news(handle)
                lines, after = _lines(reading.position, entries)
                if reading.damaged:
                    raise Unfit
                _write(handle, reading.position.end, lines)
                self._at = after
        except OSError as error:
            raise refused("write", self.path, error) from None

    def write_new(self, entries: Entries) -> None:
        """Put a journal of these entries in the place of the one that is there, at once. Raises UnavailableError."""
        lines, _ = _lines(Position(), entries)
        new = self.path.with_name(f"{self.path.name}.new")
        try:
            handle = os.open(new, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                _write(handle, 0, lines)
            finally:
                os.close(handle)
            new.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                new.unlink()
            raise refused("write", new, error) from None
        self._at = Position()

    def entries(self) -> Iterator[dict[str, Any]]:
        """The whole entries, oldest first. Raises UnavailableError."""
        try:
            with self.path.open("rb") as file:
                for _, _, entry in _whole_lines(file, ""):
                    yield json.loads(entry)
        except OSError as error:
            raise refused("read", self.path, error) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                wait_for(handle, self.path)
                # Another process may have put a new one in its place meanwhile.
                if os.fstat(handle).st_ino == _inode(self.path):
                    yield handle
                    return
            finally:
                os.close(handle)

    def _news(self, handle: int) -> Reading:
        """What others have written since."""
        status = os.fstat(handle)
        known = self._at if self._at.inode == status.st_ino and status.st_size >= self._at.end else Position()
        with open(handle, "rb", closefd=False) as file:  # it is open already
            return _read(file, known)


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _read(file: BinaryIO, since: Position) -> Reading:
    status = os.fstat(file.fileno())
    end, chain, last = since.end, since.chain, b""
    file.seek(end)
    for length, so_far, entry in _whole_lines(file, chain):
        end, chain, last = end + length, so_far, entry
    file.seek(end)
    rest = file.read()
    damaged = len(rest) if b"\n" in rest else 0
    at = replace(since, inode=status.st_ino, end=end, chain=chain)
    if last:
        entry_said = json.loads(last)
        at = replace(at, lineage=entry_said["lineage"], number=entry_said["number"], hash=entry_said["hash"])
    return Reading(at, damaged)


def _lines(at: Position, entries: Entries) -> tuple[bytes, Position]:
    """The lines that follow a position, and the position after them. Raises Unfit when they do not follow."""
    lines = []
    found, newest = entries(at.number if at.lineage else -1)
    for entry in found:
        if at.lineage and entry.number and entry.parent != at.hash:
            raise Unfit
        data = entry.text.encode()
        chain = sha256(at.chain.encode() + data)
        line = b"".join((_HEAD, chain.encode(), _MIDDLE, data, _TAIL))
        lines.append(line)
        at = Position(at.inode, at.end + len(line), chain, entry.lineage, entry.number, entry.hash)
    if at.hash != newest:
        raise Unfit
    return b"".join(lines), at


def _write(handle: int, at: int, lines: bytes) -> None:
    if not lines:
        return
    try:
        os.ftruncate(handle, at)  # a line that a crash cut off
        written = 0
        while written < len(lines):
            written += os.pwrite(handle, lines[written:], at + written)
        os.fsync(handle)
    except OSError:
        with contextlib.suppress(OSError):
            os.ftruncate(handle, at)
        raise


def _whole_lines(file: BinaryIO, chain: str) -> Iterator[tuple[int, str, bytes]]:
    """Every line as long as they follow from each other: its length, its sha256, its entry."""
    for line in file:
        entry = line[_ENTRY : -len(_TAIL)]
        chain = sha256(chain.encode() + entry)
        if line[:_ENTRY] != _HEAD + chain.encode() + _MIDDLE or line[-len(_TAIL) :] != _TAIL:
            return
        yield len(line), chain, entry


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
