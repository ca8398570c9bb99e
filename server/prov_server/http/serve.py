"""`prov serve`: the HTTP server from the first check of the settings to the last worker's end."""

import asyncio
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog
import uvicorn

from prov_server import compose
from prov_server.compose import Application
from prov_server.http.app import MCP_PATH, http_app
from prov_server.http.auth import Authenticator, SharedToken, TokenFile
from prov_server.http.listen import BACKLOG, Listener, open_listener
from prov_server.http.protocol import BoundedProtocol
from prov_server.mcp import server as mcp_server
from prov_server.mcp.server import ProvServer
from prov_server.redaction import process_redactor
from prov_server.shutdown import end_threads
from prov_tools.context import Context
from prov_tools.registry import REGISTRY
from stratumops.errors import StratumError, UnavailableError
from stratumops.registry import Registry
from stratumops.settings import Settings
from stratumops.workspace import Workspace

log = structlog.get_logger(__name__)

GRACE_SECONDS = 3
"""How long running requests may go on after a signal; with the rest of the way down it stays under 5 s."""

MAX_HEADER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a person is told once the server listens. `token` is there on the first start only: show it, never log it."""

    url: str
    mcp_url: str
    token: str | None = field(repr=False)
    token_file: Path | None


def run_serve(
    workspace: Workspace,
    settings: Settings,
    *,
    no_auth: bool,
    announce: Callable[[Announcement], None],
    registry: Registry[Context] = REGISTRY,
) -> None:
    """Serve a workspace until SIGINT or SIGTERM.

    Raises InvalidInputError, PermissionDeniedError or UnavailableError when it cannot start: the rules about addresses, TLS
    files and the token file, a port that is taken. Nothing is listening then.
    """
    listener = open_listener(settings.server, root=workspace.root, no_auth=no_auth)
    try:
        auth: Authenticator | None = None
        token: str | None = None
        known = ""
        file: TokenFile | None = None
        if not no_auth:
            file = TokenFile.of(workspace)
            known, is_new = file.read_or_make(workspace)
            auth, token = SharedToken(known), known if is_new else None
        announcement = Announcement(listener.url, listener.url + MCP_PATH, token, file.path if file else None)
        redactor = process_redactor()
        if known:
            redactor.register(known)
        make = partial(compose.build, workspace, settings, registry=registry, redactor=redactor, shares_vault=True)
        asyncio.run(_serve_workspace(make, listener, auth, lambda: announce(announcement)))
    finally:
        listener.socket.close()


async def _serve_workspace(
    make: Callable[[], Application], listener: Listener, auth: Authenticator | None, on_ready: Callable[[], None]
) -> None:
    app = make()

    async def load() -> Application:
        return app

    await serve(app, mcp_server.build(load, face="mcp"), listener=listener, auth=auth, on_ready=on_ready)
    await end_threads(0)


async def serve(
    app: Application,
    mcp: ProvServer,
    *,
    listener: Listener,
    auth: Authenticator | None,
    on_ready: Callable[[], None],
) -> None:
    """Serve an application on a listener until a signal, then close both. `on_ready` runs once requests are answered.

    Cancelling is a signal too. Raises UnavailableError when the server does not start.
    """
    config = uvicorn.Config(
        http_app(app, mcp, auth=auth),
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_context_factory=_always(listener.tls) if listener.tls else None,
    )
    server = Server(config, on_ready)
    try:
        await _warm(app)
        serving = asyncio.create_task(server.serve(sockets=[listener.socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise
    finally:
        await app.aclose()


def _always(context: ssl.SSLContext) -> Callable[[uvicorn.Config, Callable[[], ssl.SSLContext]], ssl.SSLContext]:
    return lambda _config, _default: context


async def _warm(app: Application) -> None:
    try:
        await app.nickel.warm()
        await app.engine.recover()
    except StratumError as error:
        # `/ready` and every call that needs them say the same.
        log.warning("workers_do_not_start", reason=error.message)


class Server(uvicorn.Server):
    """uvicorn's server that tells when it is ready and returns after a signal instead of dying of it."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell. Raises UnavailableError."""
        try:
            await super().startup(sockets)
        except SystemExit:
            # uvicorn's way to say that the application's start failed; it has logged why.
            raise UnavailableError("the HTTP server did not start", hint="the log above says why") from None
        if self.started:
            self._on_ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The first signal asks for an end, a second SIGINT for an end at once.

        uvicorn would raise the signal again afterwards; ours is a clean end with exit code 0, as service managers expect.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {one: signal.signal(one, self.handle_exit) for one in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
