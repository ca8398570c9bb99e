"""Connections to one PostgreSQL, as an administrator, and what is done there.

Imports psycopg, so it is itself imported when the first connection is configured. Statements run in a transaction each list.
Source: PostgreSQL's manual (CREATE ROLE, ALTER ROLE, DROP ROLE, REVOKE, pg_shdepend).
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow

from svault.engines.database.failures import UnreachableError, raise_refused, raise_unreachable
from svault.engines.database.statements import filled
from svault.logical import Clock

Connection: TypeAlias = "psycopg.AsyncConnection[TupleRow]"

CONNECT_LIMIT = 5  # seconds
STATEMENT_LIMIT = 60  # seconds
_SESSION = b"SET standard_conforming_strings = on; SET client_encoding = 'UTF8'"
_EXISTS = "SELECT 1 FROM pg_roles WHERE rolname = %s"
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"
_SCHEMAS = """
    WITH privileges AS (
        SELECT classid, objid FROM pg_shdepend
        WHERE refclassid = 'pg_authid'::regclass AND deptype = 'a'
          AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = %s)
          AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
    SELECT n.nspname FROM privileges JOIN pg_class c ON classid = 'pg_class'::regclass AND objid = c.oid
        JOIN pg_namespace n ON n.oid = c.relnamespace
    UNION SELECT n.nspname FROM privileges JOIN pg_proc p ON classid = 'pg_proc'::regclass AND objid = p.oid
        JOIN pg_namespace n ON n.oid = p.pronamespace
    UNION SELECT n.nspname FROM privileges JOIN pg_namespace n ON classid = 'pg_namespace'::regclass AND objid = n.oid
"""


def check_conninfo(conninfo: str) -> bool:
    """Whether libpq can read a connection's address: a URL, or `key=value`s."""
    try:
        conninfo_to_dict(conninfo)
    except psycopg.Error:
        return False
    return True


