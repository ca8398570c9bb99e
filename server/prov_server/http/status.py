"""Is it alive, can it work, what has it done: `/health`, `/ready` and `/metrics`.

`/health` and `/ready` are open: orchestrators and load balancers ask without a token, and learn yes or no. `/metrics` needs the
token (Prometheus: `authorization.credentials_file`), because it tells which tools are used, how often and how well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from prov_server.http.answers import error_response, json_response
from prov_server.measure import Metrics
from stratumops import __version__
from stratumops.errors import StratumError, UnavailableError

log = structlog.get_logger(__name__)

READY_SECONDS = 2.0
"""How long an answer of `/ready` is kept: asking often must not cost work, because anybody may ask."""

_NOT_READY = UnavailableError("not ready", hint="the server's log (stderr) says why, and so does `prov mcp doctor`")


class Status:
    """The three addresses. `ready` raises StratumError while the application cannot do its main job."""

    def __init__(self, ready: Callable[[], Awaitable[None]], metrics: Metrics) -> None:
        self._is_ready = ready
        self._metrics = metrics
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._is_able = False

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route("/health", self.health, methods=["GET"]),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def health(self, _: Request) -> Response:
        """200 while the process answers at all."""
        return json_response({"status": "ok", "version": __version__})

    async def ready(self, _: Request) -> Response:
        """200 when the application can do its main job, else 503. Anybody may ask, so only the log says why."""
        async with self._asking:
            if time.monotonic() - self._asked_at > READY_SECONDS:
                self._is_able = await self._ask()
                self._asked_at = time.monotonic()
        return json_response({"status": "ready"}) if self._is_able else error_response(_NOT_READY)

    async def metrics(self, _: Request) -> Response:
        """The counters, as Prometheus reads them."""
        return Response(self._metrics.render(), headers={"Content-Type": self._metrics.content_type})

    async def _ask(self) -> bool:
        try:
            await self._is_ready()
        except StratumError as error:
            log.warning("not_ready", code=error.code, reason=error.message)
            return False
        return True
