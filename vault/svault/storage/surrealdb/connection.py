"""One connection to SurrealDB: made anew when it breaks, with a time limit, and with errors that are ours."""

import asyncio
import fcntl
from pathlib import Path
from typing import IO, Any

import surrealdb

from svault.errors import StorageError

IN_FILES = {"surrealkv", "file"}
EMBEDDED = {"mem", *IN_FILES}
SERVER = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
"""A server answers both on one port; the library's own way over HTTP connects anew for each request."""

LEVELS = {"root": (), "namespace": ("namespace",), "database": ("namespace", "database")}
"""Where a user is defined, and what the sign-in names besides the user."""

RETRIABLE = "can be retried"
"""What SurrealDB 2 says of a transaction that it refused because of a concurrent one. It has no code for this."""


class Connection:
    """`ask` runs one statement list. Belongs to one event loop; requests may overlap.

    `timeout` bounds each request to a server, including a new connection and repetitions, in seconds.
    """

    def __init__(
        self, url: str, *, namespace: str, database: str, username: str, password: str, user_level: str, timeout: float
    ) -> None:
        scheme, separator, rest = url.partition("://")
        if scheme not in {*EMBEDDED, *SERVER} or not separator or (scheme in SERVER and "@" in rest):
            # An address with a user may hold a password: it is not repeated.
            schemes = ", ".join(f"{known}://" for known in sorted({*EMBEDDED, *SERVER}))
            raise StorageError(
                "the address of the SurrealDB storage cannot be used",
                hint=f"it starts with one of {schemes} and has no user in it: there are options for that",
            )
        if user_level not in LEVELS:
            raise StorageError(f"a SurrealDB user is defined on one of: {', '.join(LEVELS)}")
        self._is_embedded = scheme in EMBEDDED
        self._url = url if self._is_embedded else f"{SERVER[scheme]}://{rest}"
        self._name = f"SurrealDB ({self._url})"
        self._files = Path(rest.partition("?")[0]) if scheme in IN_FILES else None
        self._place = {"namespace": namespace, "database": database}
        self._user = {"username": username, "password": password} if username else {}
        self._user |= {name: self._place[name] for name in LEVELS[user_level]} if username else {}
        # What runs in this process is waited for, as a file is.
        self._timeout = None if self._is_embedded else timeout
        self._lock_file: IO[bytes] | None = None
        self._connecting = asyncio.Lock()
        self._client: Any = None
        self._is_open = False

    async def open(self) -> None:
        """Lock the files of an embedded database, and connect. Raises StorageError."""
        if self._files is not None:
            self._lock_file = self._locked(self._files)
        self._is_open = True
        try:
            await self.ask("RETURN 1", {})
        except BaseException:
            await self.aclose()
            raise

    def _locked(self, path: Path) -> IO[bytes]:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.with_name(f"{path.name}.lock").open("ab")
        except OSError as error:
            raise StorageError(f"the SurrealDB storage cannot use {path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StorageError(f"another process uses the SurrealDB files {path}") from error
        return file

    async def aclose(self) -> None:
        """Close the connection and give the lock of the files back."""
        self._is_open = False
        await self._drop(self._client)
        if self._lock_file is not None:
            self._lock_file.close()
            self._lock_file = None

    async def ask(self, statements: str, values: dict[str, Any]) -> Any:
        """The result of the last statement. A transaction that SurrealDB refuses because of a concurrent one is repeated.

        Raises StorageError. When the connection broke meanwhile, what was asked for may have been done.
        """
        if not self._is_open:
            raise StorageError("the SurrealDB storage is not open")
        try:
            async with asyncio.timeout(self._timeout):
                while True:
                    results = await self._results(statements, values)
                    problems = [str(result["result"]) for result in results if result["status"] != "OK"]
                    if not problems:
                        return results[-1]["result"]
                    if not any(RETRIABLE in problem for problem in problems):
                        raise StorageError(f"{self._name} refused the request: {problems[0]}")
        except TimeoutError:
            await self._drop(self._client)
            raise StorageError(f"{self._name} did not answer within {self._timeout:g} seconds") from None

    async def _results(self, statements: str, values: dict[str, Any]) -> list[dict[str, Any]]:
        """The results of all statements. What the server refused as a whole (a session that ended) is asked once more."""
        for is_last in (False, True):
            client = await self._connected()
            response = await self._guarded(client, client.query_raw(statements, values))
            if "error" not in response:
                results: list[dict[str, Any]] = response["result"]
                return results
            await self._drop_unless_embedded(client)
            if is_last:
                raise StorageError(f"{self._name} refused the request: {response['error'].get('message', 'it does not say why')}")
        raise AssertionError

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._client is None:
                client = await self._guarded(None, self._make())
                try:
                    await self._guarded(client, self._introduce(client))
                except BaseException:
                    await self._drop(client)
                    raise
                self._client = client
            return self._client

    async def _make(self) -> Any:
        client: Any = surrealdb.AsyncSurreal(self._url)
        await client.connect()
        return client

    async def _introduce(self, client: Any) -> None:
        if self._user and not self._is_embedded:
            await client.signin(dict(self._user))
        await client.use(self._place["namespace"], self._place["database"])

    async def _guarded(self, client: Any, request: Any) -> Any:
        """Await a request of the library: whatever it raises is a StorageError, and ends the connection to a server."""
        task = asyncio.current_task()
        try:
            return await request
        except asyncio.CancelledError:
            # The library cancels what waits for an answer when the connection ends; a caller that gives up is something else.
            if task is not None and task.cancelling():
                raise
            await self._drop_unless_embedded(client)
            raise StorageError(f"{self._name}: the connection ended before the answer") from None
        except Exception as error:
            await self._drop_unless_embedded(client)
            reason = " ".join(str(error).split()) or type(error).__name__
            raise StorageError(f"{self._name}: {reason}") from error

    async def _drop_unless_embedded(self, client: Any) -> None:
        if not self._is_embedded:
            await self._drop(client)

    async def _drop(self, client: Any) -> None:
        if client is not None:
            if client is self._client:
                self._client = None
            if not self._is_embedded and client.socket is not None:
                client.socket.transport.abort()  # a server that does not answer would not answer a farewell either
            await client.close()