class Postgresql:
    """A small pool of connections. `conninfos` are tried in turn when a password is refused: two while one is being rotated.

    Methods raise RefusedError (PostgreSQL said no; nothing has happened) and UnreachableError (it may have).
    """

    def __init__(self, conninfos: Sequence[str], clock: Clock, *, size: int, lifetime: int) -> None:
        self.conninfos = list(conninfos)
        self._clock = clock
        self._slots = asyncio.Semaphore(size)
        self._lifetime = lifetime
        self._idle: list[tuple[Connection, float]] = []
        self._is_closed = False
        # GRANTs on the same object at the same time fail in PostgreSQL ("tuple concurrently updated").
        self._one_change = asyncio.Lock()

    async def aclose(self) -> None:
        """Close what is idle, and what is in use as soon as it is given back."""
        self._is_closed = True
        while self._idle:
            await self._idle.pop()[0].close()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection that answers, outside of a transaction."""
        async with self._slots:
            connection, opened = await self._answering() or (await self._opened(), self._clock.monotonic())
            is_usable = False
            try:
                async with asyncio.timeout(STATEMENT_LIMIT):
                    yield connection
                is_usable = True
            except psycopg.Error as error:
                is_usable = not connection.broken
                raise_refused(error)
            except TimeoutError:
                raise UnreachableError(f"the database did not answer within {STATEMENT_LIMIT} seconds") from None
            finally:
                if is_usable and not self._is_closed and not connection.closed:
                    self._idle.append((connection, opened))
                else:
                    await connection.close()

    async def _answering(self) -> tuple[Connection, float] | None:
        while self._idle:
            connection, opened = self._idle.pop()
            try:
                if not self._lifetime or self._clock.monotonic() - opened < self._lifetime:
                    async with asyncio.timeout(CONNECT_LIMIT):
                        await connection.execute(b"SELECT 1")
                    return connection, opened
            except (psycopg.Error, TimeoutError):  # the server was restarted: the next one, or a new one
                pass
            await connection.close()
        return None

    async def _opened(self) -> Connection:
        return (await self._first_that_works())[1]

    async def _first_that_works(self) -> tuple[str, Connection]:
        tried: list[str] = []
        while True:
            # Read anew each time: a rotation may have begun while the old password was on its way.
            conninfo = next(conninfo for conninfo in self.conninfos if conninfo not in tried)
            tried.append(conninfo)
            try:
                return conninfo, await _connected(conninfo)
            except UnreachableError:
                if all(conninfo in tried for conninfo in self.conninfos):
                    raise

    async def check(self) -> None:
        """Connect and ask something."""
        async with self.connection():
            pass

    async def position_that_works(self) -> int:
        """Which of the addresses PostgreSQL lets in."""
        conninfo, connection = await self._first_that_works()
        await connection.close()
        return self.conninfos.index(conninfo)

    async def execute(self, statements: Sequence[str]) -> None:
        """Run statements in one transaction; each may itself be several, with `;` between them."""
        async with self._one_change, self.connection() as connection:
            await run(connection, statements)

    async def create(
        self, username: str, password: str, statements: Sequence[str], expiration: str, *, sends_verifier: bool
    ) -> None:
        """Make a user by a role's statements, which get the password itself or its SCRAM verifier."""
        async with self._one_change, self.connection() as connection:
            if sends_verifier:
                password = scram_verifier(connection, username, password)
            values = {"name": username, "username": username, "password": password, "expiration": expiration}
            async with connection.transaction():
                await connection.execute(_LOCK, (username,))
                await run(connection, filled(statements, values))

    async def set_password(self, username: str, password: str) -> None:
        """Give a user a password; only its SCRAM verifier is sent, so no log of the server can show it."""
        async with self.connection() as connection:
            verifier = scram_verifier(connection, username, password)
            await connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(username), sql.Literal(verifier)))

    async def extend(self, username: str, expiration: str) -> None:
        """Move the time after which a user's password is refused."""
        async with self.connection() as connection:
            moved = sql.SQL("ALTER ROLE {} VALID UNTIL {}").format(sql.Identifier(username), sql.Literal(expiration))
            await connection.execute(moved)

    async def revoke(self, username: str, statements: Sequence[str]) -> None:
        """Remove a user, by the statements when there are any; one who is not there is no error."""
        async with self._one_change, self.connection() as connection:
            # Waits for a creation that was cut off here, but goes on or is just being committed there.
            async with connection.transaction():
                await connection.execute(_LOCK, (username,))
            if await (await connection.execute(_EXISTS, (username,))).fetchone() is None:
                return
            if statements:
                await run(connection, statements)
            else:
                await _drop(connection, username)


async def _connected(conninfo: str) -> Connection:
    connection = None
    try:
        connection = await psycopg.AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=CONNECT_LIMIT)
        await connection.execute(_SESSION)
    except psycopg.Error as error:
        if connection is not None:
            await connection.close()
        raise_unreachable(error)
    return connection


async def run(connection: Connection, statements: Sequence[str]) -> None:
    """Run statements in one transaction."""
    async with connection.transaction():
        for statement in statements:
            await connection.execute(statement.encode())


def scram_verifier(connection: Connection, username: str, password: str) -> str:
    """What PostgreSQL keeps of a password: a salted hash (RFC 5802, RFC 7677)."""
    return connection.pgconn.encrypt_password(password.encode(), username.encode(), b"scram-sha-256").decode()


async def _drop(connection: Connection, username: str) -> None:
    """Lock a user out, end its sessions, take its privileges in this database and drop it."""
    user = sql.Identifier(username)
    await connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(user))
    with suppress(psycopg.errors.InsufficientPrivilege):  # then sessions that are open stay, with no privilege left
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", (username,))
    async with connection.transaction():
        schemas = [name for (name,) in await (await connection.execute(_SCHEMAS, (username,))).fetchall()]
        for schema in map(sql.Identifier, schemas):
            for kind in ("TABLES", "SEQUENCES", "ROUTINES"):
                revoke = "REVOKE ALL ON ALL " + kind + " IN SCHEMA {} FROM {}"
                await connection.execute(sql.SQL(revoke).format(schema, user))
            await connection.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(schema, user))
        database = sql.Identifier(connection.info.dbname)
        await connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM {}").format(database, user))
        await connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(user))
