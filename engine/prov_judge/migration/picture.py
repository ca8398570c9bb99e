"""A migration as a graph: its steps in columns, one a wave, and which step waits for which."""

from collections import Counter

from prov_judge.migration.model import Migration, Step
from prov_judge.migration.words import MARKS, summary
from stratumops.pictures.graph import Box, Tone, graph_svg

MOST_BOXES = 120
"""Above that, steps of a column that do the same to the same kind share a box: a picture of a thousand boxes shows nothing."""
MOST_COLUMNS = 40
"""Above that, waves that follow each other share a column."""

_TONES: dict[str, Tone] = {"create": "add", "update": "change", "replace": "replace", "delete": "remove", "no_op": "quiet"}


def as_svg(migration: Migration) -> str:
    """The picture."""
    waves = max((step.wave for step in migration.steps), default=0)
    width = max(1, -(-waves // MOST_COLUMNS))
    columns = [_heading(first, min(first + width - 1, waves)) for first in range(1, waves + 1, width)]
    is_grouped = len(migration.steps) > MOST_BOXES
    group = {step.id: _group(step, _column(step, width)) if is_grouped else step.id for step in migration.steps}
    members = Counter(group.values())
    boxes = {
        group[step.id]: Box(group[step.id], _lines(step, members[group[step.id]]), _column(step, width), _tone(step))
        for step in reversed(migration.steps)
    }
    arrows = dict.fromkeys((group[need], group[step.id]) for step in migration.steps for need in step.needs if need in group)
    ordered = sorted(boxes.values(), key=lambda box: box.column)
    return graph_svg(f"Migration: {summary(migration)}", columns, ordered, [one for one in arrows if one[0] != one[1]])


def _heading(first: int, last: int) -> str:
    return f"wave {first}" if first == last else f"waves {first} to {last}"


def _column(step: Step, width: int) -> int:
    return (step.wave - 1) // width


def _group(step: Step, column: int) -> str:
    return f"{column}/{step.phase}/{step.action}/{step.address.partition('.')[0]}"


def _lines(step: Step, members: int) -> tuple[str, ...]:
    kind = step.address.partition(".")[0]
    does = step.action if step.phase == "change" else step.phase.replace("_", " ")
    first = f"{MARKS[step.action]} {step.address}" if members == 1 else f"{MARKS[step.action]} {members} x {kind}"
    risks = [word for word, is_so in (("downtime", step.downtime), ("data loss", step.data_loss)) if is_so]
    risks += ["irreversible"] if step.is_irreversible else []
    return (first, does, *([", ".join(risks)] if risks else []))


def _tone(step: Step) -> Tone:
    return "quiet" if step.phase in {"backup", "verify"} else "warn" if step.phase == "cut_over" else _TONES[step.action]
