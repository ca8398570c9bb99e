"""A part of the barrier under one prefix: all that an engine sees of the storage."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

from pydantic_core import from_json, to_json


class Encrypted(Protocol):
    """What a view needs of the barrier."""

    def get(self, key: str) -> Awaitable[bytes | None]:
        """The decrypted value."""
        ...

    def list(self, prefix: str) -> Awaitable[list[str]]:
        """The names directly under a prefix; folders end in `/`."""
        ...

    def commit(self, changes: Mapping[str, bytes | None]) -> Awaitable[None]:
        """Write all, or nothing."""
        ...


class KeyLocks:
    """An asyncio lock a key, kept only while somebody holds or waits for it."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, key: str) -> AsyncIterator[None]:
        """Wait until nobody else holds the key's lock."""
        lock, users = self._locks.get(key) or (asyncio.Lock(), 0)
        self._locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            _, users = self._locks[key]
            if users == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, users - 1)


class View:
    """Keys under a prefix. Values are bytes (`get`, `put`) or JSON (`read`, `write`); a commit of several is atomic and durable.

    All methods raise StorageError and DamagedStorageError; a sealed vault raises SealedError.
    """

    __slots__ = ("_barrier", "_locks", "prefix")

    def __init__(self, barrier: Encrypted, prefix: str, locks: KeyLocks | None = None) -> None:
        self._barrier = barrier
        self._locks = locks or KeyLocks()
        self.prefix = prefix

    def within(self, prefix: str) -> "View":
        """The part of this view under a further prefix (ending in `/`)."""
        return View(self._barrier, self.prefix + prefix, self._locks)

    def lock(self, key: str) -> AbstractAsyncContextManager[None]:
        """Hold a key of this view: for whoever reads it, decides and writes it. Not reentrant."""
        return self._locks.hold(self.prefix + key)

    async def get(self, key: str) -> bytes | None:
        """A value, or None."""
        return await self._barrier.get(self.prefix + key)

    async def read(self, key: str) -> Any:
        """A JSON value, or None."""
        value = await self._barrier.get(self.prefix + key)
        return None if value is None else decoded(value)

    async def put(self, key: str, value: bytes) -> None:
        """Write a value."""
        await self._barrier.commit({self.prefix + key: value})

    async def write(self, key: str, value: Any) -> None:
        """Write a JSON value."""
        await self.put(key, encoded(value))

    async def delete(self, key: str) -> None:
        """Remove a key; one that is not there is no error."""
        await self._barrier.commit({self.prefix + key: None})

    async def commit(self, changes: Mapping[str, bytes | None]) -> None:
        """Write (bytes) and delete (None) several keys at once: all or nothing."""
        await self._barrier.commit({self.prefix + key: value for key, value in changes.items()})

    async def list(self, prefix: str = "") -> list[str]:
        """The names directly under a prefix (empty, or ending in `/`), sorted; folders end in `/`."""
        return await self._barrier.list(self.prefix + prefix)

    async def walk(self, prefix: str = "") -> AsyncIterator[str]:
        """All keys under a prefix, depth first, relative to this view."""
        for name in await self.list(prefix):
            if name.endswith("/"):
                async for key in self.walk(prefix + name):
                    yield key
            else:
                yield prefix + name

    async def clear(self, prefix: str = "") -> None:
        """Remove every key under a prefix."""
        keys = [key async for key in self.walk(prefix)]
        for start in range(0, len(keys), 500):
            await self.commit(dict.fromkeys(keys[start : start + 500]))


def encoded(value: Any) -> bytes:
    """A JSON value as it is stored."""
    try:
        return to_json(value)
    except ValueError:  # nested too deeply for it, or text that is not Unicode: json says which
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def decoded(value: bytes) -> Any:
    """The inverse of `encoded`. Raises ValueError."""
    try:
        return from_json(value, cache_strings="none")  # a cache would keep values alive
    except ValueError:
        return json.loads(value)
