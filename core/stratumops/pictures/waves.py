"""Steps in waves as a picture: one column a wave (or a run of them), and which step waits for which."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from stratumops.pictures.graph import Box, Tone, graph_svg

MOST_BOXES = 120
"""Above that, steps of a column that do the same to the same kind share a box: a picture of a thousand boxes shows nothing."""
MOST_COLUMNS = 40
"""Above that, waves that follow each other share a column."""


@dataclass(frozen=True, slots=True)
class DrawnStep:
    """One step. `alike` is what steps have in common that may share a box; `words` are its lines below its name."""

    id: str
    wave: int
    needs: Sequence[str]
    mark: str
    address: str
    alike: str
    words: tuple[str, ...]
    tone: Tone


def waves_svg(title: str, steps: Sequence[DrawnStep]) -> str:
    """The picture as SVG; waves count from 1."""
    waves = max((step.wave for step in steps), default=0)
    width = max(1, -(-waves // MOST_COLUMNS))
    columns = [_heading(first, min(first + width - 1, waves)) for first in range(1, waves + 1, width)]
    is_grouped = len(steps) > MOST_BOXES
    box_of = {step.id: _shared(step, _column(step, width)) if is_grouped else step.id for step in steps}
    members = Counter(box_of.values())
    # A box that several share is the first of them.
    boxes = {
        box_of[step.id]: Box(box_of[step.id], _lines(step, members[box_of[step.id]]), _column(step, width), step.tone)
        for step in reversed(steps)
    }
    arrows = dict.fromkeys((box_of[need], box_of[step.id]) for step in steps for need in step.needs if need in box_of)
    ordered = sorted(boxes.values(), key=lambda box: box.column)
    return graph_svg(title, columns, ordered, [one for one in arrows if one[0] != one[1]])


def risks(downtime: object, data_loss: object, *, is_irreversible: bool) -> tuple[str, ...]:
    """The line that says what a step risks; none where it risks nothing."""
    told = (("downtime", downtime), ("data loss", data_loss), ("irreversible", is_irreversible))
    words = [word for word, is_so in told if is_so]
    return (", ".join(words),) if words else ()


def _heading(first: int, last: int) -> str:
    return f"wave {first}" if first == last else f"waves {first} to {last}"


def _column(step: DrawnStep, width: int) -> int:
    return (step.wave - 1) // width


def _kind(step: DrawnStep) -> str:
    return step.address.partition(".")[0]


def _shared(step: DrawnStep, column: int) -> str:
    return f"{column}/{step.alike}/{_kind(step)}"


def _lines(step: DrawnStep, members: int) -> tuple[str, ...]:
    first = f"{step.mark} {step.address}" if members == 1 else f"{step.mark} {members} x {_kind(step)}"
    return (first, *step.words)
