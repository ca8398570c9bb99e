"""A real client's first minute with our server: start it, say hello, list the tools."""

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stratumops.errors import UnavailableError

LIMIT_SECONDS = 30.0
_SHOWN_ERROR = 300


@dataclass(frozen=True, slots=True)
class Handshake:
    """What the server answered. Seconds count from the start of the process."""

    protocol: str
    server: str
    version: str
    tools: tuple[str, ...]
    initialize_seconds: float
    tools_seconds: float


@contextmanager
def _quiet(name: str) -> Iterator[None]:
    """Keep a logger still: a program that is no server makes the SDK log a traceback for every line."""
    logger = logging.getLogger(name)
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before


async def handshake(command: str, args: Sequence[str], *, folder: Path, limit: float = LIMIT_SECONDS) -> Handshake:
    """Start `command args` in `folder`, initialize over stdio, list the tools and end it.

    Raises UnavailableError with the end of what the server wrote to standard error.
    """
    # Only here: the SDK takes most of a second to import, and nothing else of this package needs it.
    from mcp import Client, StdioServerParameters  # noqa: PLC0415 - see above
    from mcp.client.stdio import stdio_client  # noqa: PLC0415 - see above
    from mcp.shared.exceptions import MCPError  # noqa: PLC0415 - see above

    parameters = StdioServerParameters(command=command, args=list(args), env=dict(os.environ), cwd=folder)
    # `initialize` is what every client of today sends first; the newest protocol, which has none, would start as well.
    with _quiet("mcp.client.stdio"), tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log:
        try:
            started = time.perf_counter()
            async with asyncio.timeout(limit), Client(stdio_client(parameters, errlog=log), mode="legacy") as client:
                initialized = time.perf_counter()
                names = [tool.name for tool in (await client.list_tools()).tools]
                listed = time.perf_counter()
                info = client.server_info
                return Handshake(
                    protocol=str(client.protocol_version),
                    server=info.name if info else "",
                    version=info.version if info else "",
                    tools=tuple(names),
                    initialize_seconds=initialized - started,
                    tools_seconds=listed - started,
                )
        except TimeoutError:
            reason = f"no answer within {limit:g} seconds"
        except (MCPError, OSError) as error:
            reason = str(error)
        except ExceptionGroup as error:
            # The SDK's task groups wrap what went wrong; anything but a broken connection is a defect.
            wrong = error.subgroup(lambda one: not isinstance(one, (MCPError, OSError, TimeoutError, ExceptionGroup)))
            if wrong is not None:
                raise
            first: Exception = error
            while isinstance(first, ExceptionGroup):
                first = first.exceptions[0]
            reason = str(first) or type(first).__name__
        log.seek(0)
        said = " ".join(log.read().split())[-_SHOWN_ERROR:]
    raise UnavailableError(
        f"the server did not answer: {reason}" + (f"; it said: {said}" if said else ""),
        hint=f"run it by hand: {command} {' '.join(args)}",
    )
