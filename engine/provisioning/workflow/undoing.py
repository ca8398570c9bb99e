"""One attempt to take back one step of an operation, done or cut off half-way."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from provisioning.plan.joints import PROTECTION
from provisioning.plan.model import PlanStep, deposed
from provisioning.resource import Recorded
from provisioning.state.model import StepRun
from provisioning.workflow.calls import Journal
from provisioning.workflow.doing import UNDO, identity, tasked
from provisioning.workflow.site import Done, Site
from provisioning.workflow.tasks import task_type
from provisioning.workflow.wanted import identity_of, recorded_of, shape_of, token_of, unrecorded, wanted_of

PREFIX = UNDO


def attempt(site: Site, step: PlanStep, done: StepRun, number: int, *, is_touched: bool) -> Mapping[str, Any]:
    """Try to take back a step: `done` is its row, `is_touched` that a provider was called for it. Raises as `doing.attempt`."""

    begun = StepRun(site.operation.id, PREFIX + step.id, step.address, step.action, "pending")

    def act(run: StepRun, journal: Journal) -> Done:
        if step.action == "task":
            return _task(site, step, done, run, journal)
        if step.action == "backup" or not (is_touched or done.status == "succeeded"):
            return Done({"said": "the backup is kept" if step.action == "backup" else "nothing to undo"})
        if step.action == "create":
            return _uncreate(site, step, done, journal)
        return _unchange(site, step, done, run, journal) if step.action == "update" else _undelete(site, step, done, run, journal)

    reason = f"undo: {step.title}"
    return site.attempt(begun, number, step.retry, act, provider=step.provider, reason=reason, before=lambda: done.before)


def _uncreate(site: Site, step: PlanStep, done: StepRun, journal: Journal) -> Done:
    """Delete what was made, also what was made half and is known by its tag only; the old one takes its place again."""
    provider = site.provider(step.provider)
    aside = site.recorded(deposed(step.address)) if step.is_replacement else None
    changed = (replace(aside, address=step.address),) if aside else ()
    removed = (aside.address,) if aside else ()
    if done.status == "succeeded":
        one = site.recorded(step.address)
        if one is None or one.id != done.result.get("id"):
            return Done({"said": "it was gone already"})
        provider.delete(_unprotected(one), journal)
        return Done({"deleted": one.id}, changed, removed or (step.address,))
    tag = identity(site, step, done.operation)
    shape = step.wanted or {}
    # Not one that the state has: the step would have made a second one.
    known = {one.id for one in (site.recorded(step.address), aside) if one}
    found = [one for one in site.look_up(step, tag, shape["region"], shape["kind"]) if one.id not in known]
    for half in found:
        provider.delete(_unprotected(unrecorded(shape, tag, site.lineage, half)), journal)
    return Done(
        {"deleted": ", ".join(one.id for one in found)} if found else {"said": "nothing of it was there"}, was_there=bool(found)
    )


def _unprotected(one: Recorded) -> Recorded:
    """What an operation made it may take back: nobody has relied on its protection against deletion yet."""
    return replace(one, values={**one.values, PROTECTION: False}) if one.values.get(PROTECTION) else one


def _unchange(site: Site, step: PlanStep, done: StepRun, run: StepRun, journal: Journal) -> Done:
    """Bring the leaves back to what they were."""
    before = done.before
    is_done = done.status == "succeeded"
    now = site.recorded(step.address if is_done else step.previous or step.address)
    if before is None or now is None:
        return Done({"said": "it is not in the state any more"})
    shape = shape_of(before)
    token = token_of(run.operation, run.step)
    wanted = wanted_of(shape, identity_of(before), site.store, site.vault, lineage=site.lineage, token=token)
    found = site.provider(step.provider).update(now, wanted, frozenset(step.paths), journal)
    back = recorded_of(shape, wanted, found, site.vault, lineage=site.lineage, before=before)
    return Done({"id": found.id}, (back,), (step.address,) if is_done and back.address != step.address else ())


def _undelete(site: Site, step: PlanStep, done: StepRun, run: StepRun, journal: Journal) -> Done:
    """Make it again as it was: under its old tag, so that what a deletion left half is taken up and not made twice."""
    before = done.before
    if before is None:
        return Done({"said": "nothing to undo"})
    shape = shape_of(before)
    token = token_of(run.operation, run.step)
    wanted = wanted_of(shape, identity_of(before), site.store, site.vault, lineage=site.lineage, token=token)
    found = site.provider(step.provider).create(wanted, journal)
    back = recorded_of(shape, wanted, found, site.vault, lineage=site.lineage)
    said = {} if found.id == before.id else {"said": f"made again as {found.id}: data that was in {before.id} is not in it"}
    return Done({"id": found.id, **said}, (back,))


def _task(site: Site, step: PlanStep, done: StepRun, run: StepRun, journal: Journal) -> Done:
    if done.status != "succeeded":
        return Done({"said": "nothing to undo"})
    work = replace(tasked(site, step.config, run, journal), result=done.result)
    return Done({"said": task_type(step.task, site.engine.tasks).undo(work)})
