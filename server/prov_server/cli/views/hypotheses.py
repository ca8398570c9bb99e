"""Hypotheses in order: the cause, why it stands there, what to run to check it, and where that is written."""

from rich.console import Console
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_tools.knowledge.hypotheses import Hypothesis
from prov_tools.knowledge.troubleshoot import TroubleshootOutput


def show(answer: Answer) -> None:
    """Print the hypotheses, likeliest first."""
    output = answer.output
    assert isinstance(output, TroubleshootOutput)
    out, notes = answer.session.out, answer.session.notes
    for number, one in enumerate(output.whole or [], 1):
        _show_one(out, number, one)
    if output.state:
        out.print(Text("What is recorded of it", "heading"))
        for line in output.state:
            _line(out, visible(line), "")
    for note in output.notes:
        notes.print(Text(visible(note), "warning"), soft_wrap=True)


def _show_one(out: Console, number: int, one: Hypothesis) -> None:
    out.print(Text.assemble((f"{number}. ", "quiet"), (visible(one.cause), "heading")), soft_wrap=True)
    _line(out, visible(one.why), "quiet")
    for warning in one.warnings:
        _line(out, f"careful: this text {warning}", "warning")
    for check in one.checks:
        for row in check.command.splitlines():
            _line(out, visible(row), "name", 6)
        if check.meaning:
            _line(out, visible(check.meaning), "", 8)
    if one.fix:
        _line(out, f"then: {visible(one.fix)}", "good")
    for incident in one.incidents:
        _line(out, f"it happened before: {visible(incident)}", "warning")
    _line(out, visible(one.citation), "quiet")
    out.print()


def _line(out: Console, text: str, style: str, indent: int = 3) -> None:
    out.print(Text(" " * indent + text, style), soft_wrap=True)
