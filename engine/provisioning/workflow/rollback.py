"""The workflow of a rollback: it reads the journal of an operation and takes its steps back, the last first.

One step that cannot be taken back does not stop the others; the operation ends as failed then, with the list.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.stale import opened
from provisioning.state.holder import this_process
from provisioning.state.model import Operation, StepRun
from provisioning.workflow import undoing
from provisioning.workflow.apply import end, told
from provisioning.workflow.calls import said
from provisioning.workflow.engine import Engine, Vault
from provisioning.workflow.permission import require_way_back
from provisioning.workflow.running import SPARED, Job, Recorder, run_all
from provisioning.workflow.site import Site
from provisioning.workflow.watch import CancelledByPersonError, Watch
from stratumops.errors import StratumError, UnavailableError

_NOTHING_TO_UNDO = frozenset({"pending", "skipped", "undone"})


async def roll_back(operation: str, engine: Engine, vault: Vault, recorder: Recorder, is_stopping: Callable[[], bool]) -> None:
    """Take an operation back. Raises as `apply.apply`."""
    store = engine.store
    row = await asyncio.to_thread(store.operation, operation)
    if row.is_final or row.kind != "rollback" or row.id != operation:
        return
    parent = await asyncio.to_thread(store.operation, row.parent)
    if parent.is_final and operation not in engine.asked:
        # It ended with its operation and died before it could say so; or somebody wrote the row, which is no permission.
        is_done = parent.status == "rolled_back"
        words = "" if is_done else f"{parent.id} has ended ({parent.status}): make a plan back: prov rollback {parent.id}"
        await end(store, operation, "succeeded" if is_done else "failed", words)
        return
    async with Watch(store, operation, under=parent.id, seconds=engine.lease_seconds, is_stopping=is_stopping) as watch:
        try:
            plan = opened(await asyncio.to_thread(store.plan, row.plan_id))
            await watch.take(None)
            await asyncio.to_thread(require_way_back, engine, row, parent, plan)
            running = replace(row, started_at=row.started_at or time.time())
            await asyncio.to_thread(
                lambda: store.update_operation(
                    operation, status="running", executor=this_process(), started_at=running.started_at
                )
            )
            await _run(running, parent, plan, engine, vault, recorder, watch, is_stopping)
        except CancelledByPersonError:
            await _over(engine, row, parent, watch, "the rollback was cancelled", is_cancelled=True)
        except UnavailableError:
            raise
        except StratumError as error:
            await _over(engine, row, parent, watch, said(error, engine.clean))


async def _run(
    row: Operation,
    parent: Operation,
    plan: Plan,
    engine: Engine,
    vault: Vault,
    recorder: Recorder,
    watch: Watch,
    is_stopping: Callable[[], bool],
) -> None:
    store = engine.store
    runs = {run.step: run for run in await asyncio.to_thread(store.steps, parent.id)}
    touched = {intent.step for intent in await asyncio.to_thread(lambda: store.intents(operation=parent.id))}
    site = await asyncio.to_thread(Site, engine, vault, row, watch, is_stopping)
    users: dict[str, list[str]] = {}
    for step in plan.steps:
        for need in step.needs:
            users.setdefault(need, []).append(undoing.PREFIX + step.id)

    def job(step: PlanStep) -> Job:
        done = runs.get(step.id)

        def is_done() -> bool:
            return done is None or done.status in _NOTHING_TO_UNDO or site.is_done(undoing.PREFIX + step.id)

        def attempt(number: int) -> Mapping[str, Any]:
            assert done is not None
            return undoing.attempt(site, step, _as_it_ended(done), number, is_touched=step.id in touched)

        return Job(undoing.PREFIX + step.id, users.get(step.id, ()), step.retry, attempt, is_done)

    jobs = [job(step) for step in reversed(plan.steps)]
    outcomes = await run_all(jobs, recorder, watch, at_once=engine.at_once, on_failure="go_on")
    await asyncio.to_thread(_mark, site, runs, outcomes)
    errors = {step: error for step, error in outcomes.items() if error not in {"", SPARED}}
    if watch.is_cancelled and SPARED in outcomes.values():
        await _over(engine, row, parent, watch, "the rollback was cancelled", is_cancelled=True)
    else:
        await _over(engine, row, parent, watch, told(errors, len(outcomes)) if errors else "")


def _as_it_ended(done: StepRun) -> StepRun:
    """A step's row as its own operation left it: a rollback before this one may have written over its status."""
    return done if done.status not in {"undone", "undo_failed"} or not done.result else replace(done, status="succeeded")


def _mark(site: Site, runs: dict[str, StepRun], outcomes: dict[str, str]) -> None:
    """Write down at the steps that were taken back what became of them."""
    for step, run in runs.items():
        error = outcomes.get(undoing.PREFIX + step, SPARED)
        if run.status in _NOTHING_TO_UNDO or error == SPARED:
            continue
        undo = site.run_of(undoing.PREFIX + step)
        words = str(undo.result.get("said", "")) if undo else ""
        site.store.put_step(replace(run, status="undo_failed" if error else "undone", error=error or run.error, said=words))


async def _over(
    engine: Engine, row: Operation, parent: Operation, watch: Watch, error: str, *, is_cancelled: bool = False
) -> None:
    """How the rollback ended, and with it the operation that waited for it."""
    await watch.release()
    if parent.status == "rolling_back":
        words = f"{parent.error}; not all was taken back: {error}" if error else parent.error
        await end(engine.store, parent.id, "failed" if error else "rolled_back", words)
    await end(engine.store, row.id, "cancelled" if is_cancelled else "failed" if error else "succeeded", error)
