"""The options that every command takes, before or after its name, and where their values are kept during one run."""

import os
from dataclasses import dataclass, replace
from typing import Any

import click
from rich_click import RichOption

PANEL = "Global options"
_KEY = "prov_server.cli.choices"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a person chose for the whole run."""

    workspace: str | None = None
    json: bool = False
    verbose: bool = False
    quiet: bool = False
    sandbox: bool = False


def choices(ctx: click.Context) -> Choices:
    """The choices so far; the context's `meta` is shared by a command and its groups."""
    found: Choices = ctx.meta.setdefault(_KEY, Choices())
    return found


def _keep(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    # A default of an inner command must not undo what was said before its name.
    if value is not None and value is not False and param.name is not None:
        ctx.meta[_KEY] = replace(choices(ctx), **{param.name: value})


def _colourless(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's callback signature
    if value:
        # The one switch that all libraries which draw for us obey.
        os.environ["NO_COLOR"] = "1"


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:  # noqa: ARG001 - click's callback signature
    if value and not ctx.resilient_parsing:
        from stratumops import __version__

        click.echo(f"prov {__version__}")
        ctx.exit()


def global_options(*, root: bool = False) -> list[click.Option]:
    """Fresh options for one command; only the root shows all of them in its help."""
    shared: dict[str, Any] = {"expose_value": False, "panel": PANEL}
    flags: dict[str, Any] = {**shared, "is_flag": True, "default": False}
    options: list[click.Option] = [
        RichOption(
            ["--workspace"],
            metavar="FOLDER",
            type=click.Path(file_okay=True),
            # At the root only: an inner command would read the variable again, over what was said before its name.
            envvar="PROV_WORKSPACE" if root else None,
            show_envvar=root,
            callback=_keep,
            help="Work in this folder instead of the current one",
            **shared,
        ),
        RichOption(["--json"], callback=_keep, help="Print JSON, errors too", **flags),
        RichOption(["--sandbox"], callback=_keep, help="Everything at AWS in a cloud on this machine", hidden=not root, **flags),
        RichOption(["--verbose", "-v"], callback=_keep, help="Write the log to stderr", hidden=not root, **flags),
        RichOption(["--quiet", "-q"], callback=_keep, help="No progress and no notes", hidden=not root, **flags),
        RichOption(
            ["--no-color"], callback=_colourless, is_eager=True, help="No colours (as NO_COLOR=1)", hidden=not root, **flags
        ),
    ]
    if root:
        options.append(RichOption(["--version"], callback=_version, is_eager=True, help="Print the version", **flags))
    return options
