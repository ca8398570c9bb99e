"""Stores in folders, as the tests of the filesystem backend open, copy and break them."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from svault.storage.filesystem import FilesystemStorage


@asynccontextmanager
async def opened(folder: Path, **options: Any) -> AsyncIterator[FilesystemStorage]:
    """The store in a folder, closed afterwards."""
    storage = FilesystemStorage(folder, **options)
    await storage.open()
    try:
        yield storage
    finally:
        await storage.aclose()


def growing(folder: Path) -> Path:
    """The segment to which commits are appended."""
    return max(folder.glob("*.log"))


def overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


@contextmanager
def copied(folder: Path) -> Iterator[Path]:
    """A copy of a store, which may be broken."""
    copy = folder.with_name("copy")
    shutil.copytree(folder, copy)
    try:
        yield copy
    finally:
        shutil.rmtree(copy)


async def value(storage: FilesystemStorage, key: str) -> bytes | None:
    entry = await storage.get(key)
    return entry and entry.value


def flipped(data: bytes, place: int, bit: int) -> bytes:
    """The bytes with one bit turned."""
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
