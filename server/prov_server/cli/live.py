"""An operation as it goes: on a terminal a table that redraws itself, elsewhere one line for each thing that happens."""

import asyncio
import time
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from prov_server.cli.console import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, RenderableType

    from provisioning.engine import Engine
    from provisioning.progress import Progress
    from provisioning.workflow.control import StepState

POLL_SECONDS = 0.1
MOST_ROWS, FEWEST_ROWS = 24, 3
BESIDES = 3
"""Lines of the terminal that are not steps: what is left out, the bar, and the one the cursor is in."""
MARKS = {
    "pending": ("·", "quiet"),
    "running": ("…", "info"),
    "waiting": ("…", "warning"),
    "succeeded": ("✓", "good"),
    "failed": ("✗", "error"),
    "skipped": ("-", "quiet"),
    "undone": ("↺", "warning"),
    "undo_failed": ("✗", "error"),
}


async def watch(console: "Console", engine: "Engine", operation: str) -> "Progress":
    """Show an operation, and the rollback that follows it, until it has ended; answers how."""
    if console.is_terminal and not console.quiet:
        return await _drawn(console, engine, operation)
    return await _told(console, engine, operation)


async def _drawn(console: "Console", engine: "Engine", operation: str) -> "Progress":
    spinner = Spinner("dots")
    with Live(console=console, transient=True, refresh_per_second=12) as live:
        while True:
            found = await engine.progress(operation)
            if found.operation.is_final:
                break
            live.update(_picture(found, spinner, console.height))
            await asyncio.sleep(POLL_SECONDS)
    for step in found.state.steps:
        console.print(_line(step), soft_wrap=True)
    return found


async def _told(console: "Console", engine: "Engine", operation: str) -> "Progress":
    seen: dict[str, str] = {}
    status = ""
    while True:
        found = await engine.progress(operation)
        if found.operation.status != status:
            status = found.operation.status
            console.print(Text(visible(found.said), "quiet"), soft_wrap=True)
        for step in found.state.steps:
            if step.status != seen.get(step.id, "pending"):
                seen[step.id] = step.status
                if step.status not in {"running", "waiting"} or step.error:
                    console.print(_line(step), soft_wrap=True)
        if found.operation.is_final:
            return found
        await asyncio.sleep(POLL_SECONDS)


def _rows(steps: "Sequence[StepState]", height: int) -> "list[StepState]":
    """The steps for which `height` lines have room, in their order: what goes on before what just ended before what comes."""
    room = max(FEWEST_ROWS, min(MOST_ROWS, height - BESIDES))
    now = [step for step in steps if step.status in {"running", "waiting", "failed", "undo_failed"}]
    over = [step for step in steps if step.status in {"succeeded", "undone"}]
    to_come = [step for step in steps if step.status == "pending"]
    wanted = {step.id for step in [*now, *reversed(over), *to_come][:room]}
    return [step for step in steps if step.id in wanted]


def _picture(found: "Progress", spinner: Spinner, height: int) -> "RenderableType":
    table = Table(box=None, show_header=False, pad_edge=False)
    for width in (2, None, 8):
        table.add_column(width=width, no_wrap=True, overflow="ellipsis")
    steps = found.state.steps
    rows = _rows(steps, height)
    for step in rows:
        mark: RenderableType = spinner if step.status == "running" else Text(*MARKS[step.status])
        words = Text(visible(step.title), "" if step.status != "pending" else "quiet")
        if step.said or step.error:
            words.append(f"  {visible(step.error or step.said)}", "error" if step.error else "quiet")
        table.add_row(mark, words, Text(_seconds(step), "quiet"))
    if len(steps) > len(rows):
        table.add_row("", Text(f"and {len(steps) - len(rows)} more steps", "quiet"), "")
    bar = Table.grid(padding=(0, 1))
    bar.add_row(ProgressBar(total=max(1, found.total), completed=found.done, width=30), Text(visible(found.said), "quiet"))
    return Group(table, bar)


def _line(step: "StepState") -> Text:
    mark, style = MARKS[step.status]
    line = Text.assemble((f"{mark} ", style), visible(step.title))
    if step.attempts > 1:
        line.append(f"  {step.attempts} attempts", "warning")
    if step.error and step.status != "succeeded":
        line.append(f"  {visible(step.error)}", "error")
    if _seconds(step):
        line.append(f"  {_seconds(step)}", "quiet")
    return line


def _seconds(step: "StepState") -> str:
    if not step.started_at:
        return ""
    return f"{(step.ended_at or time.time()) - step.started_at:.1f} s"
