"""Groups of commands that are imported when they are used, and commands whose flags take `=true` as Vault's do."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

Resolved = tuple[str | None, click.Command | None, list[str]]
Resolve = Callable[[click.Context, list[str]], Resolved]
_TRUE, _FALSE = {"true", "t", "1"}, {"false", "f", "0"}


class Command(click.Command):
    """A command whose flags may be written `--force`, `--force=true` or `--force=false`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Click's, after the flags' values were taken away."""
        flags = {name for one in self.get_params(ctx) if isinstance(one, click.Option) and one.is_flag for name in one.opts}
        words: list[str] = []
        for index, word in enumerate(args):
            if word == "--":
                words += args[index:]
                break
            name, equals, value = word.partition("=")
            if equals and name in flags and value.lower() in _TRUE | _FALSE:
                words += [name] if value.lower() in _TRUE else []
            else:
                words.append(word)
        return super().parse_args(ctx, words)


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line of help, and imports one (`module:attribute`) when it is used."""

    command_class = Command

    def __init__(self, *args: Any, lazy: Mapping[str, tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """All names, in the order of the table."""
        return [*self._lazy, *(name for name in self.commands if name not in self._lazy)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """The command, imported now."""
        if cmd_name not in self.commands and cmd_name in self._lazy:
            module, _, name = self._lazy[cmd_name][0].partition(":")
            self.commands[cmd_name] = getattr(import_module(module), name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """The table itself: help imports nothing."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self._lazy.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Resolved:
        """As click does it, with the nearest name when there is none."""
        return _resolved(self, super().resolve_command, ctx, args)


class Group(click.Group):
    """A group whose commands are at hand."""

    command_class = Command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Resolved:
        """As click does it, with the nearest name when there is none."""
        return _resolved(self, super().resolve_command, ctx, args)


def _resolved(group: click.Group, resolve: Resolve, ctx: click.Context, args: list[str]) -> Resolved:
    name = args[0]
    if not name.startswith("-") and group.get_command(ctx, name) is None and not ctx.resilient_parsing:
        near = get_close_matches(name, group.list_commands(ctx), n=2, cutoff=0.6)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise click.UsageError(f"there is no command {name!r}{meant}", ctx)
    return resolve(ctx, args)
