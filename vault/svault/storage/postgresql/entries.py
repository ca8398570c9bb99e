"""The entries: one table, one statement a commit, and locks that put commits of the same key in order."""

import zlib
from collections.abc import Mapping, Sequence
from typing import LiteralString

from psycopg import sql

from svault.storage.base import CommitConflictError, Election, Entry, Write
from svault.storage.leadership import LEASE, LeasedElection
from svault.storage.postgresql.connections import Connections
from svault.storage.postgresql.leader import PostgresqlLeaderLock

STRIPES = 256
"""Commits of keys of the same stripe wait for each other; bounds the locks that one commit takes."""

LEADER = STRIPES
"""The lock that a commit of a leader shares, and that a change of the leader takes alone."""

EXISTS = "SELECT to_regnamespace({schema_text}) IS NOT NULL, to_regclass({entries_text}) IS NOT NULL"

# Only when it is missing: who may create tables in a schema need not be allowed to create schemas.
CREATE_SCHEMA = """
SELECT pg_advisory_xact_lock({space}, {leader});
CREATE SCHEMA IF NOT EXISTS {schema};
"""

# A sequence never returns a value twice, not even after a rollback or a crash: so versions of deleted keys are not reused.
CREATE = """
SELECT pg_advisory_xact_lock({space}, {leader});
CREATE TABLE IF NOT EXISTS {leaders} (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), token bigint NOT NULL, address text NOT NULL, expires timestamptz NOT NULL
);
CREATE SEQUENCE IF NOT EXISTS {versions};
CREATE TABLE IF NOT EXISTS {entries} (
    key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL, version bigint NOT NULL
);
ALTER TABLE {entries} ALTER COLUMN value SET STORAGE EXTERNAL; -- ciphertext does not compress
"""

GET = "SELECT value, version FROM {entries} WHERE key = %s"

LIST = """
SELECT DISTINCT CASE WHEN strpos(rest, '/') = 0 THEN rest ELSE left(rest, strpos(rest, '/')) END
FROM (
    SELECT substr(key, %(skip)s::int) AS rest FROM {entries}
    WHERE key >= %(start)s AND (%(end)s::text IS NULL OR key < %(end)s)
) AS under
"""

LOCK = """
SELECT CASE WHEN stripe = {leader}
    THEN pg_advisory_xact_lock_shared({space}, stripe) ELSE pg_advisory_xact_lock({space}, stripe) END
FROM unnest(%s::int[]) AS stripe
"""

COMMIT = """
WITH conflicts AS (
    SELECT e.key FROM unnest(%(expected)s::text[], %(versions)s::bigint[]) AS e (key, version)
    LEFT JOIN {entries} AS t ON t.key = e.key COLLATE "C" WHERE coalesce(t.version, 0) <> e.version
    UNION ALL
    SELECT '' WHERE %(token)s::bigint IS NOT NULL AND NOT EXISTS (SELECT FROM {leaders} WHERE token = %(token)s)
), put AS (
    INSERT INTO {entries} AS t (key, value, version)
    SELECT p.key, p.value, nextval({versions_text})
    FROM unnest(%(puts)s::text[], %(values)b::bytea[]) AS p (key, value) WHERE NOT EXISTS (SELECT FROM conflicts)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version
    RETURNING t.key, t.version
), gone AS (
    DELETE FROM {entries} WHERE key = ANY (%(deletes)s::text[]) AND NOT EXISTS (SELECT FROM conflicts)
)
SELECT key, version FROM put UNION ALL SELECT key, NULL FROM conflicts
"""


