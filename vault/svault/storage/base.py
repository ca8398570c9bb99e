"""What the barrier needs of a storage backend: entries with versions, lists, and atomic commits.

A backend sees ciphertext only. Keys are `/`-separated printable text, at most 1,024 bytes of UTF-8, without empty, `.` or `..`
segments; values are bytes up to 32 MiB. Every commit is durable before it returns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from svault.errors import VaultError

ABSENT = 0
"""The version of a key that has no entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A stored value. `version` grows with each write of the key and is never reused for another value of it."""

    value: bytes
    version: int


@dataclass(frozen=True, slots=True)
class Write:
    """One change of a commit: the key's new value, or None to delete it (deleting nothing is no error)."""

    key: str
    value: bytes | None


class CommitConflictError(VaultError):
    """A key's version is not the expected one, or this server is no longer the leader: nothing was written."""

    code, http_status, exit_code = "vault_commit_conflict", 503, 4

    def __init__(self, key: str) -> None:
        super().__init__(f"the entry {key!r} was changed by somebody else", hint="read it again and repeat", key=key)
        self.key = key


class Storage(Protocol):
    """A storage backend. Belongs to one event loop. `open` before anything else, `aclose` at the end.

    All methods raise StorageError (unreachable, full, read-only), DamagedStorageError (names what is damaged).
    """

    async def open(self) -> None:
        """Connect, lock and recover what a crash left. Raises StorageError when another process holds the lock."""
        ...

    async def aclose(self) -> None:
        """Release connections and locks; what was committed stays."""
        ...

    async def get(self, key: str) -> Entry | None:
        """The entry of a key, as of the last commit."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix (empty, or ending in `/`), sorted; folders end in `/`."""
        ...

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """Do all writes or none; returns the new versions of the keys that were put.

        `expect` gives versions that keys must still have (`ABSENT` for no entry), written or not. When another server has taken
        the leader's lock, nothing is written. Raises CommitConflictError.
        """
        ...


class Election(Protocol):
    """How servers that share a storage agree on the active one. A commit of a server that lost its lock fails."""

    async def campaign(self, advertise: str) -> None:
        """Wait until this server is the leader; `advertise` is the address that the others tell their clients."""
        ...

    async def lost(self) -> None:
        """Wait until the leadership is lost (the lease ran out, the connection broke for too long)."""
        ...

    async def leader(self) -> str | None:
        """The address that the present leader advertised, or None when there is none."""
        ...

    async def resign(self) -> None:
        """Give the leadership back at once, so that another server need not wait for the lease to run out."""
        ...


class SharedStorage(Storage, Protocol):
    """A storage that several servers may use at the same time."""

    def election(self) -> Election:
        """The election among the servers of this storage."""
        ...
