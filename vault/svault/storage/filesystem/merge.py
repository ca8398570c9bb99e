"""Copying what is still valid out of sealed segments, in a thread beside the event loop."""

import os
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from svault.errors import DamagedStorageError
from svault.storage.filesystem.durable import write_all
from svault.storage.filesystem.folder import segment_name
from svault.storage.filesystem.index import Index, Location
from svault.storage.filesystem.record import encode
from svault.storage.filesystem.scan import Damage, Record, scan
from svault.storage.filesystem.segment import HEADER_SIZE, Segment, create_segment

_WRITE_SIZE = 256 << 10
_SYNC_SIZE = 8 << 20
_RECORDS_A_TURN = 32
_PAUSE_SECONDS = 0.000_5


class MergeStoppedError(Exception):
    """The store is being closed."""


@dataclass(slots=True)
class Merged:
    """A segment with the values of others. `moves` are keys with the old and the new place."""

    number: int
    length: int = HEADER_SIZE
    moves: list[tuple[str, Location, Location]] = field(default_factory=list)


def merge(folder: Path, number: int, sealed: Sequence[Segment], index: Index, stop: threading.Event) -> Merged:
    """Write the values of sealed segments that the index still points to into a new segment, and sync it.

    The index may change meanwhile: a value that is replaced after it was copied is garbage in the new segment. Raises OSError,
    DamagedStorageError (a record cannot be read), MergeStoppedError; the new file is gone then.
    """
    merged = Merged(number)
    handle = create_segment(folder, number)
    try:
        waiting: list[bytes] = []
        size = unsynced = 0
        for turn, (segment, record) in enumerate(_records(sealed)):
            if turn % _RECORDS_A_TURN == 0:
                # The event loop waits for the interpreter's lock meanwhile: give it up often.
                time.sleep(_PAUSE_SECONDS)
            _stop_if(stop)
            data = _copied(merged, segment, record, index, merged.length + size)
            waiting.append(data)
            size += len(data)
            if size >= _WRITE_SIZE:
                unsynced += _flush(handle, merged, waiting)
                size = 0
            if unsynced >= _SYNC_SIZE:
                # In portions, so that commits do not wait behind one huge sync.
                os.fdatasync(handle)
                unsynced = 0
        _flush(handle, merged, waiting)
        os.fsync(handle)
    except BaseException:
        (folder / segment_name(number)).unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    return merged


def _stop_if(stop: threading.Event) -> None:
    if stop.is_set():
        raise MergeStoppedError


def _records(sealed: Sequence[Segment]) -> Iterator[tuple[Segment, Record]]:
    for segment in sealed:
        for part in scan(segment.handle, HEADER_SIZE, segment.length):
            if isinstance(part, Damage):
                raise DamagedStorageError(f"{segment.path}: {part}", path=str(segment.path))
            yield segment, part


def _copied(merged: Merged, segment: Segment, record: Record, index: Index, begin: int) -> bytes:
    """The record with those of its values that are still valid; empty when there are none. Notes where they will be."""
    moving: list[tuple[str, Location]] = []
    for change in record.changes:
        if change.length is not None:
            location = (segment.number, record.offset + change.offset, change.length, record.sequence)
            if index.get(change.key) == location:
                moving.append((change.key, location))
    if not moving:
        return b""
    # Blocks go over as they are: a value that is damaged stays known as damaged.
    blocks = [(key, _block(segment, location)) for key, location in moving]
    data, changes = encode(record.sequence, blocks)
    for (key, old), change in zip(moving, changes, strict=True):
        merged.moves.append((key, old, (merged.number, begin + change.offset, old[2], old[3])))
    return data


def _block(segment: Segment, location: Location) -> bytes:
    _, offset, length, _ = location
    data = os.pread(segment.handle, length, offset)
    if len(data) < length:
        raise DamagedStorageError(f"{segment.path}: cut off at offset {offset + len(data)}", path=str(segment.path))
    return data


def _flush(handle: int, merged: Merged, waiting: list[bytes]) -> int:
    data = b"".join(waiting)
    waiting.clear()
    write_all(handle, data, merged.length)
    merged.length += len(data)
    return len(data)
