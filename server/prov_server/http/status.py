"""Is it alive, can it work, what has it done: `/health`, `/ready` and `/metrics`.

`/health` and `/ready` are open: orchestrators and load balancers ask without a token, and learn yes or no. `/metrics` needs the
token (Prometheus: `authorization.credentials_file`), because it tells which tools are used, how often and how well.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from prov_server.http.answers import error_response, json_response
from prov_server.measure import Metrics
from stratumops import __version__
from stratumops.errors import StratumError

READY_SECONDS = 2.0
"""How long an answer of `/ready` is kept: asking often must not cost work, because anybody may ask."""


class Status:
    """The three addresses. `ready` raises StratumError while the application cannot do its main job."""

    def __init__(self, ready: Callable[[], Awaitable[None]], metrics: Metrics) -> None:
        self._is_ready = ready
        self._metrics = metrics
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self._reason: StratumError | None = None

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
        """200 when the application can do its main job, else 503 and why."""
        async with self._asking:
            if time.monotonic() - self._asked_at > READY_SECONDS:
                self._reason = await self._why_not()
                self._asked_at = time.monotonic()
        return json_response({"status": "ready"}) if self._reason is None else error_response(self._reason)

    async def metrics(self, _: Request) -> Response:
        """The counters, as Prometheus reads them."""
        return Response(self._metrics.render(), headers={"Content-Type": self._metrics.content_type})

    async def _why_not(self) -> StratumError | None:
        try:
            await self._is_ready()
        except StratumError as error:
            return error
        return None
