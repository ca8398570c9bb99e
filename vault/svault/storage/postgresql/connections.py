"""Connections to one PostgreSQL database: kept for the next use, replaced when they break, never waited for without end."""

import asyncio
import contextlib
import select
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from svault.errors import StorageError


def _break(connection: AsyncConnection[TupleRow]) -> None:
    """Shut the connection's socket: whoever waits for an answer that does not come gets an error now."""
    with contextlib.suppress(OSError, psycopg.Error), socket.socket(fileno=connection.fileno()) as wire:
        try:
            wire.shutdown(socket.SHUT_RDWR)
        finally:
            wire.detach()  # the connection owns and closes it


def _is_alive(connection: AsyncConnection[TupleRow]) -> bool:
    """Whether an idle connection can be used: a server sends nothing to it, so what can be read is its end."""
    if connection.closed or connection.broken:
        return False
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return not poll.poll(0)


class Connections:
    """A pool of at most `limit` connections, made when they are needed. Belongs to one event loop.

    Unlike `psycopg_pool` it connects in the request that needs a connection: a database that is away, or refuses the password,
    is told at once and in its own words, and one that is back is used at once. All errors of psycopg leave it as StorageError;
    none holds the password. `timeout` bounds, in seconds, making a connection and each use of one.
    """

    def __init__(self, url: str, *, limit: int, timeout: float) -> None:
        self._timeout = timeout
        self._options = self._parse(url)
        host, port = self._options.get("host", "localhost"), self._options.get("port", "5432")
        self.name = f"the PostgreSQL server {host}:{port}"
        self._idle: list[AsyncConnection[TupleRow]] = []
        self._free = asyncio.Semaphore(limit)
        self._is_open = False

    def _parse(self, url: str) -> dict[str, Any]:
        try:
            given = conninfo_to_dict(url)
        except psycopg.Error:
            # Its message repeats parts of the address, which may be the password.
            given = {"host": "@"}
        if "@" in str(given.get("host", "")):  # what libpq takes for a host may be the end of a password with an @
            raise StorageError("the address of the PostgreSQL storage cannot be read as a libpq URL")
        seconds = max(2, round(self._timeout))
        bounds = f"-c statement_timeout={seconds}s -c idle_in_transaction_session_timeout={seconds}s"
        return {
            "application_name": "svault",
            "connect_timeout": seconds,
            "tcp_user_timeout": seconds * 1000,
            **given,
            "options": f"{given.get('options') or ''} {bounds}".strip(),
        }

    async def open(self) -> None:
        """Make the first connection, which shows that the database is there. Raises StorageError."""
        self._is_open = True
        async with self.connection():
            pass

    async def aclose(self) -> None:
        """Close all connections; those that are lent are closed when they come back."""
        self._is_open = False
        while self._idle:
            await self._idle.pop().close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """Lend an autocommitting connection. Raises StorageError, also for every error of psycopg inside."""
        if not self._is_open:
            raise StorageError("the PostgreSQL storage is not open")
        try:
            async with asyncio.timeout(self._timeout):
                await self._free.acquire()
        except TimeoutError:
            raise StorageError(f"{self.name}: all connections were busy for {self._timeout:g} seconds") from None
        try:
            with self._translated():
                connection = await self._take()
                timer = asyncio.get_running_loop().call_later(self._timeout + 1, _break, connection)
                try:
                    yield connection
                finally:
                    timer.cancel()
                    await self._give_back(connection)
        finally:
            self._free.release()

    async def _take(self) -> AsyncConnection[TupleRow]:
        while self._idle:
            connection = self._idle.pop()
            if _is_alive(connection):
                return connection
            await connection.close()
        return await psycopg.AsyncConnection.connect(**self._options, autocommit=True)

    async def _give_back(self, connection: AsyncConnection[TupleRow]) -> None:
        if self._is_open and connection.info.transaction_status == TransactionStatus.IDLE:
            self._idle.append(connection)
        else:
            await connection.close()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            # What follows the first sentence (DETAIL, CONTEXT) can repeat what was sent.
            reason = error.diag.message_primary or " ".join(str(error).split()) or type(error).__name__
            raise StorageError(f"{self.name}: {reason}") from error
