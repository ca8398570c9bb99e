"""The file `manifest`: which segments make up the store, oldest first. Replaced as a whole; what it does not name is left over.

Two lines of text: a JSON object and the CRC-32 of that line.
"""

import json
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from svault.errors import DamagedStorageError
from svault.storage.filesystem.durable import write_all

NAME = "manifest"
UNFINISHED = "manifest.new"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Manifest:
    """Sealed segments as `(number, bytes)`, the number of the one that grows, and a sequence that every later commit exceeds."""

    sealed: Sequence[tuple[int, int]]
    active: int
    sequence: int

    def encoded(self) -> bytes:
        """The file's bytes."""
        told = {"format": _FORMAT, "sealed": [list(row) for row in self.sealed], "active": self.active, "sequence": self.sequence}
        line = json.dumps(told).encode()
        return b"%s\n%08x\n" % (line, zlib.crc32(line))

    def write(self, folder: Path) -> None:
        """Replace the file in one step. The caller syncs the folder. Raises OSError, and then nothing was replaced."""
        path = folder / UNFINISHED
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                write_all(handle, self.encoded(), 0)
                os.fsync(handle)
            finally:
                os.close(handle)
            path.replace(folder / NAME)
        except OSError:
            path.unlink(missing_ok=True)
            raise


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest, or None when there is none. Raises DamagedStorageError, OSError."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        told = json.loads(data.split(b"\n", 1)[0])
        manifest = Manifest([(number, length) for number, length in told["sealed"]], told["active"], told["sequence"])
        is_whole = manifest.encoded() == data
    except (ValueError, TypeError, KeyError):
        is_whole, manifest = False, None
    if not is_whole:
        raise DamagedStorageError(f"{path}: the list of segments is damaged ({len(data)} bytes)", path=str(path))
    return manifest


def drop_unfinished(folder: Path) -> None:
    """Remove what a crash left of a manifest that was being written."""
    (folder / UNFINISHED).unlink(missing_ok=True)
