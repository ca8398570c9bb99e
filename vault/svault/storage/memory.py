"""Storage in this process's memory: for trying out and for tests. Nothing outlives the process."""

from collections.abc import Mapping, Sequence

from svault.errors import StorageError
from svault.storage.base import ABSENT, CommitConflictError, Entry, Write
from svault.storage.folders import Folders


class MemoryStorage:
    """Entries in a dictionary. After `aclose` they are gone."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._folders = Folders()
        self._commits = 0
        self._is_open = False

    async def open(self) -> None:
        """Begin with nothing."""
        self._is_open = True

    async def aclose(self) -> None:
        """Forget everything."""
        self._is_open = False
        self._entries.clear()
        self._folders = Folders()

    async def get(self, key: str) -> Entry | None:
        """The entry of a key, as of the last commit."""
        self._require_open()
        return self._entries.get(key)

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix (empty, or ending in `/`), sorted; folders end in `/`."""
        self._require_open()
        return self._folders.names(prefix)

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """Do all writes or none; returns the new versions. Raises CommitConflictError."""
        self._require_open()
        for key, version in (expect or {}).items():
            entry = self._entries.get(key)
            if version != (ABSENT if entry is None else entry.version):
                raise CommitConflictError(key)
        self._commits += 1
        versions: dict[str, int] = {}
        for write in writes:
            if write.value is None:
                versions.pop(write.key, None)
                if self._entries.pop(write.key, None) is not None:
                    self._folders.remove(write.key)
                continue
            if write.key not in self._entries:
                self._folders.add(write.key)
            self._entries[write.key] = Entry(write.value, self._commits)
            versions[write.key] = self._commits
        return versions

    def _require_open(self) -> None:
        if not self._is_open:
            raise StorageError("the storage is not open")
