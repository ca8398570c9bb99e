"""The keys of one mount: read once, kept in memory, written through."""

from collections import OrderedDict
from contextlib import AbstractAsyncContextManager

from svault.barrier.view import View
from svault.engines.transit.policies import Policy

FOLDER = "policy/"
DEFAULT_CACHE_SIZE = 4096


class Keyring:
    """Keys by name, the ones used last in memory (at most `cache_size`).

    Whoever changes a key holds `lock(name)`, reads it with `load` and writes it with `save` or `remove`.
    """

    def __init__(self, view: View) -> None:
        self._view = view
        self._cache: OrderedDict[str, Policy] = OrderedDict()
        self._cache_size = DEFAULT_CACHE_SIZE

    def resize(self, cache_size: int) -> None:
        """Keep at most so many keys in memory."""
        self._cache_size = cache_size
        while len(self._cache) > cache_size:
            self._cache.popitem(last=False)

    def forget(self) -> None:
        """Drop what is in memory."""
        self._cache.clear()

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Hold a key, so that nobody else changes it."""
        return self._view.lock(FOLDER + name)

    async def find(self, name: str) -> Policy | None:
        """A key, or None."""
        policy = self._cache.get(name)
        if policy is not None:
            self._cache.move_to_end(name)
            return policy
        async with self.lock(name):  # a reader of the old value must not store it behind a writer of the new one
            return await self.load(name)

    async def load(self, name: str) -> Policy | None:
        """A key, or None, for whoever holds its lock."""
        policy = await self.peek(name)
        if policy is not None:
            self._remember(policy)
        return policy

    async def peek(self, name: str) -> Policy | None:
        """A key, or None, without a place in memory for it: for whoever looks at all of them."""
        policy = self._cache.get(name)
        if policy is not None:
            return policy
        stored = await self._view.get(FOLDER + name)
        return None if stored is None else Policy.from_bytes(stored)

    async def save(self, policy: Policy) -> Policy:
        """Write a key whose lock is held."""
        self._cache.pop(policy.name, None)  # when the commit is interrupted, the next reader asks the storage
        await self._view.put(FOLDER + policy.name, policy.to_bytes())
        self._remember(policy)
        return policy

    async def remove(self, name: str) -> None:
        """Delete a key whose lock is held."""
        self._cache.pop(name, None)
        await self._view.delete(FOLDER + name)

    async def names(self) -> list[str]:
        """The names of all keys, sorted."""
        return await self._view.list(FOLDER)

    def _remember(self, policy: Policy) -> None:
        self._cache[policy.name] = policy
        self._cache.move_to_end(policy.name)
        if len(self._cache) > self._cache_size:
            self._cache.popitem(last=False)
