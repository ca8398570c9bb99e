"""What surrounds a tool call in this part of the product. Later parts add their links to `compose.build`."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakValueDictionary

import structlog

from prov_server.measure import Metrics
from prov_server.toolsets import ToolsetSwitches
from prov_tools.context import Context
from stratumops.errors import (
    BudgetExceededError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StratumError,
    UnavailableError,
)
from stratumops.logging import describe
from stratumops.middleware import Call, Face, Proceed
from stratumops.tool import ToolOutput

log = structlog.get_logger(__name__)

UNKNOWN = "unknown"
"""How a call is counted whose tool does not exist: its name is the caller's text, and labels must stay few."""

WAIT_SECONDS = 10.0
"""How long a call waits for one of its principal's slots."""


@dataclass(slots=True)
class Observed:
    """A call while it is watched; whoever finds its tool writes down the name."""

    tool: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Observe:
    """Counts and times every call, logs failures, and turns a defect of ours into an `internal` error without its text.

    It surrounds the whole chain and the search for the tool, so that a name which means nothing is counted too.
    """

    metrics: Metrics

    @contextmanager
    def watch(self, face: Face) -> Iterator[Observed]:
        """Around one call. Raises StratumError and nothing else (but cancellation)."""
        started = time.perf_counter()
        observed = Observed()
        code = "ok"
        try:
            yield observed
        except StratumError as error:
            code = error.code
            raise
        except (asyncio.CancelledError, KeyboardInterrupt):
            code = "cancelled"
            raise
        except Exception as error:
            code = InternalError.code
            # Neither the arguments nor the exception's text are logged: both may hold what a person pasted by mistake.
            log.error("tool_failed", tool=observed.tool, face=face, **describe(error))  # noqa: TRY400 - as the line above says
            raise InternalError(
                f"{observed.tool} failed because of a defect of ours ({type(error).__name__})",
                hint="the server's log (stderr) says where; please report it",
            ) from error
        finally:
            self.metrics.observe(observed.tool, face, code, time.perf_counter() - started)


@dataclass(frozen=True, slots=True)
class Offered:
    """Refuses a tool that is not offered to the principal: switched off, or changing something in read-only mode."""

    switches: ToolsetSwitches

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        tool = call.tool
        if self.switches.read_only and not tool.runs_in_read_only:
            raise PermissionDeniedError(
                f"{tool.name} changes something and the server is read-only", hint="a person can start it without read-only mode"
            )
        # The command line is a person's own; what a model is offered does not limit it.
        if call.face != "cli" and not self.switches.holds(call.principal, tool):
            raise NotFoundError(
                f"{tool.name} belongs to the toolset {tool.toolset}, which is off",
                hint=f'call toolsets with action="enable", names=["{tool.toolset}"]',
            )
        return await proceed(call)


@dataclass(frozen=True, slots=True)
class LimitSize:
    """Bounds a call's arguments, before anything looks into them."""

    max_argument_bytes: int

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        size = _size(call.arguments)
        if size > self.max_argument_bytes:
            raise InvalidInputError(
                f"the arguments of {call.tool.name} have {size:,} bytes; at most {self.max_argument_bytes:,} are taken",
                hint="put the text into a file in the workspace and pass its path",
            )
        return await proceed(call)


@dataclass(frozen=True, slots=True)
class Limit:
    """Bounds a call's time, and how many calls of one principal run at once; one more waits, but not for ever."""

    max_concurrent_calls: int
    call_timeout_seconds: float
    wait_seconds: float = WAIT_SECONDS
    # A semaphore lives as long as calls hold it, so that principals which come and go leave nothing behind.
    _slots: WeakValueDictionary[str, asyncio.Semaphore] = field(default_factory=WeakValueDictionary, init=False)

    async def __call__(self, call: Call[Context], proceed: Proceed[Context]) -> ToolOutput:
        slots = self._slots.setdefault(call.principal.subject, asyncio.Semaphore(self.max_concurrent_calls))
        await self._take(slots, call.tool.name)
        clock = asyncio.timeout(self.call_timeout_seconds)
        try:
            async with clock:
                return await proceed(call)
        except TimeoutError:
            if not clock.expired():
                raise  # the handler's own: a defect, and not for this link to explain
            raise UnavailableError(
                f"{call.tool.name} took longer than {self.call_timeout_seconds:g} s and was stopped",
                hint="ask for less at once, or raise limits.call_timeout_seconds",
            ) from None
        finally:
            slots.release()

    async def _take(self, slots: asyncio.Semaphore, tool: str) -> None:
        try:
            async with asyncio.timeout(self.wait_seconds):
                await slots.acquire()
        except TimeoutError:
            raise BudgetExceededError(
                f"{tool} was not started: {self.max_concurrent_calls} of your calls are running, and none ended "
                f"within {self.wait_seconds:g} s",
                hint="wait for their answers and call again, or raise limits.max_concurrent_calls",
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
