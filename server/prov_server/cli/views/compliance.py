"""An assessment in a terminal: what fails by severity, with place and fix; a bar and one line that sum up; the proposed diff."""

import json
from collections.abc import Mapping
from functools import partial

from rich.console import Console
from rich.table import Table
from rich.text import Text

from prov_gen.findings import path_text
from prov_gen.source import looks_like_path
from prov_judge.compliance.document import as_dict
from prov_judge.compliance.fix import Proposal
from prov_judge.compliance.junit import as_junit
from prov_judge.compliance.markdown import as_markdown
from prov_judge.compliance.model import FRAMEWORKS, Assessment, Severity
from prov_judge.compliance.order import Judged, Places, in_order
from prov_judge.compliance.sarif import as_sarif
from prov_judge.compliance.summary import OUTCOMES, Outcome, summarise
from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.documents import Documents, show_document, write_document
from stratumops.errors import InvalidInputError

SEVERITY_STYLES: Mapping[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "info"}
OUTCOME_STYLES: Mapping[Outcome, str] = {
    "pass": "good",
    "fail": "error",
    "waived": "warning",
    "not_assessable": "quiet",
    "not_applicable": "quiet",
}
BAR_WIDTH = 40
MOST_ROWS = 50
"""Failures shown; the documents hold all of them."""
WIDE = 140
"""Columns from which on a table of failures can be read."""


def act(answer: Answer) -> None:
    """Write what `--output` asks for. Raises InvalidInputError for a diff that nobody asked for with `--fix`."""
    if answer.extras.get("format") == "diff":
        _, _, proposal = _parts(answer)
        if not answer.arguments.get("fix"):
            raise InvalidInputError("--format diff needs a proposal", hint="add --fix")
        if proposal is not None:
            _say_what_a_diff_does_not(answer.session.notes, proposal)
    write_document(answer, _documents(answer))


def show(answer: Answer) -> None:
    """Print the assessment, and the proposal where there is one."""
    if show_document(answer, _documents(answer)):
        return
    assessment, places, proposal = _parts(answer)
    show_assessment(answer.session.out, assessment, places)
    if proposal is not None:
        show_proposal(answer.session.out, proposal)


def show_assessment(console: Console, assessment: Assessment, places: Places) -> None:
    """Print failures by severity, what was waived, the notes, and the sum."""
    found = in_order(assessment, places)
    if found.failed:
        told = found.failed[:MOST_ROWS]
        console.print(_table(told) if console.width >= WIDE else _blocks(told), soft_wrap=console.width < WIDE)
        if len(found.failed) > MOST_ROWS:
            console.print(Text(f"... and {len(found.failed) - MOST_ROWS:,} more; --format json lists all of them", "quiet"))
        console.print()
    for one in found.waived:
        waived = one.result.waived
        assert waived is not None
        words = f"{one.check.id} {one.result.address}: waived until {waived.expires.isoformat()}: {waived.reason}"
        console.print(Text.assemble(("~ ", "warning"), visible(words)), soft_wrap=True)
    for note in assessment.notes:
        console.print(Text.assemble(("! ", "warning"), visible(note)), soft_wrap=True)
    summary = summarise(assessment)
    bar = _bar(summary.counts)
    console.print(Text.assemble((f"{FRAMEWORKS[assessment.framework]}  ", "heading"), bar, "  ", summary.text), soft_wrap=True)


def show_proposal(console: Console, proposal: Proposal) -> None:
    """Print the diff in colours, what is left and why, and the judgement on the changed configuration."""
    console.print()
    _warn_of_rewriting(console, proposal)
    for line in proposal.diff.splitlines():
        console.print(Text(visible(line), _diff_style(line)), soft_wrap=True)
    for result, reason in proposal.left:
        words = f"{result.check} {result.address}: {reason}"
        console.print(Text.assemble(("not changed ", "warning"), visible(words)), soft_wrap=True)
    after = summarise(proposal.after)
    style = "good" if proposal.after.is_passed else "heading"
    console.print(Text.assemble(("with the change  ", style), _bar(after.counts), "  ", after.text), soft_wrap=True)


