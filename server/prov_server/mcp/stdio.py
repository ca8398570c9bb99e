"""`prov mcp serve`: MCP over stdin and stdout, for a client that starts us as its child.

The application is made after `initialize` is answered: a client waits for that answer, and importing everything would double it.
That is also why a wrong `--toolsets` is found only then: it is said on stderr, and to every request that needs a tool.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcp.shared.exceptions import MCPError

from prov_server.mcp.server import ProvServer, build, once
from prov_server.shutdown import end_threads
from stratumops.errors import StratumError

if TYPE_CHECKING:
    from prov_server.compose import Application


INTERRUPTED = 130
"""The exit code after SIGINT, by the shells' convention."""

HEAD_START_SECONDS = 0.05
"""How long the first answer has the process to itself: importing competes with writing it."""


def _parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="prov mcp serve", description="Serve MCP over stdin and stdout.", allow_abbrev=False)
    parser.add_argument("--workspace", default=os.environ.get("PROV_WORKSPACE") or ".")
    parser.add_argument("--toolsets", default=None, help='what is offered at first: names separated by commas, or "all"')
    parser.add_argument("--read-only", action="store_true", default=None)
    parser.add_argument("--sandbox", action="store_true", help="make everything in a cloud on this machine")
    return parser.parse_args(argv)


def _make(options: argparse.Namespace) -> "Application":
    from prov_server import compose  # noqa: PLC0415 - the point of this module
    from prov_server.redaction import process_redactor  # noqa: PLC0415 - as above
    from prov_server.toolsets import offer_settings  # noqa: PLC0415 - as above
    from stratumops import logging, settings  # noqa: PLC0415 - as above
    from stratumops.workspace import Workspace  # noqa: PLC0415 - as above

    workspace = Workspace.at(options.workspace)
    flags = offer_settings(options.toolsets, options.read_only)
    if options.sandbox:
        flags["engine"] = {"provider": "sandbox"}
    loaded = settings.load(workspace.root, **flags)
    redactor = process_redactor()
    logging.configure(level=loaded.log.level, format=loaded.log.format, redactor=redactor)
    return compose.build(workspace, loaded, redactor=redactor, shares_vault=True)


async def serve(make: Callable[[], "Application"]) -> None:
    """Serve the application that `make` makes until the client closes stdin, and close it.

    Call it as all that an event loop does: when a call still runs in a thread, the process ends here.
    """
    made: list[Application] = []

    def make_once() -> "Application":
        app = make()
        made.append(app)
        return app

    server = build(once(make_once), face="mcp")
    warming = asyncio.create_task(_warm_up(server))
    code = INTERRUPTED
    try:
        await server.run_stdio_async()
        code = 0
    except* (BrokenPipeError, ConnectionResetError):
        # The client stopped reading. That is one of the ways in which it leaves, and no failure of ours.
        code = 0
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        for app in made:
            await app.aclose()
        await end_threads(code)


async def _warm_up(server: ProvServer) -> None:
    """Make the application while the client reads our first answer, so that its first tool call finds everything ready."""
    await server.greeted.wait()
    await asyncio.sleep(HEAD_START_SECONDS)
    try:
        app = await server.application()
        await app.nickel.warm()
        await app.engine.recover()
    except (MCPError, StratumError) as error:
        # The first request that needs the application says the same to the client.
        print(f"prov mcp serve: {error}", file=sys.stderr)  # noqa: T201 - there is no logger without settings


def main(argv: list[str]) -> None:
    """Serve until the client closes stdin."""
    options = _parse(argv)
    try:
        asyncio.run(serve(lambda: _make(options)))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
