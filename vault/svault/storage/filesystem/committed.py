"""The file `committed`: how far the log is known to be durable, so that a log that was cut off is not taken for a short one.

It is written after each sync of the log, and not synced itself: after a power failure it may lag behind, but never says too much.
Two slots take turns, so that one survives whatever happens to the other.
"""

import os
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

from svault.storage.filesystem.durable import write_all

NAME = "committed"
_SLOT = struct.Struct("<8sQQQ")
_CHECKSUM = struct.Struct("<I")
_MAGIC = b"SVDONE\x01\n"
_OFFSETS = (0, 4096)
_SIZE = _OFFSETS[1] + _SLOT.size + _CHECKSUM.size


class Mark(NamedTuple):
    """The log's end: number of the growing segment, its bytes, and the last commit's sequence."""

    segment: int
    length: int
    sequence: int


NOWHERE = Mark(0, 0, 0)


class CommittedFile:
    """The file, open for writing."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        self.path = folder / NAME
        self._handle = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        self._turn = 0

    def write(self, mark: Mark) -> None:
        """Say that the log is durable up to here. Raises OSError."""
        slot = _SLOT.pack(_MAGIC, *mark)
        write_all(self._handle, slot + _CHECKSUM.pack(zlib.crc32(slot)), _OFFSETS[self._turn])
        self._turn = 1 - self._turn

    def settle(self, mark: Mark) -> None:
        """Write both slots and sync them. Raises OSError."""
        self.write(mark)
        self.write(mark)
        os.fdatasync(self._handle)

    def close(self) -> None:
        """Release the file."""
        os.close(self._handle)


def read_marks(folder: Path) -> tuple[Mark | None, list[str]]:
    """The further of the two marks (None when neither can be read), and what is wrong with the file. Raises OSError."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None, [f"{path}: the file is missing"]
    marks = []
    damages = [] if len(data) == _SIZE else [f"{path}: {len(data)} bytes instead of {_SIZE}"]
    for offset in _OFFSETS:
        slot = data[offset : offset + _SLOT.size]
        checksum = data[offset + _SLOT.size :][: _CHECKSUM.size]
        if len(slot) == _SLOT.size and slot.startswith(_MAGIC) and checksum == _CHECKSUM.pack(zlib.crc32(slot)):
            marks.append(Mark(*_SLOT.unpack(slot)[1:]))
        else:
            damages.append(f"{path}: the mark at offset {offset} is damaged")
    return max(marks, default=None), damages
