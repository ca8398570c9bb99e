"""An operation in a terminal: its steps, what went wrong, what to do next."""

from typing import TYPE_CHECKING

from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.live import MARKS
from prov_server.cli.views import Answer
from provisioning.progress import Progress

if TYPE_CHECKING:
    from prov_server.cli.session import Session

GOOD = frozenset({"succeeded"})
BAD = frozenset({"failed", "rolled_back", "denied", "expired", "cancelled"})


def show(answer: Answer) -> None:
    """Print the operation with its steps."""
    found = getattr(answer.output, "whole", None)
    assert isinstance(found, Progress)
    for step in found.state.steps:
        mark, style = MARKS[step.status]
        line = Text.assemble((f"{mark} ", style), visible(step.title))
        if step.error and step.status != "succeeded":
            line.append(f"  {visible(step.error)}", "error")
        elif step.said:
            line.append(f"  {visible(step.said)}", "quiet")
        answer.session.out.print(line, soft_wrap=True)
    show_end(answer.session, found)


def show_end(session: "Session", found: Progress) -> None:
    """How it stands, in one line, then what went wrong and what to do."""
    operation = found.operation
    style = "good" if operation.status in GOOD else "error" if operation.status in BAD else "info"
    words = operation.status.replace("_", " ")
    session.out.print(
        Text.assemble(
            (words, style), f"  {operation.id}  {found.done} of {found.total} steps  ", (visible(operation.title), "quiet")
        ),
        soft_wrap=True,
    )
    if operation.error:
        session.out.print(Text.assemble(("why         ", "heading"), visible(operation.error)), soft_wrap=True)
    if operation.status in {"waiting_for_approval", "running", "queued"}:
        session.notes.print(Text(visible(found.next), "quiet"), soft_wrap=True)
