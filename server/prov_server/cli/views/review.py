"""A review in a terminal: what is wrong, what it costs, what auditors would say, what could be saved."""

from functools import partial

from rich.table import Table
from rich.text import Text

from prov_judge.compliance.model import FRAMEWORKS
from prov_judge.compliance.summary import summarise
from prov_judge.migration.words import summary
from prov_judge.review.markdown import as_markdown
from prov_judge.review.model import Failure, Review
from prov_judge.review.words import counted, totals_line
from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.compliance import SEVERITY_STYLES
from prov_server.cli.views.documents import Documents, show_document, write_document

MOST_ROWS = 12
NAME_WIDTH = max(map(len, FRAMEWORKS.values())) + 2


def act(answer: Answer) -> None:
    """Write what `--output` asks for."""
    write_document(answer, _documents(answer))


def show(answer: Answer) -> None:
    """Print the review."""
    if show_document(answer, _documents(answer)):
        return
    review = _review(answer)
    out = answer.session.out
    _findings(answer, review)
    for note in review.notes:
        out.print(Text.assemble(("note", "info"), f": {visible(note)}"), soft_wrap=True)
    if review.estimate:
        out.print(Text.assemble(("cost of a month".ljust(NAME_WIDTH), "heading"), totals_line(review.estimate)), soft_wrap=True)
        if review.estimate.unpriced:
            out.print(f"{'':{NAME_WIDTH}}{counted(len(review.estimate.unpriced), 'part')} without a price, not in the sum")
    for assessment in review.assessments:
        name = FRAMEWORKS[assessment.framework].ljust(NAME_WIDTH)
        out.print(Text.assemble((name, "heading"), summarise(assessment).text), soft_wrap=True)
    if review.migration:
        out.print(Text.assemble(("what changes".ljust(NAME_WIDTH), "heading"), summary(review.migration)), soft_wrap=True)
    failures = review.failures()
    if failures:
        out.print()
        out.print(_failures(failures))
        if len(failures) > MOST_ROWS:
            out.print(Text(f"... and {len(failures) - MOST_ROWS} more; --format markdown lists them", "quiet"))
    if review.estimate and review.estimate.savings:
        out.print()
        for saving in sorted(review.estimate.savings, key=lambda one: -one.monthly)[:MOST_ROWS]:
            words = f"{saving.address}: {saving.change}; saves {saving.monthly:,.2f} {saving.currency} a month"
            out.print(Text.assemble(("↓ ", "good"), visible(words)), soft_wrap=True)
    for said in getattr(answer.output, "guidelines", None) or []:
        out.print(Text.assemble(("guideline".ljust(NAME_WIDTH), "heading"), visible(said)), soft_wrap=True)
    out.print()
    out.print(_verdict(review, len(failures)), soft_wrap=True)


def _findings(answer: Answer, review: Review) -> None:
    shown = [one for one in review.findings if one.severity != "info"]
    for one in shown[:MOST_ROWS]:
        at = f" (line {one.line})" if one.line else ""
        words = f" {one.path}: {one.message}{at}" if one.where else f" {one.message}{at}"
        answer.session.out.print(Text.assemble((f"{one.severity}[{one.code}]", one.severity), visible(words)), soft_wrap=True)
    if len(shown) > MOST_ROWS:
        answer.session.out.print(Text(f"... and {len(shown) - MOST_ROWS} more; `prov validate` shows them", "quiet"))
    if shown:
        answer.session.out.print()


def _failures(failures: list[Failure]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for column in ("severity", "check", "resource", "what is wrong", "asked by"):
        table.add_column(column, overflow="fold", no_wrap=column in {"severity", "check"})
    for one in failures[:MOST_ROWS]:
        severity = Text(one.check.severity, SEVERITY_STYLES[one.check.severity])
        what = visible(one.result.message)
        table.add_row(severity, one.check.id, visible(one.result.address), what, ", ".join(one.frameworks))
    return table


def _verdict(review: Review, failed: int) -> Text:
    words = f": {counted(sum(review.resources.values()), 'resource')}, {counted(failed, 'failed check')}"
    return Text.assemble(("valid", "good") if review.is_valid else ("not valid", "error"), words)


def _documents(answer: Answer) -> Documents:
    return {"markdown": partial(as_markdown, _review(answer))}


def _review(answer: Answer) -> Review:
    whole = getattr(answer.output, "whole", None)
    assert isinstance(whole, Review)
    return whole
