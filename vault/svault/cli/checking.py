"""Checks of what is on this machine, without a server: a configuration's storage and its audit files."""

from pathlib import Path

from svault.config.assembly import storage_of
from svault.config.loading import load
from svault.errors import DamagedStorageError
from svault.storage.base import Storage


async def read_all(path: Path) -> tuple[int, list[str]]:
    """How many entries the storage of a configuration has, and what is damaged. Raises ConfigError, StorageError."""
    storage = storage_of(load(path).settings)
    await storage.open()
    try:
        return await _walk(storage, "")
    finally:
        await storage.aclose()


async def _walk(storage: Storage, prefix: str) -> tuple[int, list[str]]:
    count, damaged = 0, []
    for name in await storage.list(prefix):
        if name.endswith("/"):
            more, worse = await _walk(storage, prefix + name)
            count += more
            damaged += worse
            continue
        count += 1
        try:
            await storage.get(prefix + name)
        except DamagedStorageError as error:
            damaged.append(error.message)
    return count, damaged
