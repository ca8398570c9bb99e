"""A segment: one file of the log, open for reading."""

import errno
import os
import struct
import zlib
from pathlib import Path

from svault.storage.filesystem.durable import write_all
from svault.storage.filesystem.folder import segment_name

_MAGIC = b"SVAULT\x01\n"
_HEADER = struct.Struct("<8sI")
_CHECKSUM = struct.Struct("<I")
HEADER_SIZE = _HEADER.size + _CHECKSUM.size


def header(number: int) -> bytes:
    """The first bytes of a segment's file."""
    told = _HEADER.pack(_MAGIC, number)
    return told + _CHECKSUM.pack(zlib.crc32(told))


def create_segment(folder: Path, number: int) -> int:
    """Make a segment's file with its header and sync it; returns the handle. The caller syncs the folder. Raises OSError."""
    path = folder / segment_name(number)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        write_all(handle, header(number), 0)
        os.fsync(handle)
    except OSError:
        os.close(handle)
        path.unlink(missing_ok=True)
        raise
    return handle


class Segment:
    """An open file of the log. `length` counts the bytes that belong to the log. Handled by the event loop's thread only."""

    __slots__ = ("_can_probe", "_handle", "_is_retired", "_readers", "length", "number", "path")

    def __init__(self, folder: Path, number: int, length: int) -> None:
        """Raises OSError."""
        self.number = number
        self.path = folder / segment_name(number)
        self.length = length
        self._handle = os.open(self.path, os.O_RDONLY)
        self._readers = 0
        self._is_retired = False
        self._can_probe = hasattr(os, "RWF_NOWAIT")

    @property
    def handle(self) -> int:
        """The file's descriptor; between `hold` and `release` it stays open."""
        return self._handle

    def cached(self, offset: int, length: int) -> bytearray | bytes | None:
        """Bytes of the file when they are in memory, None when the disk must be waited for. May be short. Raises OSError."""
        if not self._can_probe:
            return os.pread(self._handle, length, offset)
        data = bytearray(length)
        try:
            count = os.preadv(self._handle, [data], offset, os.RWF_NOWAIT)
        except BlockingIOError:
            return None
        except OSError as error:
            if error.errno not in {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}:
                raise
            self._can_probe = False
            return os.pread(self._handle, length, offset)
        return data if count == length else None

    def hold(self) -> None:
        """Keep the descriptor while another thread reads from it."""
        self._readers += 1

    def release(self) -> None:
        """The other thread is done."""
        self._readers -= 1
        self._close_when_unused()

    def retire(self) -> None:
        """Nothing refers to this segment any more: close it once nobody reads it."""
        self._is_retired = True
        self._close_when_unused()

    def _close_when_unused(self) -> None:
        if self._is_retired and not self._readers and self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
