"""`docs/reference/commands.md`, from the tree of commands of `prov`."""

from collections.abc import Iterator

import click

from prov_server.cli.root import build_root
from prov_server.derived.page import block, cell, code, page, table

INTRODUCTION = (
    "`prov COMMAND --help` shows the same in a terminal. Commands made from tools take what a tool needs by position and "
    "the rest as options; with `--json` they print the tool's own answer."
)


def commands_page() -> str:
    """Every command with its arguments and options."""
    root = build_root()
    with click.Context(root, info_name="prov") as ctx:
        found = list(walk(root, ctx))
        general = [one for one in root.get_params(ctx) if isinstance(one, click.Option)]
        shared = {one.name or "" for one in general}
        summary = [(code(one.command_path), cell(one.command.get_short_help_str(200))) for one in found]
        parts = [
            INTRODUCTION,
            table(("command", "what it does"), summary),
            "## Options of every command",
            table(("option", "meaning"), [option_row(one, ctx) for one in general]),
            *(section(one, shared) for one in found),
        ]
    return page("Commands", "the commands of `prov_server.cli`", *parts)


def walk(group: click.Group, ctx: click.Context) -> Iterator[click.Context]:
    """A context for every command below a group, in the order of the help; hidden ones are left out."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, info_name=name, parent=ctx)
        if isinstance(command, click.Group):
            yield from walk(command, below)
        else:
            yield below


def section(ctx: click.Context, shared: set[str]) -> str:
    """One command: how it is used, what it does, its arguments and those options that are not `shared` (by name)."""
    params = [one for one in ctx.command.get_params(ctx) if (one.name or "") not in shared and not getattr(one, "hidden", False)]
    arguments = [one for one in params if isinstance(one, click.Argument)]
    options = [one for one in params if isinstance(one, click.Option)]
    usage = " ".join(ctx.command.collect_usage_pieces(ctx))
    rows = [(code(one.make_metavar(ctx)), cell(getattr(one, "help", None) or "")) for one in arguments]
    rows += [option_row(one, ctx) for one in options]
    help_text = " ".join((ctx.command.help or "").split())
    parts = [f"## {ctx.command_path}", block("text", f"{ctx.command_path} {usage}".rstrip()), help_text]
    return "\n\n".join(part for part in (*parts, table(("argument or option", "meaning"), rows)) if part)


def option_row(option: click.Option, ctx: click.Context) -> tuple[str, str]:
    """An option as a row: its names with what they take, and its meaning."""
    record = option.get_help_record(ctx)
    names = record[0] if record else ", ".join((*option.opts, *option.secondary_opts))
    return code(names), cell(option.help or "")
