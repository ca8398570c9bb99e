"""`kogral serve`: MCP at `/` and `/mcp`, `/health`; loopback as it is, another address only with a token."""

import hmac
import ipaddress
import os
import socket
from collections.abc import Callable, Mapping

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from kogral.knowledge import Knowledge
from kogral.mcp.server import build
from stratumops.errors import InvalidInputError, UnavailableError

TOKEN = "KOGRAL_TOKEN"  # noqa: S105 - the name of a variable
GRACE_SECONDS = 3


def app(knowledge: Knowledge, host: str, token: str) -> ASGIApp:
    """The application; with a `token` every request but `/health` must bear it."""
    made: Starlette = build(knowledge).streamable_http_app(streamable_http_path="/mcp", host=host)
    endpoint = next(route.endpoint for route in made.routes if isinstance(route, Route) and route.path == "/mcp")

    async def health(_request: Request) -> Response:
        from asyncio import to_thread  # noqa: PLC0415 - one line for one use

        nodes = await to_thread(lambda: len(knowledge.graph().nodes))
        return JSONResponse({"status": "ok", "nodes": nodes})

    made.router.routes += [Route("/", endpoint), Route("/health", health, methods=["GET"])]
    return _WithToken(made, token) if token else made


class _WithToken:
    def __init__(self, inner: ASGIApp, token: str) -> None:
        self._inner = inner
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ())) if scope["type"] == "http" else {}
        given = headers.get(b"authorization", b"")
        if scope["type"] == "http" and scope["path"] != "/health" and not hmac.compare_digest(given, self._wanted):
            refused = JSONResponse({"error": "a token is wanted"}, status_code=401, headers={"WWW-Authenticate": "Bearer"})
            await refused(scope, receive, send)
            return
        await self._inner(scope, receive, send)


def serve(
    knowledge: Knowledge, host: str, port: int, *, announce: Callable[[str], None], environment: Mapping[str, str] = os.environ
) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises InvalidInputError for an address that is not loopback without a token, UnavailableError when the port is taken.
    """
    token = environment.get(TOKEN, "")
    if not _is_loopback(host) and not token:
        raise InvalidInputError(f"{host} is not loopback", hint=f"set {TOKEN} to a long random text, or listen on 127.0.0.1")
    listener = _bound(host, port)
    shown = f"[{host}]" if ":" in host else host
    config = uvicorn.Config(
        app(knowledge, host, token), log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE_SECONDS, lifespan="on"
    )
    server = _Announcing(config, lambda: announce(f"http://{shown}:{listener.getsockname()[1]}"))
    try:
        server.run(sockets=[listener])
    finally:
        listener.close()


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where it listens once it does."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bound(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        made.listen(128)
    except OSError as error:
        raise UnavailableError(f"{host}:{port}: {error.strerror}", hint="choose another --port; 0 takes a free one") from None
    return made
