"""An address at which an application is answered; its certificates can be read anew while it listens."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import uvicorn

from svault.config.model import Address
from svault.errors import VaultError
from svault.http.protocol import PATIENCE, Patience, VaultProtocol
from svault.http.tls import TlsFiles

BACKLOG = 1024
MAX_CONNECTIONS = 4096
IDLE_SECONDS = 300
"""Vault's `http_idle_timeout`."""
GOODBYE_SECONDS = 1.0
"""For a client of TLS to say that it has heard that the connection ends; an idle one never does."""
GRACE_SECONDS = 10
"""For what is being answered when the server is told to stop."""


class ListenError(VaultError):
    """The address cannot be listened on."""

    code, http_status, exit_code = "vault_listen", 500, 1


def bound(address: Address) -> socket.socket:
    """A socket at the address. Raises ListenError when it is taken or not this machine's."""
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address.is_everywhere else 1)
        made.bind(place)
        made.settimeout(0)
    except OSError as error:
        made.close()
        hint = "another server may run there; see [server] address" if error.errno in {98, 48} else ""
        raise ListenError(f"cannot listen on {address}: {error.strerror}", hint=hint) from None
    return made


class Listener(uvicorn.Server):
    """Answers an application at a bound socket until `stop`."""

    def __init__(self, app: Any, place: socket.socket, tls: TlsFiles | None = None, *, patience: Patience = PATIENCE) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=VaultProtocol,
                ws="none",
                lifespan="off",
                interface="asgi3",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=MAX_CONNECTIONS,
                backlog=BACKLOG,
                timeout_keep_alive=IDLE_SECONDS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        self._place = place
        self._patience = patience
        self._tls = tls
        self._context = tls.context() if tls else None
        self._serving: asyncio.Task[None] | None = None
        self.is_ready = asyncio.Event()

    async def start(self) -> None:
        """Begin to answer; returns when clients can connect."""
        self._serving = asyncio.create_task(self.serve(), name="listener")
        ready = asyncio.create_task(self.is_ready.wait())
        await asyncio.wait((ready, self._serving), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if self._serving.done():
            await self._serving

    async def stop(self) -> None:
        """Answer what is under way, and end."""
        self.should_exit = True
        if self._serving is not None:
            await self._serving
        self._place.close()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Listen; uvicorn calls this."""
        self.servers = [await self._listening(self._context)]
        self.started = True
        self.is_ready.set()

    async def _listening(self, context: ssl.SSLContext | None) -> asyncio.Server:
        # Each generation has a duplicate of the socket: closing one leaves the queue of the others.
        made: asyncio.Server = await asyncio.get_running_loop().create_server(
            self._protocol,
            sock=self._place.dup(),
            ssl=context,
            backlog=BACKLOG,
            ssl_shutdown_timeout=GOODBYE_SECONDS if context else None,
        )
        return made

    def _protocol(self) -> asyncio.Protocol:
        return VaultProtocol(
            config=self.config,
            server_state=self.server_state,
            app_state={},
            _loop=asyncio.get_running_loop(),
            patience=self._patience,
        )

    async def serve_connection(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        """Answer at a connection that was accepted elsewhere. A client that does not come through TLS is let go."""
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._protocol, connection, ssl=context, ssl_shutdown_timeout=GOODBYE_SECONDS if context else None
            )
        except (OSError, TimeoutError):  # ssl's errors are OSErrors
            connection.close()

    async def reload(self) -> None:
        """Read the certificates anew, for connections from now on. Raises TlsError; then the old ones stay."""
        if self._tls is None or not self.started:
            return
        before = self.servers
        self.servers = [await self._listening(self._tls.context())]
        for server in before:
            server.close()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals belong to the process, not to one of its listeners."""
        yield
