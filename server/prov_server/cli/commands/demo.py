"""`prov demo`: the main job at work, through a real MCP client."""

import click
from rich_click import RichOption

from prov_server.cli.groups import Command
from prov_server.cli.session import Session


def _run(svg: str | None, scene: tuple[int, ...]) -> int:
    from prov_server.cli.demonstration.play import play

    return play(Session.current(), svg=svg, scenes=scene)


demo = Command(
    "demo",
    callback=_run,
    params=[
        RichOption(["--svg"], type=click.Path(), metavar="FILE", help="Write what is shown as a picture, too"),
        RichOption(["--scene"], type=click.IntRange(1, 19), multiple=True, help="Only this scene; repeat it for more"),
    ],
    help="Show the main job at work through a real MCP client, in a temporary workspace. Machines are made in a sandbox only.",
    short_help="See it at work (a minute)",
)
