"""Counts and times every MCP message, whatever it asks for: tools, resources, prompts, completions."""

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.shared.exceptions import MCPError
from mcp_types.methods import SPEC_CLIENT_METHODS, SPEC_CLIENT_NOTIFICATION_METHODS

if TYPE_CHECKING:
    # Imported with the application, after the handshake is answered.
    from prov_server.measure import Metrics

METHODS = SPEC_CLIENT_METHODS | SPEC_CLIENT_NOTIFICATION_METHODS | {"tasks/get", "tasks/update", "tasks/cancel"}
OTHER = "(other)"
MOST_KEPT = 100


class Watch:
    """A middleware of the MCP server. What comes before the counters are there (the handshake) is kept and counted then."""

    def __init__(self) -> None:
        self._metrics: Metrics | None = None
        self._kept: deque[tuple[str, str, float]] = deque(maxlen=MOST_KEPT)

    def count_in(self, metrics: "Metrics") -> None:
        """Count in these from now on."""
        self._metrics = metrics
        while self._kept:
            metrics.observe_message(*self._kept.popleft())

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """Pass the message on and note what became of it."""
        started = time.perf_counter()
        outcome = "ok"
        try:
            result = await call_next(ctx)
            if isinstance(result, dict) and result.get("isError"):
                outcome = "refused"
        except MCPError as error:
            outcome = _code(error)
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        except Exception:
            outcome = "internal"
            raise
        else:
            return result
        finally:
            self._note(ctx.method if ctx.method in METHODS else OTHER, outcome, time.perf_counter() - started)

    def _note(self, method: str, outcome: str, seconds: float) -> None:
        if self._metrics is None:
            self._kept.append((method, outcome, seconds))
        else:
            self._metrics.observe_message(method, outcome, seconds)


def _code(error: MCPError) -> str:
    """Our own code when the error is one of ours, else JSON-RPC's number."""
    data = error.data
    return str(data["code"]) if isinstance(data, dict) and "code" in data else str(error.code)
