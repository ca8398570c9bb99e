"""What a request passes before anything of ours looks at it: the right host, a known token, a bounded body."""

import asyncio
import re
from collections.abc import Iterable

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prov_server.http.answers import error_response
from prov_server.http.auth import Authenticator
from prov_server.http.errors import MisdirectedRequestError, RequestTimeoutError, RequestTooLargeError, UnauthenticatedError
from prov_server.http.hosts import KnownHosts
from prov_server.mcp.caller import SCOPE_KEY
from stratumops.errors import PermissionDeniedError, StratumError
from stratumops.principal import LOCAL, METRICS, TOOLS, Principal

OPEN_PATHS = frozenset({"/health", "/ready"})
"""For load balancers and orchestrators, which carry no token; the answers say nothing but whether to send work here."""

OPEN_PREFIX = "/.well-known/"
"""MCP clients look here for an OAuth server after a 401; what is not there must be 404 for them, not 401 again."""

BODY_SECONDS = 60.0

_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/=-]{1,4096}) *")


class HostGuard:
    """Refuses requests whose Host (421) or Origin (403) is not ours. There is no CORS: no other page may read an answer."""

    def __init__(self, app: ASGIApp, *, hosts: KnownHosts) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and (error := self._wrong(scope)) is not None:
            await error_response(error)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _wrong(self, scope: Scope) -> StratumError | None:
        headers = Headers(scope=scope)
        arrived_at, port = scope.get("server") or ("", None)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self.hosts.knows_host(hosts[0], scheme=scope["scheme"], arrived_at=arrived_at):
            return MisdirectedRequestError(
                "this server does not answer to the Host of this request",
                hint="use the address that it printed when it started, or add the name to server.allowed_hosts",
            )
        if not all(self.hosts.knows_origin(one, arrived_at=arrived_at, port=port) for one in headers.getlist("origin")):
            return PermissionDeniedError(
                "the page that sends this request is not from this server",
                hint="web pages of other origins may not use it; add the origin's host to server.allowed_hosts if it is yours",
            )
        return None


class Authenticate:
    """Puts the caller into the scope, or refuses: 401 without a known token, 403 when its scopes do not suffice."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator | None) -> None:
        self.app = app
        self.authenticator = authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its principal, or refuse it."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or scope["path"].startswith(OPEN_PREFIX):
            await self.app(scope, receive, send)
            return
        principal = LOCAL if self.authenticator is None else await self._principal(scope, self.authenticator)
        if principal is None:
            offered = "authorization" in Headers(scope=scope)
            challenge = 'Bearer realm="stratumops"' + (', error="invalid_token"' if offered else "")
            error = UnauthenticatedError(
                "the token is not known here" if offered else "this address needs a bearer token",
                hint="send `Authorization: Bearer TOKEN`; the token is in .prov/http-token of the served workspace",
            )
            await error_response(error, {"WWW-Authenticate": challenge})(scope, receive, send)
            return
        needed = METRICS if scope["path"] == "/metrics" else TOOLS
        if needed not in principal.scopes:
            refusal = PermissionDeniedError(
                f"this token's scopes do not hold {needed!r}", hint="use a token that was made for this"
            )
            challenge = f'Bearer realm="stratumops", error="insufficient_scope", scope="{needed}"'
            await error_response(refusal, {"WWW-Authenticate": challenge})(scope, receive, send)
            return
        scope[SCOPE_KEY] = principal
        # The SDK binds sessions and the state of questions to this user. It gets no token: nothing is to be passed on.
        scope["user"] = AuthenticatedUser(
            AccessToken(token="", client_id=principal.subject, subject=principal.subject, scopes=sorted(principal.scopes))
        )
        await self.app(scope, receive, send)

    @staticmethod
    async def _principal(scope: Scope, authenticator: Authenticator) -> Principal | None:
        sent = Headers(scope=scope).getlist("authorization")
        found = _BEARER.fullmatch(sent[0]) if len(sent) == 1 else None
        return await authenticator.verify(found[1]) if found else None


class BodyLimit:
    """Reads the whole body before the request goes on: at most `max_bytes` (413), within `BODY_SECONDS` (408)."""

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self.app = app
        self.max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body in one piece, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            self._check_declared(Headers(scope=scope).getlist("content-length"))
            async with asyncio.timeout(BODY_SECONDS):
                body = await self._read(receive)
        except RequestTooLargeError as error:
            await error_response(error)(scope, receive, send)
            return
        except TimeoutError:
            slow = RequestTimeoutError(f"the body did not arrive within {BODY_SECONDS:g} s", hint="send it again, faster")
            await error_response(slow, {"Connection": "close"})(scope, receive, send)
            return
        if body is None:
            return
        await self.app(scope, _replay(body, receive), send)

    def _check_declared(self, lengths: Iterable[str]) -> None:
        if any(length.isdecimal() and int(length[:20]) > self.max_bytes for length in lengths):
            raise self._too_large()

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or None when the client went away before it was whole."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > self.max_bytes:
                raise self._too_large()
            if not message.get("more_body", False):
                return bytes(body)

    def _too_large(self) -> RequestTooLargeError:
        return RequestTooLargeError(
            f"the request body is larger than {self.max_bytes:,} bytes",
            hint="put the text into a file in the workspace and pass its path, or raise server.max_request_bytes",
        )


def _replay(body: bytes, receive: Receive) -> Receive:
    unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return unread.pop() if unread else await receive()

    return replay
