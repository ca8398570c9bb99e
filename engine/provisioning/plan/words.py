"""A plan in words, the same for the person who approves it, the assistant and the audit."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from prov_judge.changes.masking import HIDDEN, shown
from provisioning.plan.model import IMPORTED, Plan, PlanStep
from provisioning.secrets import SEALED, handles_in

MARKS = {"create": "+", "update": "~", "delete": "-", "backup": "=", "task": "*"}
VERBS = {"create": "to add", "update": "to change", "replace": "to replace", "delete": "to destroy"}
MOST_VALUE = 60
_FIRST = ("resource", "host", "port", "kind", "path")
"""What a task's configuration tells first: what it reaches."""


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


def field_words(step: PlanStep, *, is_whole: bool = False) -> list[str]:
    """What an update changes ("plan: t3.micro -> t3.large"), a creation states ("plan: t3.micro"), a task is told ("port: 80").

    Long values are cut unless `is_whole`; secrets are hidden.
    """
    most = None if is_whole else MOST_VALUE
    if step.action == "task":
        return [f"{path}: {_value(path, given, most)}" for path, given in _config_leaves(step.config)]
    if step.action == "create" and not step.is_replacement:
        return [f"{path}: {_value(path, after, most)}" for path, _, after in step.fields]
    return [f"{path}: {_value(path, before, most)} -> {_value(path, after, most)}" for path, before, after in step.fields]


def sent_words(step: PlanStep) -> list[str]:
    """Every secret that leaves the vault for a step: "sends the secret vault:secret/app#key to aws"."""
    handles = handles_in(step.wanted["values"]) if step.wanted is not None else set[str]()
    return [f"sends the secret {handle} to {step.provider}" for handle in sorted(handles)]


def imported_words(step: PlanStep) -> list[str]:
    """That nothing shows the resource to be ours, where that is so."""
    return [why for why in step.why if why.startswith(IMPORTED)]


def origin_words(plan: Plan, accounts: Mapping[str, str] = {}) -> list[tuple[str, str]]:
    """What an approver knows before the steps, as (label, words): title, who made it, from what, until when, what a failure does.

    `accounts` says of a provider's account what is not usual about it, such as "endpoint https://...".
    """
    used = {step.provider for step in plan.steps}
    return [
        ("title", plan.title),
        ("made by", f"{plan.made_by or 'somebody'} at {_moment(plan.made_at)}"),
        *([("from", plan.source)] if plan.source else []),
        *((name, _value(name, given, None)) for name, given in _config_leaves(plan.targets)),
        ("until", _moment(plan.expires_at)),
        ("on failure", _way(plan)),
        *((f"account {name}", said) for name, said in sorted(accounts.items()) if name in used and said),
    ]


def failure_words(plan: Plan) -> str:
    """What happens when a step fails."""
    return f"if a step fails: {_way(plan)}"


def _way(plan: Plan) -> str:
    return "what was done is undone in reverse order" if plan.rolls_back_on_failure else "it stops and leaves what was done"


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
    """The whole plan as plain text, nothing left out; secrets are hidden in it."""
    return "\n".join(map(_flat, _lines(plan))) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    yield f"{plan.id}  {plan.title}"
    yield summary(plan)
    yield from (f"  {line}" for line in cost_words(plan))
    for wave, steps in groupby(plan.steps, key=lambda step: step.wave):
        yield f"wave {wave}"
        for step in steps:
            at = f" at {step.provider}" if step.provider else ""
            yield f"  {MARKS[step.action]} {step.title}{at}{f' ({step.id_there})' if step.id_there else ''}"
            if step.task:
                yield f"      does: {step.task}"
            told = [*field_words(step, is_whole=True), *sent_words(step), *imported_words(step)]
            yield from (f"      {line}" for line in told)
            yield from (f"      {word}: {said}" for word, said in _warned(step))
    yield from (f"checks: {framework}: {said}" for framework, said in plan.compliance.items())
    yield from (f"finding: {said}" for said in plan.findings)
    yield from (f"left out: {address}: {why}" for address, why in plan.left_out.items())
    yield from (f"note: {note}" for note in plan.notes)
    yield failure_words(plan)


def _warned(step: PlanStep) -> Iterator[tuple[str, str]]:
    if step.downtime:
        yield "downtime", step.downtime
    if step.data_loss:
        yield "data", step.data_loss
    if step.rollback.startswith("irreversible"):
        yield "way back", step.rollback


def _config_leaves(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found = list(_walked(values, ""))
    ranks = {name: rank for rank, name in enumerate(_FIRST)}
    return sorted(found, key=lambda leaf: ranks.get(leaf[0], len(ranks)))


def _walked(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and set(value) != {SEALED} and (value or not path):
        for key, inner in value.items():
            yield from _walked(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, Sequence) and not isinstance(value, str) and value:
        for index, inner in enumerate(value):
            yield from _walked(inner, f"{path}[{index}]")
    else:
        yield path, HIDDEN if isinstance(value, Mapping) and value else value


def _value(path: str, given: Any, most: int | None) -> str:
    text = _one_value(shown(path, given))
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def _one_value(given: Any) -> str:
    return "-" if given is None else given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)


def _flat(line: str) -> str:
    """No value of a plan makes a line of its own, or something that cannot be seen."""
    return line if line.isprintable() else "".join(one if one.isprintable() else f"\\u{{{ord(one):x}}}" for one in line)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
