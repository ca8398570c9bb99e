"""The entries: a record each, whose id is the key; a commit is one transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from surrealdb import RecordID
from surrealdb.data.types.range import BoundExcluded, BoundIncluded, Range

from svault.storage.base import CommitConflictError, Entry, Write
from svault.storage.surrealdb.connection import Connection

PAGE = 1000
"""Keys asked for at a time by a list."""

LAST = "\U0010ffff"
"""Behind every key: the last code point, which is not printable."""

CREATE = """
DEFINE TABLE IF NOT EXISTS entry SCHEMALESS;
DEFINE TABLE IF NOT EXISTS sequence SCHEMALESS;
"""

GET = "SELECT ciphertext, version FROM ONLY $entry"

LIST = "SELECT VALUE record::id(id) FROM $range LIMIT $page"

# The sequence only grows: versions of deleted keys are not reused.
COMMIT = """
BEGIN;
LET $conflicts = (SELECT VALUE number FROM $expected WHERE (entry.version ?? 0) != version);
IF array::len($conflicts) = 0 {
    LET $version = (UPSERT ONLY sequence:one SET last += 1).last;
    FOR $put IN $puts { UPSERT $put.entry SET ciphertext = $put.ciphertext, version = $version; };
    FOR $entry IN $deletes { DELETE $entry; };
};
RETURN { conflicts: $conflicts, version: sequence:one.last };
COMMIT;
"""


class SurrealStorage:
    """A `base.Storage` in SurrealDB, for one vault server at a time.

    `url` is `surrealkv://PATH` or `file://PATH` (embedded, in files that this process locks), `mem://` (embedded, gone with the
    process), or a server: `ws://HOST:PORT` or `wss://HOST:PORT` (`http` and `https` mean the same). A server takes `username` and
    `password` of a user that is defined on `user_level`: `root`, `namespace` or `database`. `timeout` bounds every operation on a
    server, in seconds. A server must be told to flush each commit to the disk (`SURREAL_SYNC_DATA=true`); ours is.

    Commits are done one after the other. SurrealDB 2.3 on SurrealKV lets two transactions that overlap both succeed and loses one
    of them: that is why several servers cannot share it, and why there is no election. When its log is damaged, SurrealKV cuts it
    off there as it opens, and goes on without what came after: keep copies, or use another backend.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str = "svault",
        database: str = "svault",
        username: str = "",
        password: str = "",
        user_level: str = "root",
        timeout: float = 10.0,
    ) -> None:
        self._connection = Connection(
            url,
            namespace=namespace,
            database=database,
            username=username,
            password=password,
            user_level=user_level,
            timeout=timeout,
        )
        self._committing = asyncio.Lock()

    async def open(self) -> None:
        """Connect, and make the tables when they are missing. Raises StorageError, also when another process has the files."""
        await self._connection.open()
        try:
            await self._connection.ask(CREATE, {})
        except BaseException:
            await self._connection.aclose()
            raise

    async def aclose(self) -> None:
        """Close the connection and unlock the files."""
        await self._connection.aclose()

    async def get(self, key: str) -> Entry | None:
        """The entry of a key. Raises StorageError."""
        found = await self._connection.ask(GET, {"entry": _entry(key)})
        return Entry(value=found["ciphertext"], version=found["version"]) if found else None

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix, sorted by code points. Raises StorageError."""
        start, names = prefix, set[str]()
        end = _behind(prefix) if prefix else LAST
        while True:
            bounds = RecordID("entry", Range(BoundIncluded(start), BoundExcluded(end)))
            keys = await self._connection.ask(LIST, {"range": bounds, "page": PAGE})
            for key in keys:
                name, slash, _ = key[len(prefix) :].partition("/")
                names.add(name + slash)
            if len(keys) < PAGE:
                return sorted(names)
            # What is left of a folder adds no name: the next page starts behind it.
            name, slash, _ = keys[-1][len(prefix) :].partition("/")
            start = _behind(prefix + name + slash) if slash else prefix + name + "\0"

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """Do all writes or none in one transaction. Raises CommitConflictError, or StorageError.

        After a StorageError because the connection broke, the writes may have been done.
        """
        expected = list((expect or {}).items())
        final = {write.key: write.value for write in writes}
        puts = {key: value for key, value in final.items() if value is not None}
        values: dict[str, Any] = {
            "expected": [
                {"number": number, "entry": _entry(key), "version": version} for number, (key, version) in enumerate(expected)
            ],
            "puts": [{"entry": _entry(key), "ciphertext": value} for key, value in puts.items()],
            "deletes": [_entry(key) for key, value in final.items() if value is None],
        }
        # A caller that gives up does not end the transaction: the next one still waits for it.
        answer = await asyncio.shield(self._commit_alone(values))
        if answer["conflicts"]:
            raise CommitConflictError(expected[answer["conflicts"][0]][0])
        version: int = answer["version"]
        return dict.fromkeys(puts, version)

    async def _commit_alone(self, values: dict[str, Any]) -> Any:
        async with self._committing:
            return await self._connection.ask(COMMIT, values)


def _entry(key: str) -> RecordID:
    return RecordID("entry", key)


def _behind(folder: str) -> str:
    """The first key behind all keys of a folder; `0` follows `/`."""
    return folder[:-1] + "0"
