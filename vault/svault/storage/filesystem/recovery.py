"""What a folder holds: read back after a restart, or looked at without changing anything."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from svault.errors import DamagedStorageError, StorageError
from svault.storage.filesystem.committed import NOWHERE, CommittedFile, Mark, read_marks
from svault.storage.filesystem.durable import sync_folder
from svault.storage.filesystem.faults import refused
from svault.storage.filesystem.folder import LOCK, FolderLock, segment_name, segment_numbers
from svault.storage.filesystem.index import Index
from svault.storage.filesystem.manifest import Manifest, read_manifest
from svault.storage.filesystem.scan import Damage, Record, scan
from svault.storage.filesystem.segment import HEADER_SIZE, Segment, create_segment, header


@dataclass(slots=True)
class Recovered:
    """A folder's entries, its open segments, and what is wrong with it."""

    index: Index = field(default_factory=Index)
    segments: dict[int, Segment] = field(default_factory=dict)
    sealed: list[tuple[int, int]] = field(default_factory=list)
    mark: Mark = NOWHERE
    """Where the log ends: behind this there are only bytes that no commit was answered for."""
    damages: list[str] = field(default_factory=list)
    """Damage after which nobody can say what the present values are."""
    suspects: list[tuple[str, int, str]] = field(default_factory=list)
    """Damaged values with their key and commit, present or not."""
    worn: list[str] = field(default_factory=list)
    """Damage that costs nothing, because the same is written elsewhere."""

    def lost_values(self) -> list[str]:
        """Damage to present values: each key is known, and reading it is refused."""
        return [text for key, sequence, text in self.suspects if self.index.version(key) == sequence]

    def close(self) -> None:
        """Release the segments."""
        for segment in self.segments.values():
            segment.retire()


def recover(folder: Path) -> Recovered | None:
    """Read a folder without changing it; None when there is no store in it yet. Raises OSError."""
    found = Recovered()
    with ExitStack() as undo:
        undo.callback(found.close)
        try:
            manifest = read_manifest(folder)
        except DamagedStorageError as error:
            found.damages.append(str(error))
            return found
        if manifest is None:
            return _without_manifest(folder, found)
        committed, found.worn = read_marks(folder)
        if committed is None:
            found.damages, found.worn = found.worn, []
            committed = NOWHERE
        _read_all(folder, manifest, committed, found)
        undo.pop_all()
        return found


def _without_manifest(folder: Path, found: Recovered) -> Recovered | None:
    # A store that a crash kept from being finished has at most one empty segment.
    files = [folder / segment_name(number) for number in segment_numbers(folder)]
    if all(path.stat().st_size <= HEADER_SIZE for path in files):
        return None
    found.damages.append(f"{folder / 'manifest'}: the file is missing, but there are segments of a store")
    return found


def _read_all(folder: Path, manifest: Manifest, committed: Mark, found: Recovered) -> None:
    found.sealed = list(manifest.sealed)
    sequence = 0
    for number, length in manifest.sealed:
        sequence = _Reader(folder, number, found, sequence).sealed(length)
    if committed.segment > manifest.active:
        found.damages.append(f"{folder / 'manifest'}: it is older than the store: segment {committed.segment} is missing in it")
    until = committed.length if committed.segment == manifest.active else HEADER_SIZE
    length, sequence = _Reader(folder, manifest.active, found, sequence).active(until)
    sequence = max(sequence, manifest.sequence)
    if sequence < committed.sequence and not found.damages:
        found.damages.append(f"{folder}: the commits {sequence + 1} to {committed.sequence} are missing")
    found.mark = Mark(manifest.active, length, sequence)
    if manifest.active in found.segments:
        found.segments[manifest.active].length = length


class _Reader:
    """Reads one segment into the index."""

    def __init__(self, folder: Path, number: int, found: Recovered, sequence: int) -> None:
        self._path = folder / segment_name(number)
        self._folder = folder
        self._number = number
        self._found = found
        self._sequence = sequence

    def sealed(self, length: int) -> int:
        """Read a segment that has exactly this many bytes; returns the last sequence."""
        size = self._open(length)
        if size is None:
            return self._sequence
        if size > length:
            self._found.worn.append(f"{self._path}: {size - length} bytes too many")
        for part in self._parts(HEADER_SIZE, min(size, length)):
            self._take(part)
        return self._sequence

    def active(self, committed: int) -> tuple[int, int]:
        """Read the segment that grows, of which this many bytes are certain; returns where it ends, and the last sequence."""
        size = self._open(committed)
        if size is None:
            return 0, self._sequence
        end = HEADER_SIZE
        for part in self._parts(HEADER_SIZE, size):
            is_certain = part.offset < committed
            if not is_certain and not (isinstance(part, Record) and not part.damaged and part.sequence > self._sequence):
                break
            self._take(part)
            end = part.offset + part.length
        return max(end, committed), self._sequence

    def _open(self, length: int) -> int | None:
        found = self._found
        try:
            segment = Segment(self._folder, self._number, length)
        except FileNotFoundError:
            found.damages.append(f"{self._path}: the file is missing, with {length} bytes of commits")
            return None
        found.segments[self._number] = segment
        size = self._path.stat().st_size
        if size < length:
            found.damages.append(f"{self._path}: cut off at offset {size}: {length - size} bytes of commits are missing")
        if size >= HEADER_SIZE and os.pread(segment.handle, HEADER_SIZE, 0) != header(self._number):
            found.damages.append(f"{self._path}: the first {HEADER_SIZE} bytes are damaged")
        return size

    def _parts(self, begin: int, end: int) -> Iterator[Record | Damage]:
        return scan(self._found.segments[self._number].handle, begin, end)

    def _take(self, part: Record | Damage) -> None:
        if isinstance(part, Damage):
            self._found.damages.append(f"{self._path}: {part}")
            return
        if part.sequence <= self._sequence:
            self._found.damages.append(f"{self._path}: the commit at offset {part.offset} is out of order")
        self._sequence = part.sequence
        for change in part.changes:
            if change.length is None:
                self._found.index.delete(change.key)
            else:
                location = (self._number, part.offset + change.offset, change.length, part.sequence)
                self._found.index.put(change.key, location)
        for change in part.damaged:
            text = f"{self._path}: the value of {change.key!r} at offset {part.offset + change.offset} is damaged"
            self._found.suspects.append((change.key, part.sequence, text))


def create(folder: Path) -> None:
    """Begin a store in a folder that has none. The manifest comes last: without it there is no store. Raises OSError."""
    os.close(create_segment(folder, 1))
    committed = CommittedFile(folder)
    committed.settle(Mark(1, HEADER_SIZE, 0))
    committed.close()
    sync_folder(folder)
    Manifest([], 1, 0).write(folder)
    sync_folder(folder)


def check(folder: Path) -> list[str]:
    """Everything that is damaged in a store's files, a sentence each with file, offset and key; nothing is changed.

    Raises StorageError when a server uses the folder, or it cannot be read.
    """
    with ExitStack() as release:
        try:
            if (folder / LOCK).exists():
                release.callback(FolderLock(folder, is_shared=True).release)
            found = recover(folder)
        except OSError as error:
            raise refused("read", folder, error) from error
    if found is None:
        raise StorageError(f"there is no store in {folder}")
    found.close()
    return [*found.damages, *(text for _, _, text in found.suspects), *found.worn]
