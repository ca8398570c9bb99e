"""`prov mcp`: the server for assistants, and putting it into their clients."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from rich.text import Text
from rich_click import RichOption

from prov_server.cli.commands.doctor import doctor
from prov_server.cli.commands.serve import offer_options
from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from stratumops.errors import InvalidInputError

if TYPE_CHECKING:
    from prov_server.install import Change


class ClientName(click.ParamType[Any]):
    """The name of an MCP client; shells complete it."""

    name = "client"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002 - click's signature
        """Every client that begins so."""
        from click.shell_completion import CompletionItem

        from prov_server.install import clients

        return [CompletionItem(one.name, help=one.title) for one in clients() if one.name.startswith(incomplete)]


def _serve(toolsets: str | None, read_only: bool | None) -> None:
    from prov_server.mcp.stdio import main

    session = Session.current()
    words = ["--workspace", str(session.workspace.root)]
    if session.chosen.sandbox:
        words.append("--sandbox")
    if toolsets is not None:
        words += ["--toolsets", toolsets]
    if read_only:
        words.append("--read-only")
    main(words)


def _clients() -> None:
    from rich.table import Table

    from prov_server.install import clients, registered
    from stratumops.errors import StratumError

    session = Session.current()
    rows = []
    for one in clients():
        try:
            path, has_entry = str(one.config_path()), registered(one) is not None
        except StratumError as error:
            path, has_entry = error.message, False
        rows.append({"name": one.name, "title": one.title, "file": path, "installed": has_entry, "project": one.project})
    if session.as_json:
        session.say_json(rows)
        return
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("", "client", "is", "its file"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        mark = Text("✓", "good") if row["installed"] else Text("-", "quiet")
        table.add_row(mark, Text(str(row["name"]), "name"), str(row["title"]), Text(visible(str(row["file"])), "quiet"))
    session.out.print(table)


def _which() -> NoReturn:
    from prov_server.install import clients

    names = [one.name for one in clients()]
    raise InvalidInputError("which client?", hint=f"--client with one of: {', '.join(names)}", clients=names)


def _install(client: str | None, scope: Any, dry_run: bool) -> None:
    from prov_server.install import find_client, install, running_command, serve_arguments

    session = Session.current()
    found = find_client(client or _which())
    workspace: Path | None = session.workspace.root if found.starts_anywhere or session.chosen.workspace else None
    change = install(found, command=running_command(), args=serve_arguments(workspace), scope=scope, dry_run=dry_run)
    done = "would write" if dry_run else "wrote" if change.changed else "nothing to do:"
    _tell(session, change, done, then=found.after if change.changed and not dry_run else "", client=found.name)


def _uninstall(client: str | None, scope: Any, dry_run: bool) -> None:
    from prov_server.install import find_client, uninstall

    session = Session.current()
    found = find_client(client or _which())
    change = uninstall(found, scope=scope, dry_run=dry_run)
    done = ("would take it out of" if dry_run else "took it out of") if change.changed else "it is not in"
    _tell(session, change, done, then="", client=found.name)


def _tell(session: Session, change: "Change", done: str, *, then: str, client: str) -> None:
    if session.as_json:
        session.say_json(
            {
                "client": client,
                "file": str(change.path),
                "changed": change.changed,
                "backup": str(change.backup) if change.backup else None,
                "entry": change.entry,
            }
        )
        return
    session.out.print(Text.assemble((done, "good"), " ", visible(str(change.path))), soft_wrap=True)
    if change.entry:
        from prov_server.cli.views.generic import show_value

        show_value(session.notes, {"entry": change.entry})
    if change.backup:
        session.notes.print(Text(f"the old file is kept as {visible(str(change.backup))}"), soft_wrap=True)
    if then:
        session.notes.print(Text(then), soft_wrap=True)


def _tools() -> None:
    from rich.table import Table

    from prov_tools.registry import REGISTRY
    from stratumops.tool import EFFECTS

    session = Session.current()
    rows = [
        {
            "name": tool.name,
            "toolset": tool.toolset,
            "default": tool.default,
            "effect": tool.effect,
            "command": f"prov {tool.command}",
            "description": tool.description,
        }
        for tool in REGISTRY
    ]
    if session.as_json:
        session.say_json(rows)
        return
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("tool", "toolset", "effect", "for"):
        table.add_column(heading, overflow="fold", no_wrap=heading == "tool")
    for tool, row in zip(REGISTRY, rows, strict=True):
        effect = EFFECTS[tool.effect]
        table.add_row(Text(str(row["name"]), "name"), str(row["toolset"]), effect, str(row["description"]))
    session.out.print(table)


def _client_options() -> list[click.Parameter]:
    scopes = click.Choice(("user", "project"))
    return [
        RichOption(["--client"], type=ClientName(), help="Which client; `prov mcp clients` lists them"),
        RichOption(["--scope"], type=scopes, default="user", show_default=True, help="All of your projects, or this one"),
        RichOption(["--dry-run"], is_flag=True, default=False, help="Only say what would be done"),
    ]


def mcp_commands() -> list[click.Command]:
    """The commands of `prov mcp` that are for people; the tools join them."""
    return [
        Command("serve", callback=_serve, params=offer_options(), help="Serve MCP over stdin and stdout, as a client starts it."),
        Command("tools", callback=_tools, help="List the tools that an assistant may call."),
        Command("install", callback=_install, params=_client_options(), help="Put this server into a client's settings."),
        Command("uninstall", callback=_uninstall, params=_client_options(), help="Take this server out of a client's settings."),
        Command("clients", callback=_clients, help="List the clients that can be set up, and which are."),
        doctor,
    ]
