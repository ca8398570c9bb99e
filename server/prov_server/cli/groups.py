"""Commands and groups that take the global options, load the tools only when asked for them, and suggest the nearest name."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, NoReturn

import click
from rich_click import RichCommand, RichGroup
from rich_click.rich_panel import RichCommandPanel, RichOptionPanel

from prov_server.cli.options import PANEL, global_options
from stratumops.errors import InvalidInputError

Load = Callable[[], None]


OPTION_PANELS = ("Arguments", "Options", "Writing files", PANEL)
COMMAND_PANELS = (
    "Start here",
    "Configurations",
    "Before you apply",
    "Plan and apply",
    "What there is",
    "What is known",
    "Secrets",
    "Commands",
    "Assistants",
    "This workspace",
)
"""In which order help shows its parts; a toolset that is not named here comes last."""


def _panels(names: tuple[str, ...], kind: type[RichOptionPanel] | type[RichCommandPanel]) -> list[Any]:
    return [kind(name) for name in names]


def _with_summary(words: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a command with the first sentence of its help as the line that lists show."""
    text = words.get("help") or ""
    return {"short_help": text.split(". ")[0].rstrip("."), **words}


class Command(RichCommand):
    """A command with the global options."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("panels", _panels(OPTION_PANELS, RichOptionPanel))
        super().__init__(*args, **_with_summary(kwargs))
        self.params.extend(global_options())


class Group(RichGroup):
    """A group whose tools arrive on first use: `load` adds the commands made from the registry.

    `prov init` and the like never need the registry; a name that is not known yet, help and completion do.
    """

    command_class = Command

    def __init__(self, *args: Any, load: Load | None = None, root: bool = False, **kwargs: Any) -> None:
        kwargs.setdefault("invoke_without_command", True)
        kwargs.setdefault("panels", _panels(COMMAND_PANELS, RichCommandPanel) + _panels(OPTION_PANELS, RichOptionPanel))
        super().__init__(*args, **_with_summary(kwargs))
        self.load = load
        self.params.extend(global_options(root=root))

    def put(self, command: RichCommand, panel: str | None = None) -> None:
        """Add a command, under this heading of the help."""
        command.panel = panel
        self.add_command(command)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, from the registry if need be."""
        found = super().get_command(ctx, cmd_name)
        if found is None and self.load:
            self.load()
            found = super().get_command(ctx, cmd_name)
        return found

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order in which they were added."""
        if self.load:
            self.load()
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with the nearest names when there is none."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None and not ctx.resilient_parsing:
            _unknown(ctx, self, name)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """The group's command, or its help when no command was named."""
        if not ctx.args and not ctx._protected_args and self.callback is None:  # noqa: SLF001 - click keeps the group's own words there
            click.echo(ctx.get_help())
            return None
        return super().invoke(ctx)


def paths(group: click.Group, ctx: click.Context, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command below a group, without aliases that repeat one."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from paths(command, ctx, (*prefix, name))
        elif command is not None and not command.hidden:
            yield (*prefix, name)


def _unknown(ctx: click.Context, group: click.Group, name: str) -> NoReturn:
    root = ctx.find_root()
    own = ctx.command_path.split()[1:]
    # Commands of this group first; then a last word anywhere: `prov toolsets` means `prov mcp toolsets`.
    near = [" ".join((*own, match)) for match in get_close_matches(name, group.list_commands(ctx), n=2, cutoff=0.6)]
    if not near and isinstance(root.command, click.Group):
        by_last = {words[-1]: " ".join(words) for words in paths(root.command, root)}
        near = [by_last[match] for match in get_close_matches(name, by_last, n=2, cutoff=0.75)]
    said = " or ".join(f"`{root.info_name} {words}`" for words in near)
    raise InvalidInputError(
        f"there is no command {' '.join((*own, name))!r}",
        hint=f"did you mean {said}?" if near else f"`{ctx.command_path} --help` lists the commands",
    )
