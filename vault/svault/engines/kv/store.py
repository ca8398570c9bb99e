"""The entries of KV version 2: `m/<path>` is a secret's metadata, `v/<path>/<number>` the value of a version.

Each change is one commit. A read of a value takes two entries. What version 1 kept (`s/<path>`) is taken over at the start.
"""

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

from svault.barrier.view import View, encoded
from svault.engines.kv.v1 import SECRETS
from svault.engines.kv.versions import COMMIT_LIMIT, KeyMetadata, KvConfig
from svault.engines.values import stored_value

CONFIG = "config"


class KvStore:
    """The secrets of one mount."""

    def __init__(self, view: View) -> None:
        self._view = view

    def lock(self, path: str) -> AbstractAsyncContextManager[None]:
        """Hold a secret: for whoever reads it, decides and writes it."""
        return self._view.lock("m/" + path)

    async def config(self) -> KvConfig:
        """The mount's rules."""
        return KvConfig(**(await self._view.read(CONFIG) or {}))

    async def write_config(self, config: KvConfig) -> None:
        """Replace the mount's rules."""
        await self._view.write(CONFIG, {name: getattr(config, name) for name in config.__slots__})

    async def metadata(self, path: str) -> KeyMetadata | None:
        """A secret's metadata, or None."""
        entry = await self._view.read("m/" + path)
        return None if entry is None else KeyMetadata(**entry)

    async def names(self, folder: str) -> list[str]:
        """The names directly under a folder."""
        return await self._view.list("m/" + folder)

    async def value(self, path: str, number: int) -> Any:
        """The value of a version that is not destroyed."""
        return await self._view.read(f"v/{path}/{number}")

    async def add(self, path: str, key: KeyMetadata, value: dict[str, Any], dropped: Iterable[str]) -> None:
        """Write the current version's value and the metadata, and remove the versions that are too many."""
        changes = _without(path, dropped)
        changes[f"v/{path}/{key.current}"] = stored_value(value)
        await self._view.commit({**changes, "m/" + path: encoded(key.entry())})

    async def update(self, path: str, key: KeyMetadata, destroyed: Iterable[str] = ()) -> None:
        """Write the metadata, and remove the values of versions that are destroyed."""
        await self._view.commit({**_without(path, destroyed), "m/" + path: encoded(key.entry())})

    async def remove(self, path: str, key: KeyMetadata) -> None:
        """Remove all of a secret. One with very many versions loses its oldest first, each commit in itself complete."""
        while len(key.versions) > COMMIT_LIMIT:
            await self.update(path, key, key.forget(COMMIT_LIMIT))
        await self._view.commit({**_without(path, key.versions), "m/" + path: None})

    async def take_over_version_1(self, now: float) -> None:
        """Turn what version 1 kept into first versions. A crash in between leaves the rest for the next start."""
        paths = [key.removeprefix(SECRETS) async for key in self._view.walk(SECRETS)]
        for start in range(0, len(paths), COMMIT_LIMIT // 4):
            changes: dict[str, bytes | None] = {}
            for path in paths[start : start + COMMIT_LIMIT // 4]:
                key = KeyMetadata(created=now, updated=now)
                key.add(now, KvConfig())
                changes |= {SECRETS + path: None, f"v/{path}/1": await self._view.get(SECRETS + path)}
                changes["m/" + path] = encoded(key.entry())
            await self._view.commit(changes)


def _without(path: str, numbers: Iterable[str]) -> dict[str, bytes | None]:
    return {f"v/{path}/{number}": None for number in numbers}