class PostgresqlStorage:
    """A `base.SharedStorage` in a PostgreSQL database.

    `url` is what libpq reads (`postgresql://user:password@host:port/database?sslmode=verify-full`). The table `table` of the
    schema `schema` is made when it is missing, with a sequence and a table for the leader beside it. `timeout` bounds every
    operation, `lease` the time after which another server takes over from a leader that died; both in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        schema: str = "public",
        table: str = "svault_entries",
        connections: int = 8,
        timeout: float = 5.0,
        lease: float = LEASE,
    ) -> None:
        self._connections = Connections(url, limit=connections, timeout=timeout)
        self._names = (schema, table)
        self._statements: dict[str, bytes] = {}
        self._space = zlib.crc32(f"{schema}.{table}".encode()) >> 1
        self._lock = PostgresqlLeaderLock(self._connections, self._sql, lease=lease)
        self._lease = lease

    def _sql(self, statement: LiteralString) -> bytes:
        """A statement of these modules with the names of this table in it."""
        if statement not in self._statements:
            self._statements[statement] = self._with_names(statement)
        return self._statements[statement]

    def _with_names(self, statement: LiteralString) -> bytes:
        schema, table = self._names

        def named(suffix: str) -> sql.Identifier:
            return sql.Identifier(schema, table + suffix)

        def as_text(suffix: str) -> sql.Literal:
            return sql.Literal(named(suffix).as_string())

        composed = sql.SQL(statement).format(
            schema=sql.Identifier(schema),
            schema_text=sql.Literal(sql.Identifier(schema).as_string()),
            entries=named(""),
            leaders=named("_leader"),
            versions=named("_version"),
            entries_text=as_text(""),
            versions_text=as_text("_version"),
            space=sql.Literal(self._space),
            leader=sql.Literal(LEADER),
        )
        return composed.as_bytes()

    async def open(self) -> None:
        """Connect, and make the table when it is missing. Raises StorageError."""
        await self._connections.open()
        async with self._connections.connection() as connection:
            found = await (await connection.execute(self._sql(EXISTS))).fetchone()
            has_schema, has_table = found or (False, False)
            if not has_schema:
                await connection.execute(self._sql(CREATE_SCHEMA))
            if not has_table:
                await connection.execute(self._sql(CREATE))

    async def aclose(self) -> None:
        """Close all connections."""
        await self._connections.aclose()

    async def get(self, key: str) -> Entry | None:
        """The entry of a key. Raises StorageError."""
        async with self._connections.connection() as connection:
            found = await (await connection.execute(self._sql(GET), [key], binary=True)).fetchone()
        return Entry(value=bytes(found[0]), version=found[1]) if found else None

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix, sorted by code points. Raises StorageError."""
        bounds = {"skip": len(prefix) + 1, "start": prefix, "end": prefix[:-1] + "0" if prefix else None}
        async with self._connections.connection() as connection:
            found = await (await connection.execute(self._sql(LIST), bounds)).fetchall()
        return sorted(name for (name,) in found)

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """Do all writes or none, in one round trip. Raises CommitConflictError, or StorageError.

        After a StorageError because the connection broke, the writes may have been done.
        """
        expected = dict(expect or {})
        final = {write.key: write.value for write in writes}
        stripes = sorted({zlib.crc32(key.encode()) % STRIPES for key in {*expected, *final}})
        token = self._lock.token
        puts = {key: value for key, value in final.items() if value is not None}
        values = {
            "expected": list(expected),
            "versions": list(expected.values()),
            "token": token,
            "puts": list(puts),
            "values": list(puts.values()),
            "deletes": [key for key, value in final.items() if value is None],
        }
        async with self._connections.connection() as connection:
            # In a pipeline, an autocommitting connection has one transaction up to the end of the pipeline. The second statement
            # sees what was committed before the first one got its locks: each statement has a snapshot of its own.
            async with connection.pipeline():
                await connection.execute(self._sql(LOCK), [[LEADER, *stripes] if token is not None else stripes])
                cursor = await connection.execute(self._sql(COMMIT), values)
            rows = await cursor.fetchall()
        for key, version in rows:
            if version is None:
                raise CommitConflictError(key or "the leader's lock")
        return dict(rows)

    def election(self) -> Election:
        """The election among the servers that use this table."""
        return LeasedElection(self._lock, lease=self._lease)
