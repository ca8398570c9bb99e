"""One ASGI application for all of HTTP: MCP, REST and the server's own addresses behind the same guards."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from prov_server.compose import Application
from prov_server.http.answers import error_response
from prov_server.http.auth import Authenticator
from prov_server.http.errors import BadRequestError, MethodNotAllowedError
from prov_server.http.hosts import KnownHosts
from prov_server.http.observe import Observe
from prov_server.http.rest import Rest
from prov_server.http.security import Authenticate, BodyLimit, HostGuard
from prov_server.http.status import Status
from prov_server.mcp.server import ProvServer
from prov_server.redaction import clean_error
from prov_server.vault.mount import VaultMount
from stratumops.errors import NotFoundError, StratumError
from stratumops.redact import Redactor

MCP_PATH = "/mcp"
MAX_SESSIONS = 1_000
"""Open sessions of older MCP clients; one costs some 50 kB."""


def http_app(app: Application, mcp: ProvServer, *, auth: Authenticator | None) -> Starlette:
    """The ASGI application. `auth=None` lets everybody in as the principal `local`: only for loopback.

    Its lifespan runs the MCP sessions, so it can be started once. It does not close `app`: whoever made it does.
    Raises InvalidInputError when `server.allowed_hosts` holds what is no host.
    """
    server = app.settings.server
    mcp.serve_http()
    inner = mcp.streamable_http_app(
        streamable_http_path=MCP_PATH,
        stateless_http=server.stateless,
        max_request_body_size=server.max_request_bytes,
        max_sessions=MAX_SESSIONS,
        # HostGuard does this for every address, and knows the settings.
        transport_security=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        # Before any request: a toolset may be switched through REST while an MCP client has only said hello.
        await mcp.application()
        async with mcp.session_manager.run():
            yield

    whole = Starlette(
        routes=[*Status(app.ready, app.metrics).routes(), *Rest(app).routes(), *inner.routes],
        middleware=[
            Middleware(Observe, metrics=app.metrics),
            Middleware(HostGuard, hosts=KnownHosts(server.host, server.allowed_hosts)),
            # The vault has its own tokens, its own limits and its own shape of errors.
            Middleware(VaultMount, vault=app.vault),
            Middleware(Authenticate, authenticator=auth),
            Middleware(BodyLimit, max_bytes=server.max_request_bytes),
            Middleware(AuthContextMiddleware),
        ],
        exception_handlers={StratumError: partial(_answer, app.redactor), HTTPException: _answer_http},
        lifespan=lifespan,
    )
    # A redirect would name the host that the request named, and lose the body of a POST.
    whole.router.redirect_slashes = False
    return whole


async def _answer(redactor: Redactor, _: Request, error: Exception) -> Response:
    assert isinstance(error, StratumError)
    clean_error(redactor, error)
    return error_response(error)


async def _answer_http(request: Request, error: Exception) -> Response:
    """The framework's own refusals in our shape."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return error_response(
            NotFoundError("there is nothing at this address", hint="/api/v1/openapi.json lists all addresses; MCP is at /mcp")
        )
    if error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "")
        refusal = MethodNotAllowedError(f"this address does not take {request.method[:16]}", hint=f"it takes {allowed}")
        return error_response(refusal, error.headers)
    return error_response(BadRequestError(error.detail, hint="correct the request"), error.headers)
