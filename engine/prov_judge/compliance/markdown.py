"""An assessment as Markdown for a pull request: what fails on top, everything else folded away."""

from collections.abc import Sequence

from prov_gen.findings import path_text
from prov_gen.nickel import nickel_literal
from prov_judge.compliance.examples import examples
from prov_judge.compliance.model import FRAMEWORKS, Assessment, Check
from prov_judge.compliance.order import NOWHERE, Judged, Places, in_order
from prov_judge.compliance.summary import summarise
from stratumops.markdown import code, folded, table, text

MAX_ROWS = 25
"""Rows of a table; there are up to seven, and a host takes comments of 65,536 characters."""

MAX_WORDS = 2_000


def as_markdown(assessment: Assessment, places: Places = NOWHERE) -> str:
    """The whole comment. It says how many automatable checks pass, never that anything is compliant."""
    found = in_order(assessment, places)
    parts = [f"## {FRAMEWORKS[assessment.framework]}", f"{summarise(assessment).text}."]
    if not found.failed:
        parts.append("None of the checks that a program can decide fails and is not waived.")

    def failure(one: Judged) -> tuple[str, ...]:
        controls = ", ".join(one.check.controls.get(assessment.framework, ()))
        said = (one.result.message, one.check.why, one.result.fix, controls)
        return (one.check.id, code(one.result.address), _where(one), *(text(words) for words in said))

    for severity, failed in found.failed_by_severity().items():
        head = ("check", "resource", "where", "what is wrong", "why", "how to mend it", "controls")
        parts += [f"### {severity.capitalize()} ({len(failed)})", table(head, failed, failure, MAX_ROWS)]
    if found.waived:
        columns = ("check", "resource", "reason", "until", "approved by")
        parts += [f"### Waived ({len(found.waived)})", table(columns, found.waived, _waived, MAX_ROWS)]
    if found.not_assessable:
        title = f"Cannot be decided from a configuration ({len(found.not_assessable)})"
        parts.append(folded(title, table(("check", "asks", "resource", "why not"), found.not_assessable, _undecided, MAX_ROWS)))
    if found.passed:
        title = f"Passed ({_counted(found.passed)})"
        parts.append(folded(title, table(("check", "asks", "resource", "what holds", "where"), found.passed, _passed, MAX_ROWS)))
    if found.not_applicable:
        ids = ", ".join(dict.fromkeys(one.check.id for one in found.not_applicable))
        parts.append(folded(f"Not applicable ({_counted(found.not_applicable)})", ids))
    if assessment.notes:
        parts += ["### Notes", "\n".join(f"- {text(note)}" for note in assessment.notes)]
    return "\n\n".join(parts) + "\n"


def _waived(one: Judged) -> tuple[str, ...]:
    waived = one.result.waived
    assert waived is not None
    return one.check.id, code(one.result.address), text(waived.reason), waived.expires.isoformat(), text(waived.approved_by)


def _undecided(one: Judged) -> tuple[str, ...]:
    return one.check.id, text(one.check.title), code(one.result.address), text(one.result.message)


def _passed(one: Judged) -> tuple[str, ...]:
    return one.check.id, text(one.check.title), code(one.result.address), text(one.result.message), _where(one)


def _counted(told: Sequence[Judged]) -> str:
    return f"{len(told)} result{'' if len(told) == 1 else 's'}"


def _where(one: Judged) -> str:
    """The path of the evidence, and its line where it is known."""
    place = one.place
    line = "" if place is None else text(f"{place.file}:{place.line}" if place.file else f"line {place.line}")
    return " ".join(part for part in (code(path_text(one.result.path)), line) if part)


def check_as_markdown(check: Check) -> str:
    """What a check asks, why, how to pass it, who asks for it, and a configuration that passes and one that fails."""
    parts = [f"# {check.id}: {text(check.title)}", f"Severity {check.severity}; looks at {', '.join((check.kind, *check.also))}."]
    for title, words in (("Why", check.why), ("How to mend it", check.fix), ("Why no program decides it", check.reason)):
        if words:
            parts += [f"## {title}", text(words, MAX_WORDS)]
    for title, example in zip(("A configuration that passes", "A configuration that fails"), examples(check), strict=True):
        if example is not None:
            parts += [f"## {title}", f"```nickel\n{nickel_literal(example)}\n```"]
    asked = [f"- {FRAMEWORKS[framework]}: {text(', '.join(ids))}" for framework, ids in check.controls.items()]
    parts += ["## Asked by", "\n".join(asked), *([text(check.control_note, MAX_WORDS)] if check.control_note else [])]
    peers = [f"- {name}: {text(', '.join(ids))}" for name, ids in (("checkov", check.checkov), ("prowler", check.prowler)) if ids]
    return "\n\n".join([*parts, *(["## The same elsewhere", "\n".join(peers)] if peers else [])]) + "\n"
