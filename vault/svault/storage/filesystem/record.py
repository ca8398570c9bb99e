"""How a commit is written: one record with all its changes.

    head    32 bytes  magic, CRC-32 of the rest of the head and the table; sequence, changes, bytes of table and of values
    table             a row a change: length of the key, length of the value (or DELETED), the key
    values            a block a put: CRC-32 of sequence, key and value; the value

Integers are little-endian. The table has a checksum of its own, so that a damaged value costs no other key of the log; a block's
checksum covers its key and sequence, so that a block that is read from a wrong place is noticed. A record is copied to another
segment with its blocks as they are.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAGIC = b"\xc5SV\x1e"
DELETED = 0xFFFF_FFFF
HEAD = struct.Struct("<4sIQIIQ")
CHECKSUM = struct.Struct("<I")
_CHECKED = struct.Struct("<QIIQ")
ROW = struct.Struct("<HI")
_UNCHECKED = HEAD.size - _CHECKED.size


class Change(NamedTuple):
    """A change in a record: where the block of a put begins (from the record's start) and its length, None for a delete."""

    key: str
    offset: int
    length: int | None


class Head(NamedTuple):
    """A record's first bytes, not yet known to be true."""

    magic: bytes
    checksum: int
    sequence: int
    changes: int
    table: int
    values: int

    @property
    def length(self) -> int:
        """Bytes of the whole record."""
        return HEAD.size + self.table + self.values


def block(sequence: int, key: str, value: bytes) -> bytes:
    """The block of a put."""
    return CHECKSUM.pack(zlib.crc32(value, _seed(sequence, key))) + value


def is_intact(sequence: int, key: str, data: bytes | bytearray | memoryview) -> bool:
    """Whether a block is what was written for this key by this commit."""
    if len(data) < CHECKSUM.size:
        return False
    return CHECKSUM.pack(zlib.crc32(memoryview(data)[CHECKSUM.size :], _seed(sequence, key))) == data[: CHECKSUM.size]


def _seed(sequence: int, key: str) -> int:
    return zlib.crc32(key.encode(), sequence & 0xFFFF_FFFF)


def encode(sequence: int, changes: Iterable[tuple[str, bytes | None]]) -> tuple[bytes, list[Change]]:
    """The record of a commit, from keys and their blocks (None deletes), and where each block is in it.

    Raises struct.error when a key or block is longer than the format can say, UnicodeEncodeError when a key is not text.
    """
    rows: list[bytes] = []
    blocks: list[bytes] = []
    places: list[tuple[str, int | None]] = []
    for key, data in changes:
        name = key.encode()
        rows.append(ROW.pack(len(name), DELETED if data is None else len(data)) + name)
        places.append((key, None if data is None else len(data)))
        if data is not None:
            blocks.append(data)
    table = b"".join(rows)
    checked = _CHECKED.pack(sequence, len(rows), len(table), sum(map(len, blocks)))
    head = MAGIC + CHECKSUM.pack(zlib.crc32(table, zlib.crc32(checked))) + checked
    return b"".join((head, table, *blocks)), list(_placed(places, HEAD.size + len(table)))


def head_of(data: bytes, at: int) -> Head:
    """The head at a place of a buffer that holds all of it."""
    return Head._make(HEAD.unpack_from(data, at))


def is_true(head: Head, data: bytes, at: int) -> bool:
    """Whether head and table are what was written; `data` holds both from `at` on."""
    end = at + HEAD.size + head.table
    return head.magic == MAGIC and zlib.crc32(memoryview(data)[at + _UNCHECKED : end]) == head.checksum


def changes_of(head: Head, data: bytes, at: int) -> list[Change]:
    """The changes that a table tells; `data` holds it whole. Raises ValueError when its rows make no sense."""
    return list(_placed(_rows(head, data, at + HEAD.size), HEAD.size + head.table))


def _rows(head: Head, data: bytes, at: int) -> Iterator[tuple[str, int | None]]:
    end = at + head.table
    for _ in range(head.changes):
        if at + ROW.size > end:
            raise ValueError("the table ends within a row")
        name, length = ROW.unpack_from(data, at)
        at += ROW.size + name
        if at > end:
            raise ValueError("the table ends within a key")
        yield data[at - name : at].decode(), None if length == DELETED else length


def _placed(rows: Iterable[tuple[str, int | None]], offset: int) -> Iterator[Change]:
    for key, length in rows:
        yield Change(key, offset, length)
        offset += length or 0
