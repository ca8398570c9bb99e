"""A review as Markdown for a pull request: what a reviewer must know on top, the rest folded away.

GitHub takes comments of 65,536 characters; long lists are cut and say so.
"""

from collections.abc import Iterator
from decimal import Decimal

from prov_gen.findings import Finding
from prov_judge.compliance.model import FRAMEWORKS, Assessment
from prov_judge.compliance.summary import summarise
from prov_judge.cost.model import Estimate
from prov_judge.migration.model import Migration
from prov_judge.migration.words import summary
from prov_judge.review.model import Failure, Review
from prov_judge.review.words import counted, money, totals_line
from stratumops.markdown import code, folded, table, text


def as_markdown(review: Review) -> str:
    """The whole comment."""
    parts = [f"## Review of {code(review.name)}", _verdict(review)]
    parts += [f"> {text(note)}" for note in review.notes]
    parts += _findings(review)
    if review.estimate:
        parts += _cost(review.estimate, review.migration)
    parts += _compliance(review)
    if review.migration:
        parts += _changes(review.migration)
    return "\n\n".join(parts) + "\n"


def _verdict(review: Review) -> str:
    errors = sum(one.severity == "error" for one in review.findings)
    warnings = sum(one.severity == "warning" for one in review.findings)
    resources = sum(review.resources.values())
    said = "valid" if review.is_valid else "**not valid**"
    return (
        f"{said}: {counted(errors, 'error')}, {counted(warnings, 'warning')} in {counted(resources, 'resource')}; "
        f"{counted(len(review.failures()), 'failed check')}."
    )


def _findings(review: Review) -> Iterator[str]:
    shown = [one for one in review.findings if one.severity != "info"]
    if shown:
        yield "### Findings"
        yield table(("severity", "where", "what", "how to mend it"), shown, _finding_row)


def _finding_row(one: Finding) -> tuple[str, ...]:
    place = f"{one.file}:{one.line}" if one.file and one.line else f"line {one.line}" if one.line else ""
    where = code(one.path) if one.where else ""
    return one.severity, " ".join(filter(None, (where, text(place)))), text(one.message), text(one.fix)


def _cost(estimate: Estimate, migration: Migration | None) -> Iterator[str]:
    yield "### Cost of a month"
    yield totals_line(estimate)
    if migration:
        delta = {
            currency: migration.cost_after.get(currency, Decimal(0)) - migration.cost_before.get(currency, Decimal(0))
            for currency in sorted({*migration.cost_after, *migration.cost_before})
        }
        yield "Change: " + ", ".join(f"**{amount:+,.2f} {currency}**" for currency, amount in delta.items())
    dearest = sorted(estimate.resources, key=lambda one: -max(one.monthly().values(), default=Decimal(0)))
    body = table(
        ("resource", "a month", "depends on usage"),
        [one for one in dearest if one.monthly()],
        lambda one: (
            code(one.address),
            money(one.monthly()),
            "partly" if any(part.is_usage for part in one.parts) else "",
        ),
    )
    yield folded(f"{counted(len(estimate.resources), 'resource')} priced", body)
    if estimate.unpriced:
        body = table(("resource", "part", ""), estimate.unpriced, lambda row: (code(row[0]), text(row[1]), text(row[2])))
        yield folded(f"{counted(len(estimate.unpriced), 'part')} without a price (not in the sum)", body)
    if estimate.savings:
        body = table(
            ("resource", "change", "saves a month", "why"),
            estimate.savings,
            lambda one: (code(one.address), text(one.change), f"{one.monthly:,.2f} {one.currency}", text(one.why)),
        )
        yield folded(f"{counted(len(estimate.savings), 'way')} to save", body)


def _compliance(review: Review) -> Iterator[str]:
    if not review.assessments:
        return
    yield "### Compliance"
    yield table(("framework", "automatable checks"), review.assessments, _framework_row)
    failures = review.failures()
    if failures:
        yield folded(
            counted(len(failures), "failed check"),
            table(("severity", "check", "where", "what", "how to mend it"), failures, _failure_row),
        )


def _framework_row(assessment: Assessment) -> tuple[str, ...]:
    return FRAMEWORKS[assessment.framework], text(summarise(assessment).text)


def _failure_row(one: Failure) -> tuple[str, ...]:
    return one.check.severity, one.check.id, code(one.result.address), text(one.result.message), text(one.result.fix)


def _changes(migration: Migration) -> Iterator[str]:
    yield "### What changes"
    yield f"{summary(migration)}."
    risky = [step for step in migration.steps if step.downtime or step.data_loss or step.is_irreversible]
    if risky:
        body = table(
            ("wave", "step", "downtime", "data", "way back"),
            risky,
            lambda step: (str(step.wave), text(step.title), text(step.downtime), text(step.data_loss), text(step.rollback)),
        )
        yield folded(f"{counted(len(risky), 'step')} with a risk", body)