def _warn_of_rewriting(console: Console, proposal: Proposal) -> None:
    if proposal.rewritten:
        words = f"the file is written anew, without its comments, imports and layout: {proposal.rewritten}"
        console.print(Text.assemble(("! ", "warning"), visible(words)), soft_wrap=True)


def _say_what_a_diff_does_not(console: Console, proposal: Proposal) -> None:
    """What somebody must know who takes the diff unseen: it goes beside it, not into it."""
    _warn_of_rewriting(console, proposal)
    if proposal.left:
        left = "1 failure is" if len(proposal.left) == 1 else f"{len(proposal.left)} failures are"
        words = f"{left} left as before; --format text says why"
        console.print(Text.assemble(("! ", "warning"), words), soft_wrap=True)


def _blocks(failed: tuple[Judged, ...]) -> Text:
    """A failure in three lines, for a narrow terminal."""
    told = Text()
    for one in failed:
        severity = one.check.severity
        told.append(f"{severity:<10}", SEVERITY_STYLES[severity]).append(f"{one.check.id}  ").append(
            visible(one.result.address), "name"
        )
        told.append("  ").append_text(_where(one)).append(f"\n{'':10}{visible(one.result.message)}\n")
        told.append(f"{'':10}fix: {visible(one.result.fix)}\n", "fix")
    told.rstrip()
    return told


def _table(failed: tuple[Judged, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for column in ("severity", "check", "resource", "where", "what is wrong", "fix"):
        table.add_column(column, overflow="fold", no_wrap=column in {"severity", "check"})
    shown: Severity | None = None
    for one in failed:
        severity = one.check.severity
        # Each severity is named once, at the head of its group.
        label = Text(severity, SEVERITY_STYLES[severity]) if severity != shown else Text("")
        shown = severity
        what, fix = Text(visible(one.result.message)), Text(visible(one.result.fix), "fix")
        table.add_row(label, one.check.id, Text(visible(one.result.address), "name"), _where(one), what, fix)
    return table


def _where(one: Judged) -> Text:
    place = one.place
    if place is None:
        return Text(visible(path_text(one.result.path)), "quiet")
    at = f"{place.file}:{place.line}" if place.file else f"line {place.line}"
    return Text(visible(f"{path_text(one.result.path)} ({at})"), "quiet")


def _bar(counts: Mapping[Outcome, int]) -> Text:
    """The checks as a bar, each outcome by its share; nothing that is there has no cell."""
    total = sum(counts.values())
    bar = Text("", end="")
    order: tuple[Outcome, ...] = ("pass", *(outcome for outcome in OUTCOMES if outcome != "pass"))
    for outcome in order:
        if counts[outcome]:
            mark = "░" if OUTCOME_STYLES[outcome] == "quiet" else "█"
            bar.append(mark * max(1, round(BAR_WIDTH * counts[outcome] / total)), OUTCOME_STYLES[outcome])
    return bar


def _diff_style(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "quiet"
    return {"+": "good", "-": "error"}.get(line[:1], "")


def _documents(answer: Answer) -> Documents:
    assessment, places, proposal = _parts(answer)
    config = str(answer.arguments.get("config", ""))
    file = config.strip() if looks_like_path(config) else None
    return {
        "json": lambda: _json(as_dict(assessment, places)),
        "markdown": partial(as_markdown, assessment, places),
        "sarif": lambda: _json(as_sarif(assessment, places, file=file)),
        "sarif-whole": lambda: _json(as_sarif(assessment, places, file=file, whole=True)),
        "junit": partial(as_junit, assessment, places),
        "diff": lambda: proposal.diff if proposal else "",
    }


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def _parts(answer: Answer) -> tuple[Assessment, Places, Proposal | None]:
    whole, places = getattr(answer.output, "whole", None), getattr(answer.output, "places", None)
    proposal = getattr(answer.output, "proposal", None)
    assert isinstance(whole, Assessment)
    return whole, places or {}, proposal
