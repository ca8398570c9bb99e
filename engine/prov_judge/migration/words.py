"""A migration in words: the sentence that people know from Terraform, and what a field was and will be."""

import json
from typing import Any

from prov_judge.changes.masking import shown, shown_path
from prov_judge.changes.model import Action, FieldChange
from prov_judge.migration.model import Migration

VERBS: dict[Action, str] = {
    "create": "to add",
    "update": "to change",
    "replace": "to replace",
    "delete": "to destroy",
}
MARKS: dict[Action, str] = {"create": "+", "update": "~", "replace": "±", "delete": "-", "no_op": " "}
MOST_VALUE = 60


def summary(migration: Migration) -> str:
    """Such as "2 to add, 1 to change, 0 to replace, 2 to destroy, in 3 waves"."""
    counted = ", ".join(f"{migration.counts.get(action, 0)} {verb}" for action, verb in VERBS.items())
    waves = max((step.wave for step in migration.steps), default=0)
    if not waves:
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
    """Such as "plan: t3.micro -> t3.large"."""
    return f"{shown_path(field.path)}: {value(field.path, field.before)} -> {value(field.path, field.after)}"
