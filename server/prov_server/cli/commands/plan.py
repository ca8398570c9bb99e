"""`prov plan`: what a configuration would change, for a person: a path, a picture, a document."""

from typing import Any

import click
from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command


def _plan(**given: Any) -> int:
    from prov_server.cli.generated import run_tool
    from prov_tools.engine.plan import plan_config

    return run_tool(plan_config, {**given, "only": given["only"] or None})


def config_argument(*, required: bool = False) -> RichArgument:
    """FILE: a configuration."""
    return RichArgument(
        ["config"], required=required, metavar="FILE", help="The configuration: a path, - for stdin, or Nickel text"
    )


def graph_options() -> list[click.Parameter]:
    """What a plan is also written as."""
    panel = "Writing files"
    return [
        RichOption(["--graph"], type=click.Path(), metavar="FILE", panel=panel, help="Draw it as SVG or PNG"),
        RichOption(["--output", "-o"], type=click.Path(), metavar="FILE", panel=panel, help="Write it as text or JSON"),
        RichOption(["--force"], is_flag=True, default=False, panel=panel, help="Overwrite files that exist"),
    ]


plan = Command(
    "plan",
    callback=_plan,
    params=[
        config_argument(),
        RichOption(
            ["--destroy"], is_flag=True, default=False, help="Delete what FILE describes; without FILE all that is recorded"
        ),
        RichOption(["--back-to"], metavar="SERIAL", help="Back to an older serial, or to what was before an operation"),
        RichOption(["--only"], multiple=True, metavar="ADDRESS", help="Touch only this, and what it stands on; may be repeated"),
        *graph_options(),
    ],
    help="Plan what applying a configuration would change, cost and risk. Nothing is changed until a person approves.",
)
