"""How the audit looks: a table of calls, and what verifying it found."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_tools.audit import AuditListOutput, AuditVerifyOutput

if TYPE_CHECKING:
    from rich.console import Console


def show(answer: Answer) -> None:
    """Print the answer of either tool."""
    if isinstance(answer.output, AuditListOutput):
        show_calls(answer.session.out, answer.output)
    elif isinstance(answer.output, AuditVerifyOutput):
        show_verified(answer.session.out, answer.output)


def show_calls(out: "Console", found: AuditListOutput) -> None:
    """One row a call."""
    if not found.calls:
        out.print("no such calls")
        return
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("", "time", "who", "face", "client", "tool", "decision"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"", "time"})
    table.add_column("ms", justify="right")
    for one in found.calls:
        said = one.decision if one.code == "ok" else f"{one.decision}: {one.code}"
        table.add_row(
            Text(str(one.seq), "quiet"),
            f"{one.time[:10]} {one.time[11:19]}",
            Text(visible(one.principal), "name"),
            one.face,
            Text(visible(one.client or "")),
            Text(visible(one.tool), "name"),
            Text(said, "quiet" if one.code == "ok" else "warning"),
            "" if one.ms is None else f"{one.ms:,.1f}",
        )
    out.print(table)


def show_verified(out: "Console", found: AuditVerifyOutput) -> None:
    """The verdict, what it was reached with, and every problem with its place."""
    verdict = Text("whole", "good") if found.ok else Text("not whole", "error")
    signed = f"signed up to line {found.signed_up_to}" if found.signed_up_to >= 0 else "nothing is signed"
    out.print(Text.assemble("the audit is ", verdict, f": {found.entries:,} entries, {signed}"), soft_wrap=True)
    if found.unsigned:
        out.print(Text(f"not yet signed: {found.unsigned:,}", "quiet"))
    out.print(Text.assemble(("head  ", "quiet"), visible(found.head)), soft_wrap=True)
    out.print(Text.assemble(("key   ", "quiet"), found.key), soft_wrap=True)
    for one in found.problems:
        where = f"{visible(one.file)}:{one.line}" if one.line else visible(one.file)
        out.print(Text.assemble((where, "name"), ": ", visible(one.what)), soft_wrap=True)
    if found.problem_count > len(found.problems):
        out.print(Text(f"... and {found.problem_count - len(found.problems):,} more", "warning"))
