"""A plan as a picture: its steps in columns, one a wave, and which step waits for which."""

from collections import Counter

from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.words import MARKS, summary
from stratumops.pictures.graph import Box, Tone, graph_svg

MOST_BOXES = 120
"""Above that, steps of a column that do the same to the same kind share a box."""
MOST_COLUMNS = 40
_TONES: dict[str, Tone] = {"create": "add", "update": "change", "delete": "remove", "backup": "quiet", "task": "warn"}


def as_svg(plan: Plan) -> str:
    """The picture."""
    waves = max((step.wave for step in plan.steps), default=0)
    width = max(1, -(-waves // MOST_COLUMNS))
    columns = [_heading(first, min(first + width - 1, waves)) for first in range(1, waves + 1, width)]
    is_grouped = len(plan.steps) > MOST_BOXES
    group = {step.id: _group(step, (step.wave - 1) // width) if is_grouped else step.id for step in plan.steps}
    members = Counter(group.values())
    boxes = {
        group[step.id]: Box(group[step.id], _lines(step, members[group[step.id]]), (step.wave - 1) // width, _tone(step))
        for step in reversed(plan.steps)
    }
    arrows = dict.fromkeys((group[need], group[step.id]) for step in plan.steps for need in step.needs if need in group)
    ordered = sorted(boxes.values(), key=lambda box: box.column)
    return graph_svg(f"{plan.id}: {summary(plan)}", columns, ordered, [one for one in arrows if one[0] != one[1]])


def _heading(first: int, last: int) -> str:
    return f"wave {first}" if first == last else f"waves {first} to {last}"


def _group(step: PlanStep, column: int) -> str:
    return f"{column}/{step.action}/{step.address.partition('.')[0]}"


def _lines(step: PlanStep, members: int) -> tuple[str, ...]:
    kind = step.address.partition(".")[0]
    mark = "±" if step.is_replacement and step.action == "create" else MARKS[step.action]
    first = f"{mark} {step.address}" if members == 1 else f"{mark} {members} x {kind}"
    words = [word for word, is_so in (("downtime", step.downtime), ("data loss", step.data_loss)) if is_so]
    words += ["irreversible"] if step.rollback.startswith("irreversible") else []
    does = step.task or ("replace" if step.is_replacement and step.action == "create" else step.action)
    return (first, does, *([", ".join(words)] if words else []))


def _tone(step: PlanStep) -> Tone:
    return "replace" if step.is_replacement and step.action == "create" else _TONES[step.action]
