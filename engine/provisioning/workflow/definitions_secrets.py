"""What is secret in the plan of a workflow: parameters and configurations are stored sealed, and titles do not repeat them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from prov_judge.changes.masking import HIDDEN, shown
from provisioning.plan.model import Plan, PlanStep, task_context
from provisioning.secrets import SEALED, Secrets, seal_values
from stratumops.handles import is_handle

PARAMETERS = "parameters"
_LEAST = 4
"""Shorter values of secret parameters stand in too many texts by chance."""


async def sealed_plan(plan: Plan, secrets: Secrets) -> Plan:
    """The plan with its secret leaves sealed: parameters (context `LINEAGE/parameters`), configurations of tasks
    (`plan.model.task_context`) and resources (their own contexts).

    Secret is what the masking hides, and every text that a secret parameter was filled into. Raises what sealing raises.
    """
    lineage = plan.basis.lineage
    given = plan.targets.get(PARAMETERS, {})
    hidden = _secret_texts(given)
    clean = _cleaner(hidden)

    async def sealed(values: Mapping[str, Any], context: str) -> dict[str, Any]:
        return await seal_values(await _filled_sealed(values, hidden, secrets, context), secrets, context)

    async def step_of(step: PlanStep) -> PlanStep:
        wanted = step.wanted
        if wanted is not None and hidden:
            home = f"{lineage}/{wanted['address']}"
            wanted = {
                **wanted,
                "values": await sealed(wanted["values"], home),
                "record": await sealed(wanted["record"], f"{home}/record"),
            }
        return replace(
            step,
            config=await sealed(step.config, task_context(lineage, step.id)),
            wanted=wanted,
            title=clean(step.title),
            fields=tuple((clean(path), _cleaned(before, clean), _cleaned(after, clean)) for path, before, after in step.fields),
        )

    return replace(
        plan,
        steps=tuple([await step_of(step) for step in plan.steps]),
        targets={**plan.targets, PARAMETERS: await sealed(given, f"{lineage}/{PARAMETERS}")},
    )


def _secret_texts(parameters: Mapping[str, Any]) -> list[str]:
    """The values of secret parameters, the longest first."""
    found = {text for name, text in parameters.items() if isinstance(text, str) and _is_secret(name, text)}
    return sorted((text for text in found if len(text) >= _LEAST), key=len, reverse=True)


def _is_secret(name: str, text: str) -> bool:
    return not is_handle(text) and shown(name, text) == HIDDEN


def _cleaner(hidden: Sequence[str]) -> Callable[[str], str]:
    def clean(text: str) -> str:
        for secret in hidden:
            text = text.replace(secret, HIDDEN)
        return text

    return clean


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(inner, clean) for key, inner in value.items()}
    if isinstance(value, Sequence):
        return [_cleaned(inner, clean) for inner in value]
    return value


async def _filled_sealed(values: Mapping[str, Any], hidden: Sequence[str], secrets: Secrets, context: str) -> dict[str, Any]:
    """The values with every text sealed that a secret parameter stands in, at the paths that `unseal_values` reads."""

    async def walked(value: Any, path: str) -> Any:
        if isinstance(value, Mapping):
            if set(value) == {SEALED}:
                return dict(value)
            return {key: await walked(inner, f"{path}.{key}" if path else key) for key, inner in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, str):
            return [await walked(inner, f"{path}[{index}]") for index, inner in enumerate(value)]
        if isinstance(value, str) and any(secret in value for secret in hidden):
            return {SEALED: await secrets.seal(value, f"{context}#{path}")}
        return value

    found: dict[str, Any] = await walked(values, "") if hidden else dict(values)
    return found
