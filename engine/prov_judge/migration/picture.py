"""A migration as a graph: its steps in columns, one a wave, and which step waits for which."""

from prov_judge.migration.model import Migration, Step
from prov_judge.migration.words import MARKS, summary
from stratumops.pictures.graph import Tone
from stratumops.pictures.waves import DrawnStep, risks, waves_svg

_TONES: dict[str, Tone] = {"create": "add", "update": "change", "replace": "replace", "delete": "remove", "no_op": "quiet"}


def as_svg(migration: Migration) -> str:
    """The picture."""
    return waves_svg(f"Migration: {summary(migration)}", [_drawn(step) for step in migration.steps])


def _drawn(step: Step) -> DrawnStep:
    return DrawnStep(
        id=step.id,
        wave=step.wave,
        needs=step.needs,
        mark=MARKS[step.action],
        address=step.address,
        alike=f"{step.phase}/{step.action}",
        words=(
            step.action if step.phase == "change" else step.phase.replace("_", " "),
            *risks(step.downtime, step.data_loss, is_irreversible=step.is_irreversible),
        ),
        tone=_tone(step),
    )


def _tone(step: Step) -> Tone:
    return "quiet" if step.phase in {"backup", "verify"} else "warn" if step.phase == "cut_over" else _TONES[step.action]
