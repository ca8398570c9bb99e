"""The outermost layer: counts and logs every request, gives every answer its headers, and lets no exception out."""

import asyncio
import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from prov_server.http.answers import error_response
from prov_server.mcp.caller import SCOPE_KEY
from prov_server.measure import Metrics
from stratumops.errors import InternalError, StratumError, UnavailableError
from stratumops.logging import describe

log = structlog.get_logger(__name__)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_GONE = 499
"""What is counted for a client that left before it was answered; nobody receives it (nginx's number)."""


class Observe:
    """Around everything else, so that refusals are counted too. Logs neither query strings nor headers nor bodies."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = CLIENT_GONE
        begun = is_open_stream = False

        async def watched(message: Message) -> None:
            nonlocal status, begun, is_open_stream
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                is_open_stream = _harden(message).get("content-type", "").startswith("text/event-stream")
            elif not message.get("more_body", False):
                is_open_stream = False
            await send(message)

        error: StratumError | None = None
        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            # Only the end of the server cancels a request's task, and the task ends here: an answer is better than a reset.
            error = UnavailableError("the server is shutting down", hint="try again when it is back")
        except Exception as defect:  # noqa: BLE001 - the last place before the connection would be cut
            where = {"route": _route(scope), "method": _method(scope)}
            log.error("http_request_failed", **where, **describe(defect))  # noqa: TRY400 - its text may quote what was sent
            error = InternalError("the request failed because of a defect of ours", hint="the server's log (stderr) says where")
        if error is not None and not begun:
            await error_response(error)(scope, receive, watched)
        if is_open_stream:
            # A stream of events has no last one; when the server ends, its answer ends like any other.
            await watched({"type": "http.response.body", "body": b""})
        seconds = time.perf_counter() - started
        self.metrics.observe_request(_route(scope), _method(scope), status)
        log.info(
            "http_request",
            method=_method(scope),
            route=_route(scope),
            status=status,
            milliseconds=round(seconds * 1000, 1),
            principal=getattr(scope.get(SCOPE_KEY), "subject", None),
        )


def _route(scope: Scope) -> str:
    """The route's pattern; one word for everything that matched none, so that a scanner cannot fill the metrics."""
    return getattr(scope.get("route"), "path", "(none)")


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else "(other)"


def _harden(message: Message) -> MutableHeaders:
    headers = MutableHeaders(raw=message["headers"])
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    caching = headers.get("cache-control", "")
    if "no-store" not in caching:
        headers["Cache-Control"] = f"{caching}, no-store" if caching else "no-store"
    message["headers"] = headers.raw
    return headers
