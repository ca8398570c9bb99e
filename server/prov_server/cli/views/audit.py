"""How the audit looks: a table of calls, and what verifying it found."""

from typing import TYPE_CHECKING

from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.columns import Row
from prov_server.cli.views.tall import print_rows
from prov_tools.audit import AuditListOutput, AuditRow, AuditVerifyOutput

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
    heading = [(word, "quiet") for word in ("", "time", "who", "face", "client", "tool", "decision", "ms")]
    print_rows(out, heading, [(_row(one), _tall(one)) for one in found.calls], "lllllllr", (6, 4))


def _row(one: AuditRow) -> Row:
    said, style = _decision(one)
    return [
        (str(one.seq), "quiet"),
        (_time(one), ""),
        (visible(one.principal), "name"),
        (one.face, ""),
        (visible(one.client or ""), ""),
        (visible(one.tool), "name"),
        (said, style),
        ("" if one.ms is None else f"{one.ms:,.1f}", ""),
    ]


def _tall(one: AuditRow) -> list[Text]:
    client = f", {visible(one.client)}" if one.client else ""
    took = "" if one.ms is None else f", {one.ms:,.1f} ms"
    return [
        Text.assemble((f"{one.seq}  ", "quiet"), (visible(one.tool), "name")),
        Text(_time(one)),
        Text.assemble((visible(one.principal), "name"), f", {one.face}{client}"),
        Text.assemble(_decision(one), took),
    ]


def _time(one: AuditRow) -> str:
    return f"{one.time[:10]} {one.time[11:19]}"


def _decision(one: AuditRow) -> tuple[str, str]:
    if one.code == "ok":
        return one.decision, "quiet"
    return f"{one.decision}: {one.code}", "warning"


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
