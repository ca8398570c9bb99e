"""A plan in words, the same for the person who approves it, the assistant and the audit."""

from collections.abc import Iterator
from itertools import groupby

from prov_judge.migration.words import value
from provisioning.plan.model import Plan, PlanStep

MARKS = {"create": "+", "update": "~", "delete": "-", "backup": "=", "task": "*"}
VERBS = {"create": "to add", "update": "to change", "replace": "to replace", "delete": "to destroy"}
MOST_FIELDS = 4


def summary(plan: Plan) -> str:
    """Such as "2 to add, 1 to change, 0 to replace, 0 to destroy, in 3 waves"."""
    waves = max((step.wave for step in plan.steps), default=0)
    if not waves:
        return "nothing to do: what is there is what is wanted"
    tasks = sum(step.action == "task" for step in plan.steps)
    counted = [f"{plan.counts.get(action, 0)} {verb}" for action, verb in VERBS.items()] if plan.counts or not tasks else []
    counted += [f"{tasks} task{'' if tasks == 1 else 's'}"] if tasks else []
    return f"{', '.join(counted)}, in {waves} wave{'' if waves == 1 else 's'}"


def cost_words(plan: Plan) -> list[str]:
    """Such as "+12.40 USD a month (8.00 -> 20.40)", one a currency."""
    found = []
    for currency in sorted({*plan.cost_before, *plan.cost_after}):
        before, after = float(plan.cost_before.get(currency, 0)), float(plan.cost_after.get(currency, 0))
        found.append(f"{after - before:+,.2f} {currency} a month ({before:,.2f} -> {after:,.2f})")
    return found


def field_words(step: PlanStep) -> list[str]:
    """What an update changes: "plan: t3.micro -> t3.large"."""
    return [f"{path}: {value(path, before)} -> {value(path, after)}" for path, before, after in step.fields]


def risks(plan: Plan) -> list[str]:
    """Every downtime, loss of data and step without a way back, one a line."""
    found = []
    for step in plan.steps:
        found += [f"{step.address}: downtime: {step.downtime}"] if step.downtime else []
        found += [f"{step.address}: data: {step.data_loss}"] if step.data_loss else []
        found += [f"{step.address}: {step.rollback}"] if step.rollback.startswith("irreversible") else []
    return found


def blast_radius(plan: Plan) -> tuple[str, ...]:
    """Every address that a step makes unavailable or changes beside its own."""
    own = {step.address for step in plan.steps}
    return tuple(sorted({address for step in plan.steps for address in step.affects} - own))


def as_text(plan: Plan) -> str:
    """The whole plan as plain text, for a terminal before somebody approves it; secrets are hidden in it."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.id}  {plan.title}"
    yield summary(plan)
    yield from (f"  {line}" for line in cost_words(plan))
    for wave, steps in groupby(plan.steps, key=lambda step: step.wave):
        yield f"wave {wave}"
        for step in steps:
            at = f" at {step.provider}" if step.provider else ""
            yield f"  {MARKS[step.action]} {step.title}{at}"
            told = field_words(step) if step.action == "update" or step.is_replacement else []
            yield from (f"      {line}" for line in told[:MOST_FIELDS])
            if len(told) > MOST_FIELDS:
                yield f"      and {len(told) - MOST_FIELDS} more fields"
            yield from (f"      {word}: {said}" for word, said in _warned(step))
    yield from (f"checks: {framework}: {said}" for framework, said in plan.compliance.items())
    yield from (f"finding: {said}" for said in plan.findings)
    yield from (f"left out: {address}: {why}" for address, why in plan.left_out.items())
    yield from (f"note: {note}" for note in plan.notes)
    way = "what was done is undone in reverse order" if plan.rolls_back_on_failure else "it stops and leaves what was done"
    yield f"if a step fails: {way}"


def _warned(step: PlanStep) -> Iterator[tuple[str, str]]:
    if step.downtime:
        yield "downtime", step.downtime
    if step.data_loss:
        yield "data", step.data_loss
    if step.rollback.startswith("irreversible"):
        yield "way back", step.rollback
