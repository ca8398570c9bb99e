"""Predicates about permissions."""

import re
from collections.abc import Sequence

from prov_judge.compliance.evidence import Evidence, counted, failing, holding
from prov_judge.compliance.scope import Subject, World


def allows_no_everything(subject: Subject, _world: World, *, actions: str, resources: str) -> Evidence:
    """Whether no statement of a policy allows every action on every resource.

    `actions` and `resources` are regular expressions of what means all of them; a list that is left out means all as well.
    """
    for index, statement in enumerate(subject.record.statements):
        if statement.effect == "allow" and _is_all(statement.actions, actions) and _is_all(statement.resources, resources):
            shown = f"{_shown(statement.actions)} on {_shown(statement.resources)}"
            return failing((*subject.path, "statements", index), shown, f"a statement allows {shown}")
    count = counted(len(subject.record.statements), "statement")
    return holding((*subject.path, "statements"), count, "no statement allows everything to everything")


def _is_all(texts: Sequence[str], form: str) -> bool:
    return not texts or any(re.fullmatch(form, text) for text in texts)


def _shown(texts: Sequence[str]) -> str:
    return ", ".join(texts) if texts else "everything (nothing is named)"
