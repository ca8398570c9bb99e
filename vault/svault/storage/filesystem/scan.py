"""Reading a segment from front to back: its records, and the places where it is damaged."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from svault.storage.filesystem.record import HEAD, MAGIC, Change, Head, changes_of, head_of, is_intact, is_true

_WINDOW = 1 << 20


class Record(NamedTuple):
    """A record whose head and table are whole. `damaged` are the puts whose values are not."""

    offset: int
    length: int
    sequence: int
    changes: list[Change]
    damaged: list[Change]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes that are no record. `keys` are those that can still be read; they may be wrong or not all."""

    offset: int
    length: int
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        held = f", it held {', '.join(map(repr, self.keys))}" if self.keys else ""
        return f"{self.length} bytes at offset {self.offset} are damaged{held}"


class _Window:
    """A part of a file in memory, moved forward as needed."""

    def __init__(self, handle: int, end: int) -> None:
        self._handle = handle
        self._end = end
        self.data = b""
        self.base = 0

    def need(self, offset: int, size: int) -> int:
        """Have `size` bytes from `offset` on in `data` (fewer only where the file ends); returns the place of `offset` in it."""
        if offset < self.base or offset + size > self.base + len(self.data):
            size = min(max(size, _WINDOW), self._end - offset)
            self.base = offset
            self.data = _read(self._handle, size, offset)
        return offset - self.base

    def holds(self, offset: int, size: int) -> bool:
        """Whether the file has these bytes; they are in `data` then."""
        return offset + size <= self._end and self.need(offset, size) + size <= len(self.data)


def _read(handle: int, size: int, offset: int) -> bytes:
    parts = []
    while size and (part := os.pread(handle, size, offset)):
        parts.append(part)
        size, offset = size - len(part), offset + len(part)
    return b"".join(parts)


def scan(handle: int, offset: int, end: int) -> Iterator[Record | Damage]:
    """Everything between two offsets, in order and without gaps. Raises OSError."""
    window = _Window(handle, end)
    while offset < end:
        record = _record(window, offset)
        if record is None:
            keys = _readable_keys(window, offset)
            following = _claimed_end(window, offset, end) if keys else None
            following = following or _next_record(window, offset + 1, end)
            yield Damage(offset, following - offset, keys)
            offset = following
        else:
            yield record
            offset += record.length


def _record(window: _Window, offset: int) -> Record | None:
    head = _true_head(window, offset)
    if head is None or not window.holds(offset, head.length):
        return None
    at = offset - window.base
    try:
        changes = changes_of(head, window.data, at)
    except ValueError:
        return None
    data = memoryview(window.data)
    damaged = [
        change
        for change in changes
        if change.length is not None
        and not is_intact(head.sequence, change.key, data[at + change.offset : at + change.offset + change.length])
    ]
    return Record(offset, head.length, head.sequence, changes, damaged)


def _true_head(window: _Window, offset: int) -> Head | None:
    if not window.holds(offset, HEAD.size):
        return None
    head = head_of(window.data, offset - window.base)
    if head.magic != MAGIC or not window.holds(offset, HEAD.size + head.table):
        return None
    return head if is_true(head, window.data, offset - window.base) else None


def _claimed_end(window: _Window, offset: int, end: int) -> int | None:
    """Where a damaged record says that it ends, when another begins there or the file ends."""
    following = offset + head_of(window.data, window.need(offset, HEAD.size)).length
    if following == end:
        return end
    if not window.holds(following, len(MAGIC)):
        return None
    return following if window.data.startswith(MAGIC, following - window.base) else None


def _next_record(window: _Window, offset: int, end: int) -> int:
    """Where the next record begins whose head and table are true, or the end."""
    while offset < end:
        at = window.need(offset, len(MAGIC))
        found = window.data.find(MAGIC, at)
        if found < 0:
            # The magic may lie across the border of two windows.
            offset = max(offset + 1, window.base + len(window.data) - len(MAGIC) + 1)
            continue
        offset = window.base + found
        if _true_head(window, offset):
            return offset
        offset += 1
    return end


def _readable_keys(window: _Window, offset: int) -> tuple[str, ...]:
    """The keys of a record that is damaged, when its table still reads like one."""
    if not window.holds(offset, HEAD.size):
        return ()
    head = head_of(window.data, offset - window.base)
    if not window.holds(offset, HEAD.size + min(head.table, _WINDOW)):
        return ()
    try:
        keys = tuple(change.key for change in changes_of(head, window.data, offset - window.base))
    except ValueError:
        return ()
    return keys if all(key and key.isprintable() for key in keys) else ()
