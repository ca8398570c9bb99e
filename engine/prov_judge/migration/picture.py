"""A migration as a graph: its steps in columns, one a wave, and which step waits for which."""

from collections import Counter

from prov_judge.migration.model import Migration, Step
from prov_judge.migration.words import MARKS, summary
from stratumops.pictures.graph import Box, Tone, graph_svg

MOST_BOXES = 120
"""Above that, steps of a wave that do the same to the same kind share a box: a picture of a thousand boxes shows nothing."""

_TONES: dict[str, Tone] = {"create": "add", "update": "change", "replace": "replace", "delete": "remove", "no_op": "quiet"}


def as_svg(migration: Migration) -> str:
    """The picture."""
    waves = max((step.wave for step in migration.steps), default=0)
    columns = [f"wave {number}" for number in range(1, waves + 1)]
    group = {step.id: step.id if len(migration.steps) <= MOST_BOXES else _group(step) for step in migration.steps}
    members = Counter(group.values())
    boxes = {
        group[step.id]: Box(group[step.id], _lines(step, members[group[step.id]]), step.wave - 1, _tone(step))
        for step in reversed(migration.steps)
    }
    arrows = [(group[need], group[step.id]) for step in migration.steps for need in step.needs if need in group]
    ordered = sorted(boxes.values(), key=lambda box: box.column)
    return graph_svg(f"Migration: {summary(migration)}", columns, ordered, [one for one in arrows if one[0] != one[1]])


def _group(step: Step) -> str:
    return f"{step.wave}/{step.phase}/{step.action}/{step.address.partition('.')[0]}"


def _lines(step: Step, members: int) -> tuple[str, ...]:
    kind = step.address.partition(".")[0]
    does = step.action if step.phase == "change" else step.phase.replace("_", " ")
    first = f"{MARKS[step.action]} {step.address}" if members == 1 else f"{MARKS[step.action]} {members} x {kind}"
    risks = [word for word, is_so in (("downtime", step.downtime), ("data loss", step.data_loss)) if is_so]
    risks += ["irreversible"] if step.is_irreversible else []
    return (first, does, *([", ".join(risks)] if risks else []))


def _tone(step: Step) -> Tone:
    return "quiet" if step.phase in {"backup", "verify"} else "warn" if step.phase == "cut_over" else _TONES[step.action]
