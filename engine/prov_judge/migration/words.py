"""A migration in words: the sentence that people know from Terraform, and what a field was and will be."""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from prov_judge.changes.masking import shown, shown_path
from prov_judge.changes.model import Action, FieldChange
from prov_judge.migration.model import ComplianceDelta, Migration

VERBS: dict[Action, str] = {
    "create": "to add",
    "update": "to change",
    "replace": "to replace",
    "delete": "to destroy",
}
MARKS: dict[Action, str] = {"create": "+", "update": "~", "replace": "±", "delete": "-", "no_op": " "}
MOST_VALUE = 60
MOST_CHECKS = 8
MOST_NAMED = 4


def summary(migration: Migration) -> str:
    """Such as "2 to add, 1 to change, 0 to replace, 2 to destroy, in 3 waves"."""
    counted = ", ".join(f"{migration.counts.get(action, 0)} {verb}" for action, verb in VERBS.items())
    waves = max((step.wave for step in migration.steps), default=0)
    if not waves:
        written = [change.address for change in migration.changes if change.action != "no_op"]
        if written:
            return f"nothing to do: only {_some(written, MOST_NAMED)} {'is' if len(written) == 1 else 'are'} written differently"
        return "nothing to do: both configurations describe the same"
    renamed = sum(change.previous is not None for change in migration.changes)
    parts = [counted, f"in {waves} wave{'' if waves == 1 else 's'}"]
    if renamed:
        parts.append(f"{renamed} renamed")
    if migration.is_across_providers:
        parts.append("across providers")
    return ", ".join(parts)


def value(path: str, given: Any) -> str:
    """The value of the field `path` in one short line; what is not there is a dash, and a secret is not shown."""
    given = shown(path, given)
    if given is None:
        return "-"
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return text if len(text) <= MOST_VALUE else f"{text[: MOST_VALUE - 1]}…"


def field_words(field: FieldChange) -> str:
    """Such as "plan: t3.micro -> t3.large"; "subnet: a (replaced)" where the same name means a new thing."""
    path = shown_path(field.path)
    if field.before == field.after:
        return f"{path}: {value(field.path, field.after)} (replaced)"
    told = f"{path}: {value(field.path, field.before)} -> {value(field.path, field.after)}"
    return f"{told} ({field.why})" if field.impact == "none" and field.why else told


def compliance_words(delta: ComplianceDelta) -> str:
    """Such as "22 -> 24 fail; new: ENC-01, ENC-02", or "22 fail, as before"."""
    told = [
        f"{word}: {_some(checks, MOST_CHECKS)}"
        for word, checks in (
            ("new", delta.newly_failing),
            ("in more places", delta.worse),
            ("no longer", delta.newly_passing),
        )
        if checks
    ]
    if not told:
        return f"{delta.after} fail, as before"
    return "; ".join([f"{delta.before} -> {delta.after} fail", *told])


def told_compliance(migration: Migration) -> list[ComplianceDelta]:
    """The frameworks worth a line: all of them, and those that something changes for where a plan has no steps."""
    return [one for one in migration.compliance if migration.steps or one.newly_failing or one.newly_passing or one.worse]


def told_costs(migration: Migration) -> Iterator[tuple[str, Decimal, Decimal]]:
    """Currency, a month before, a month after; nothing where a plan has no steps and costs the same."""
    for currency in sorted({*migration.cost_before, *migration.cost_after}):
        before, after = migration.cost_before.get(currency, Decimal(0)), migration.cost_after.get(currency, Decimal(0))
        if migration.steps or before != after:
            yield currency, before, after


def _some(names: Sequence[str], most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"
