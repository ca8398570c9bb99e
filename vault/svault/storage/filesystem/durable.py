"""Bytes that are written whole, and names that survive a power failure."""

import os
from pathlib import Path


def write_all(handle: int, data: bytes, offset: int) -> None:
    """Write bytes at a place, however many calls that takes. Raises OSError."""
    rest = memoryview(data)
    while rest:
        written = os.pwrite(handle, rest, offset)
        rest, offset = rest[written:], offset + written


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
