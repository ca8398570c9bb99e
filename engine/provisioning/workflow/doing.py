"""One attempt of one step of a plan: creating, changing, deleting, saving, or a task."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.plan.model import PlanStep, deposed, task_context
from provisioning.resource import Found, Recorded
from provisioning.state.model import StepRun
from provisioning.workflow.calls import Journal
from provisioning.workflow.site import Done, Site, one_of
from provisioning.workflow.tasks import Tasked, task_type
from provisioning.workflow.wanted import home, identity_beside, identity_of, recorded_of, token_of, wanted_of
from stratumops.errors import ConflictError, InternalError, NotFoundError

UNDO = "undo:"
"""Before the name of a step that takes another one back."""


def attempt(site: Site, step: PlanStep, number: int) -> Mapping[str, Any]:
    """Try a step; answers as `running.succeeded` or `running.failed`. Raises LeaseLostError, InterruptedStepError."""

    begun = StepRun(site.operation.id, step.id, step.address, step.action, "pending")
    is_about = step.action in {"update", "delete"} or step.is_replacement

    def before() -> Recorded | None:
        return site.recorded(step.previous or step.address) if is_about else None

    def act(run: StepRun, journal: Journal) -> Done:
        if step.action in {"update", "delete"}:
            _require_same(step, run.before)
        if step.action == "create":
            return _create(site, step, run, journal)
        if step.action == "update":
            return _update(site, step, run, journal)
        if step.action == "delete":
            return _delete(site, step, run, journal)
        if step.action == "backup":
            return _back_up(site, step, journal)
        return _task(site, step, run, journal)

    return site.attempt(begun, number, step.retry, act, provider=step.provider, reason=step.title, before=before)


def _require_same(step: PlanStep, old: Recorded | None) -> None:
    """What a person allowed is about one resource of a provider, whatever its address was given to since."""
    planned = step.id_there
    if planned and old is not None and old.id != planned:
        raise ConflictError(
            f"{old.address} was {planned} when the plan was made and is {old.id} now: it was left alone",
            hint="somebody changed the state by hand; make a new plan",
        )


def identity(site: Site, step: PlanStep, operation: str) -> str:
    """What the tag of the resource that a step makes or changes says."""
    if step.action == "create":
        return identity_beside(step.address, token_of(operation, step.id)) if step.is_replacement else step.address
    one = site.recorded(step.address)
    return identity_of(one) if one and not step.previous else step.address


def _create(site: Site, step: PlanStep, run: StepRun, journal: Journal) -> Done:
    shape = _shape(step)
    tag = identity(site, step, site.operation.id)
    token = token_of(site.operation.id, step.id)
    wanted = wanted_of(shape, tag, site.store, site.vault, lineage=site.lineage, token=token)
    there = one_of(site.look_up(step, tag, wanted.region, wanted.kind), step.address)
    found = _usable(site.provider(step.provider).create(wanted, journal), step.address)
    old = run.before
    if old is not None and old.id == found.id and step.is_replacement:
        # Its deletion comes later in this plan: it would take away the only one there is.
        raise ProviderError(
            f"{step.provider} answered the old {step.address} instead of a new one", hint="nothing was replaced; report this"
        )
    made = recorded_of(shape, wanted, found, site.vault, lineage=site.lineage)
    aside = () if old is None or not step.is_replacement else (replace(old, address=deposed(step.address)),)
    return Done({"id": found.id}, (*aside, made), was_there=there is not None)


def _update(site: Site, step: PlanStep, run: StepRun, journal: Journal) -> Done:
    old = run.before
    if old is None:
        raise NotFoundError(f"{step.previous or step.address} is not in the state any more", hint="make a new plan")
    shape = _shape(step)
    token = token_of(site.operation.id, step.id)
    wanted = wanted_of(shape, identity(site, step, site.operation.id), site.store, site.vault, lineage=site.lineage, token=token)
    found = site.provider(step.provider).update(old, wanted, frozenset(step.paths), journal)
    made = recorded_of(shape, wanted, _usable(found, step.address), site.vault, lineage=site.lineage, before=old)
    return Done({"id": found.id}, (made,), (step.previous,) if step.previous and step.previous != step.address else ())


def _delete(site: Site, step: PlanStep, run: StepRun, journal: Journal) -> Done:
    old = run.before
    if old is None:
        return Done({"said": "it was gone already"})
    site.provider(step.provider).delete(old, journal)
    return Done({"id": old.id}, (), (step.address,))


def _back_up(site: Site, step: PlanStep, journal: Journal) -> Done:
    one = site.recorded(step.address)
    if one is None:
        raise NotFoundError(f"{step.address} is not in the state any more", hint="make a new plan")
    _require_same(step, one)
    backup = site.provider(step.provider).back_up(one, f"{site.operation.id}-{home(step.address)}", journal)
    return Done({"backup": backup})


def _task(site: Site, step: PlanStep, run: StepRun, journal: Journal) -> Done:
    return Done(task_type(step.task, site.engine.tasks).run(tasked(site, step.config, run, journal)))


def tasked(site: Site, config: Mapping[str, Any], run: StepRun, journal: Journal) -> Tasked:
    """What a task's function works with."""
    begun = run.started_at or time.time()
    config = site.vault.opened(config, task_context(site.lineage, run.step.removeprefix(UNDO)))
    return Tasked(config, journal, site.store.resource, site.provider, begun, run.result)


def _shape(step: PlanStep) -> Mapping[str, Any]:
    if step.wanted is None:
        raise InternalError(f"the step {step.id} does not say what it makes", step=step.id)
    return step.wanted


def _usable(found: Found, address: str) -> Found:
    if found.status == "pending":
        raise ProviderBusyError(f"{address} ({found.id}) cannot be used yet")
    if found.status in {"failed", "gone"}:
        raise ProviderError(f"{address} ({found.id}) is {found.status} at its provider", hint="look at it there, then plan again")
    return found
