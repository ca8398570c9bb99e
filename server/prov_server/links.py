"""The links of the chain that this part of the product needs. Later parts add theirs to `compose.build`."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import structlog

from prov_server.measure import Metrics
from prov_server.toolsets import ToolsetSwitches
from prov_tools.context import Context
from stratumops.errors import (
    InternalError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StratumError,
    UnavailableError,
)
from stratumops.middleware import Call, Proceed
from stratumops.tool import ToolOutput

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Observe:
    """Counts and times every call, logs failures, and turns a defect of ours into an `internal` error without its text."""

    metrics: Metrics

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        started = time.perf_counter()
        code = "ok"
        try:
            return await proceed(call)
        except StratumError as error:
            code = error.code
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            code = "cancelled"
            raise
        except Exception as error:
            code = InternalError.code
            # The arguments stay out of the log: they may hold what a person pasted by mistake.
            log.exception("tool_failed", tool=call.tool.name, face=call.face, error=type(error).__name__)
            raise InternalError(
                f"{call.tool.name} failed because of a defect of ours ({type(error).__name__})",
                hint="the server's log (stderr) has the details; please report it",
            ) from error
        finally:
            self.metrics.observe(call.tool.name, call.face, code, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Offered:
    """Refuses a tool that is not offered to the principal: switched off, or changing something in read-only mode."""

    switches: ToolsetSwitches

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        tool = call.tool
        if self.switches.read_only and not tool.read_only:
            raise PermissionDeniedError(
                f"{tool.name} changes something and the server is read-only", hint="a person can start it without read-only mode"
            )
        # The command line is a person's own; what a model is offered does not limit it.
        if call.face != "cli" and not self.switches.selection(call.principal).holds(tool):
            raise NotFoundError(
                f"{tool.name} belongs to the toolset {tool.toolset}, which is off",
                hint=f'call toolsets with action="enable", names=["{tool.toolset}"]',
            )
        return await proceed(call)


@dataclass(slots=True)
class Limit:
    """Bounds a call's arguments and time, and how many calls run at once."""

    max_argument_bytes: int
    max_concurrent_calls: int
    call_timeout_seconds: float
    _running: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._running = asyncio.Semaphore(self.max_concurrent_calls)

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        size = _size(call.arguments)
        if size > self.max_argument_bytes:
            raise InvalidInputError(
                f"the arguments of {call.tool.name} have {size:,} bytes; at most {self.max_argument_bytes:,} are taken",
                hint="put the text into a file in the workspace and pass its path",
            )
        async with self._running:
            try:
                async with asyncio.timeout(self.call_timeout_seconds):
                    return await proceed(call)
            except TimeoutError:
                raise UnavailableError(
                    f"{call.tool.name} took longer than {self.call_timeout_seconds:g} s and was stopped",
                    hint="ask for less at once, or raise limits.call_timeout_seconds",
                ) from None


def _size(arguments: dict[str, Any]) -> int:
    """Bytes of the arguments as JSON, nearly; long ASCII strings, which are most of it, are not copied for it."""
    total = 2
    for key, value in arguments.items():
        total += len(key) + 4
        try:
            total += _bytes(value) + 2 if isinstance(value, str) else len(json.dumps(value))
        except (TypeError, ValueError, RecursionError):
            raise InvalidInputError(f"{key}: not a JSON value") from None
    return total


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
