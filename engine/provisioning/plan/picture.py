"""A plan as a picture: its steps in columns, one a wave, and which step waits for which."""

from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.words import MARKS, summary
from stratumops.pictures.graph import Tone
from stratumops.pictures.waves import DrawnStep, risks, waves_svg

_TONES: dict[str, Tone] = {"create": "add", "update": "change", "delete": "remove", "backup": "quiet", "task": "warn"}


def as_svg(plan: Plan) -> str:
    """The picture."""
    return waves_svg(f"{plan.id}: {summary(plan)}", [_drawn(step) for step in plan.steps])


def _drawn(step: PlanStep) -> DrawnStep:
    is_new = step.is_replacement and step.action == "create"
    return DrawnStep(
        id=step.id,
        wave=step.wave,
        needs=step.needs,
        mark="±" if is_new else MARKS[step.action],
        address=step.address,
        alike=step.action,
        words=(
            step.task or ("replace" if is_new else step.action),
            *risks(step.downtime, step.data_loss, is_irreversible=step.rollback.startswith("irreversible")),
        ),
        tone="replace" if is_new else _TONES[step.action],
    )
