"""The leader's lock: one row with a fencing token, which runs out by the database's clock."""

import asyncio
from collections.abc import Callable
from typing import Any, LiteralString

from svault.errors import StorageError
from svault.storage.postgresql.connections import Connections

POLL = 0.2
"""Seconds between two looks of a server that waits."""

# Waits until no commit of the present leader is under way: a commit that starts later sees the new token and fails.
LOCK = "SELECT pg_advisory_xact_lock({space}, {leader})"

ACQUIRE = """
INSERT INTO {leaders} AS l (token, address, expires)
VALUES (nextval({versions_text}), %(address)s, clock_timestamp() + make_interval(secs => %(lease)s))
ON CONFLICT (one) DO UPDATE SET token = excluded.token, address = excluded.address, expires = excluded.expires
WHERE l.expires <= clock_timestamp()
RETURNING token
"""

# A leader that was stopped in the middle of sending a commit holds its locks for as long as it stands still: when its lease has
# run out, the database ends those connections.
END_COMMITS = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND classid = {space} AND objid = {leader} AND objsubid = 2 AND mode = 'ShareLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND NOT EXISTS (SELECT FROM {leaders} WHERE expires > clock_timestamp())
"""

RENEW = "UPDATE {leaders} SET expires = clock_timestamp() + make_interval(secs => %s) WHERE token = %s"

# The row stays, with a token that nobody has: commits of who released it fail.
RELEASE = "UPDATE {leaders} SET expires = '-infinity', token = nextval({versions_text}) WHERE token = %s"

HOLDER = "SELECT address FROM {leaders} WHERE expires > clock_timestamp()"

IS_HELD = "SELECT EXISTS (SELECT FROM {leaders} WHERE expires > clock_timestamp())"


class PostgresqlLeaderLock:
    """A `leadership.LeaderLock`. `token` is what commits of this storage are fenced with: None before the first leadership."""

    def __init__(self, connections: Connections, sql: Callable[[LiteralString], bytes], *, lease: float) -> None:
        self._connections = connections
        self._sql = sql
        self._lease = lease
        self.token: int | None = None

    async def acquire(self, advertise: str) -> bool:
        """Take the lock when it is free or has run out. Raises StorageError."""
        async with self._connections.connection() as connection:
            # A look first: waiting servers do not hold up the leader's commits.
            if await (await connection.execute(self._sql(IS_HELD))).fetchone() == (True,):
                return False
        try:
            row = await self._take(advertise)
        except StorageError:
            async with self._connections.connection() as connection:
                await connection.execute(self._sql(END_COMMITS))
            raise
        if row is None:
            return False
        self.token = row[0]
        return True

    async def _take(self, advertise: str) -> Any:
        async with self._connections.connection() as connection:
            async with connection.pipeline():
                await connection.execute(self._sql(LOCK))
                values = {"address": advertise, "lease": self._lease}
                cursor = await connection.execute(self._sql(ACQUIRE), values)
            return await cursor.fetchone()

    async def renew(self) -> bool:
        """Start the lease anew; False when the lock is not ours. Raises StorageError."""
        return await self._changes_a_row(RENEW, [self._lease, self.token])

    async def release(self) -> None:
        """Give the lock back when it is ours. Raises StorageError."""
        await self._changes_a_row(RELEASE, [self.token])

    async def _changes_a_row(self, statement: LiteralString, values: list[Any]) -> bool:
        async with self._connections.connection() as connection:
            return (await connection.execute(self._sql(statement), values)).rowcount == 1

    async def holder(self) -> str | None:
        """The address of the holder. Raises StorageError."""
        async with self._connections.connection() as connection:
            row = await (await connection.execute(self._sql(HOLDER))).fetchone()
        return row[0] if row else None

    async def changed(self, limit: float) -> None:
        """Wait a moment: the lock is looked at often."""
        await asyncio.sleep(min(POLL, limit))
