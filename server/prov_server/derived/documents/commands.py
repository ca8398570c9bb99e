"""Commands of `prov` and `svault`, and the tools as an assistant calls them."""

from collections import defaultdict
from collections.abc import Iterator

import click

from prov_server.cli.root import build_root
from prov_server.derived.commands import section, walk
from prov_server.derived.documents.sheet import file_name, sheet
from prov_server.derived.tools import tool_section
from prov_tools.registry import REGISTRY
from svault.cli.root import root as vault_root
from svault.cli.session import AskingCommand


def pages() -> Iterator[tuple[str, str]]:
    """A page for every command of `prov`, every group of `svault`, every tool."""
    root = build_root()
    with click.Context(root, info_name="prov") as ctx:
        shared = {one.name or "" for one in root.get_params(ctx) if isinstance(one, click.Option)}
        for one in walk(root, ctx):
            words = one.command_path
            _, _, body = section(one, shared).partition("\n")
            yield (
                f"commands/prov/{file_name(words.removeprefix('prov'))}.md",
                sheet(
                    f"{words}: {_summary(one)}",
                    body,
                    source="the commands of `prov`",
                    service="stratumops",
                    tags=["command", *words.split()[:3]],
                ),
            )
    yield from _vault()
    for tool in REGISTRY:
        _, _, body = tool_section(tool).partition("\n")
        yield (
            f"tools/{file_name(tool.name)}.md",
            sheet(
                f"Tool {tool.name}: {tool.title[:1].lower()}{tool.title[1:]}",
                body,
                source="`prov_tools.registry`",
                service="stratumops",
                tags=["tool", "mcp", tool.toolset],
            ),
        )


def _vault() -> Iterator[tuple[str, str]]:
    with click.Context(vault_root, info_name="svault") as ctx:
        groups: dict[str, list[click.Context]] = defaultdict(list)
        for one in walk(vault_root, ctx):
            words = one.command_path.split()
            groups[words[1] if len(words) > 2 else ""].append(one)
        asked = {one.name or "" for one in AskingCommand("").params}
        for group, members in groups.items():
            sections = [section(one, asked | {"help"} if isinstance(one.command, AskingCommand) else {"help"}) for one in members]
            told = ", ".join(one.command_path.split()[-1] for one in members)
            yield (
                f"commands/svault/{group or 'svault'}.md",
                sheet(
                    f"svault {group}: {told}".replace("  ", " ").replace(" :", ":"),
                    *sections,
                    source="the commands of `svault`",
                    service="svault",
                    tags=["command", "svault", *([group] if group else [])],
                ),
            )


def _summary(ctx: click.Context) -> str:
    text = ctx.command.get_short_help_str(120).rstrip(".")
    return f"{text[:1].lower()}{text[1:]}"
