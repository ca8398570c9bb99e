"""From a workflow's tasks to a plan: resources through the same comparison as any plan, the other tasks as steps between them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME
from prov_judge.changes.things import things
from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.order import waved
from provisioning.secrets import Secrets
from provisioning.workflow.definitions import KINDS, Definition, Task
from provisioning.workflow.definitions_secrets import sealed_plan
from stratumops.errors import InvalidInputError
from stratumops.problems import sentence


def fragment(tasks: Sequence[Task], provider: str) -> tuple[InfrastructureConfig, dict[str, str]]:
    """The resources that tasks describe as a configuration, and which task each address came from.

    Raises InvalidInputError naming the task and the wrong field.
    """
    values: dict[str, Any] = {"provider": provider}
    origin: dict[str, str] = {}
    for task in tasks:
        kind = kind_of(task)
        if kind is None:
            continue
        known = BY_NAME[kind]
        record = {key: value for key, value in task.config.items() if task.task != "provision" or key != "kind"}
        if task.provider and "provider" in known.model.model_fields:
            record.setdefault("provider", task.provider)
        alone = _checked({"provider": task.provider or provider, known.field: [record] if known.is_list else record}, task)
        origin |= {address: task.id for address, thing in things(alone).items() if thing.kind != "infrastructure"}
        if known.is_list:
            values.setdefault(known.field, []).append(record)
        elif known.field in values:
            raise InvalidInputError(f"{task.id}: a workflow has one {kind}", hint="put everything into one task")
        else:
            values[known.field] = record
            if task.provider:
                values["provider"] = task.provider
    return _checked(values, tasks[0]), origin


def kind_of(task: Task) -> str | None:
    """The kind of resource that a task makes, None for one that makes none. Raises InvalidInputError for an unknown kind."""
    if task.task != "provision":
        return KINDS.get(task.task)
    kind = str(task.config.get("kind", ""))
    if kind not in BY_NAME or not BY_NAME[kind].is_resource or not BY_NAME[kind].field:
        raise InvalidInputError(f"{task.id}: there is no kind {kind[:60]!r}", hint="`prov schema list` shows them")
    return kind


def joined(
    plan: Plan, definition: Definition, parameters: Mapping[str, Any], tasks: Sequence[Task], origin: Mapping[str, str]
) -> Plan:
    """The plan of the resources with the other tasks as steps, and what tasks need as what steps need. Raises CycleError."""
    steps_of: dict[str, list[str]] = {task.id: [] for task in tasks}
    for step in plan.steps:
        owned = origin.get(step.address)
        if owned is not None:
            steps_of[owned].append(step.id)
    by_id = {task.id: task for task in tasks}
    added = []
    for task in tasks:
        if kind_of(task) is None:
            steps_of[task.id].append(f"task:{task.id}")
            added.append(_step(task))
    settled = [*plan.steps, *added]
    owner = {step: task for task, steps in steps_of.items() for step in steps}
    made = []
    for step in settled:
        task_id = owner.get(step.id)
        needs = set(step.needs)
        if task_id is not None:
            needs |= {one for need in _behind(task_id, by_id, steps_of) for one in steps_of[need]}
            step = replace(step, retry=by_id[task_id].retry.policy)  # noqa: PLW2901 - the same step with its task's patience
        made.append(replace(step, needs=tuple(sorted(needs - {step.id}))))
    return replace(
        plan,
        kind="workflow",
        title=definition.name,
        steps=waved(made),
        targets={"workflow": definition.id, "definition_sha256": definition.sha256, "parameters": dict(parameters)},
        config={},
    )


async def joined_sealed(
    plan: Plan,
    definition: Definition,
    parameters: Mapping[str, Any],
    tasks: Sequence[Task],
    origin: Mapping[str, str],
    secrets: Secrets,
) -> Plan:
    """As `joined`, with what is secret in parameters and configurations sealed, so that it can be stored.

    Raises CycleError, and what sealing raises where there is a secret and no vault.
    """
    return await sealed_plan(joined(plan, definition, parameters, tasks, origin), secrets)


def _behind(task: str, by_id: Mapping[str, Task], steps_of: Mapping[str, Sequence[str]]) -> set[str]:
    """The tasks that a task waits for; through tasks that have nothing to do to those before them."""
    found, waiting = set[str](), list(by_id[task].needs)
    while waiting:
        need = waiting.pop()
        if need in found:
            continue
        found.add(need)
        if not steps_of[need]:
            waiting.extend(by_id[need].needs)
    return found


def _step(task: Task) -> PlanStep:
    address = str(task.config.get("resource") or f"task.{task.id}")
    return PlanStep(
        id=f"task:{task.id}",
        action="task",
        address=address,
        provider=task.provider,
        title=task.name or f"{task.task.replace('_', ' ').capitalize()}: {task.id}",
        wave=1,
        task=task.task,
        config=task.config,
        rollback="nothing to undo",
    )


def _checked(values: Mapping[str, Any], task: Task) -> InfrastructureConfig:
    from pydantic import ValidationError  # noqa: PLC0415 - beside its only use

    try:
        return InfrastructureConfig.model_validate(dict(values))
    except ValidationError as error:
        item = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in item["loc"] if not isinstance(part, int))
        raise InvalidInputError(
            f"{task.id}: {sentence(where, item)}", hint="`prov schema show` has the fields of each kind"
        ) from None
