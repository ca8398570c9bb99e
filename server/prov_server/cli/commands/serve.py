"""`prov serve`: MCP and REST over HTTP."""

import sys
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichOption

from prov_server.cli.groups import Command
from prov_server.cli.session import Session

if TYPE_CHECKING:
    from prov_server.http.serve import Announcement


def offer_options() -> list[click.Parameter]:
    """Which tools a server offers."""
    return [
        RichOption(["--toolsets"], metavar="NAMES", help='Toolsets to offer at first: names separated by commas, or "all"'),
        RichOption(["--read-only"], is_flag=True, default=None, help="Offer and run only tools that change nothing"),
    ]


def flags(*, toolsets: str | None, read_only: bool | None, **server: Any) -> dict[str, Any]:
    """What was given on the command line, as settings; what was not given is left to the file and the environment."""
    from prov_server.toolsets import offer_settings

    given = {key: value for key, value in server.items() if value is not None}
    return offer_settings(toolsets, read_only) | ({"server": given} if given else {})


def _run(host: str | None, port: int | None, no_auth: bool, toolsets: str | None, read_only: bool | None) -> None:
    from prov_server.http.serve import run_serve

    session = Session.current()
    settings = session.settings(is_server=True, **flags(toolsets=toolsets, read_only=read_only, host=host, port=port))

    def announce(listening: "Announcement") -> None:
        _announce(session, listening)

    run_serve(session.workspace, settings, no_auth=no_auth, announce=announce)


def _announce(session: Session, listening: "Announcement") -> None:
    """Say where the server listens. The token is shown once, by whoever starts the server for the first time."""
    if session.as_json:
        session.say_json(
            {"url": listening.url, "mcp_url": listening.mcp_url, "token_file": str(listening.token_file or "") or None}
        )
        sys.stdout.flush()
        return
    notes = session.notes
    for name, value in (("MCP", listening.mcp_url), ("REST", f"{listening.url}/api/v1"), ("health", f"{listening.url}/health")):
        notes.print(Text.assemble((f"{name:<7}", "quiet"), (value, "name")), soft_wrap=True)
    if listening.token:
        notes.print(Text.assemble(("token  ", "quiet"), (listening.token, "heading")), soft_wrap=True)
        notes.print(Text(f"It is shown this once, and kept in {listening.token_file}.", "quiet"), soft_wrap=True)
    elif listening.token_file:
        notes.print(Text.assemble(("token  ", "quiet"), f"in {listening.token_file}"), soft_wrap=True)
    else:
        notes.print(Text("no token is asked for: anybody on this machine may call it", "warning"), soft_wrap=True)
    notes.print("Ctrl-C ends it.", style="quiet")


serve = Command(
    "serve",
    callback=_run,
    params=[
        RichOption(["--host"], help="Address to listen on; any other than loopback needs TLS"),
        RichOption(["--port"], type=click.IntRange(0, 65535), help="TCP port; 0 takes a free one"),
        RichOption(["--no-auth"], is_flag=True, default=False, help="Ask for no token; on loopback only"),
        *offer_options(),
    ],
    help="Serve MCP (at /mcp) and REST (at /api/v1) over HTTP. A bearer token is made on the first start and shown once.",
    short_help="Serve MCP and REST over HTTP",
)
