"""The workflow of an operation: approval, the lease, a look whether the plan still fits, its steps, and how it ends.

It may run several times for one operation, in one process after another: what it did is in the journal and in the durable record,
and whatever it says about an operation's status it may say again.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from provisioning.errors import ApprovalDeniedError, PlanSpentError
from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.stale import opened
from provisioning.state.holder import this_process
from provisioning.state.model import Operation, OperationStatus
from provisioning.state.store import StateStore
from provisioning.workflow import doing
from provisioning.workflow.calls import said
from provisioning.workflow.engine import Engine, Vault
from provisioning.workflow.permission import begin, is_allowed, rollback_id
from provisioning.workflow.running import SPARED, Job, Recorder, run_all
from provisioning.workflow.site import Site
from provisioning.workflow.watch import CancelledByPersonError, Watch
from stratumops.errors import ConflictError, StratumError, UnavailableError

MOST_TOLD = 5


async def apply(operation: str, engine: Engine, vault: Vault, recorder: Recorder, is_stopping: Callable[[], bool]) -> None:
    """Do an operation to its end.

    Raises asyncio.CancelledError when this process has to leave it to another one, UnavailableError when the state cannot be
    written: then it stays open, to be resumed.
    """
    store = engine.store
    row = await asyncio.to_thread(store.operation, operation)
    # The record of workflows names it, and says less than the state: a rollback is none of ours, nor what an id only begins.
    if row.is_final or row.kind == "rollback" or row.id != operation:
        return
    if row.status == "rolling_back":
        await recorder.start_rollback(rollback_id(operation))
        return
    async with Watch(store, operation, under=operation, seconds=engine.lease_seconds, is_stopping=is_stopping) as watch:
        try:
            plan, is_new = await _allowed(row, engine, watch)
            await _note(store, operation, status="queued")
            # What was begun must come to its end, however little it wanted to wait in the beginning.
            await watch.take(row.options.get("wait_seconds") if is_new else None)
            await _note(store, operation, status="running", started_at=row.started_at or time.time())
            # In every run, and not recorded: neither a record nor a row may stand for a person's approval.
            await asyncio.to_thread(begin, engine, plan, operation)
            await _run(row, plan, engine, vault, recorder, watch, is_stopping)
        except CancelledByPersonError:
            if await asyncio.to_thread(store.steps, operation):
                await _cancelled(store, operation, "cancelled before it went on", recorder, watch)
            else:
                await end(store, operation, "cancelled", "cancelled before anything was done", watch=watch)
                await _drop_rollback(store, operation, "nothing was done")
        except ApprovalDeniedError as error:
            await end(store, operation, "denied", said(error, engine.clean), watch=watch)
        except PlanSpentError as error:
            # Of what was begun, and is allowed no more, something is there.
            status: OperationStatus = "failed" if await asyncio.to_thread(store.steps, operation) else "expired"
            await end(store, operation, status, said(error, engine.clean), watch=watch)
        except UnavailableError:
            raise
        except StratumError as error:
            await end(store, operation, "failed", said(error, engine.clean), watch=watch)


def rollback_of(row: Operation, by: str) -> Operation:
    """The operation that takes another one back."""
    return Operation(
        id=rollback_id(row.id),
        kind="rollback",
        status="queued",
        plan_id=row.plan_id,
        plan_sha256=row.plan_sha256,
        title=f"Roll back: {row.title}",
        by=by,
        made_at=time.time(),
        parent=row.id,
        executor=this_process(),
    )


async def end(store: StateStore, operation: str, status: OperationStatus, error: str = "", *, watch: Watch | None = None) -> None:
    """Write down how an operation ended; a status that is final already stays."""
    if watch is not None:
        # First: whoever sees that it has ended may want the lease at once.
        await watch.release()
    await asyncio.to_thread(lambda: store.update_operation(operation, status=status, error=error, ended_at=time.time()))


async def _note(store: StateStore, operation: str, *, status: OperationStatus, started_at: float | None = None) -> None:
    executor = this_process()
    await asyncio.to_thread(lambda: store.update_operation(operation, status=status, executor=executor, started_at=started_at))


async def _allowed(row: Operation, engine: Engine, watch: Watch) -> tuple[Plan, bool]:
    """The plan once it may be done, and whether nothing of it was done yet."""
    stored = await asyncio.to_thread(engine.store.plan, row.plan_id)
    plan = opened(stored)
    if stored.used_by == row.id and await asyncio.to_thread(is_allowed, engine, plan, row.id):
        return plan, False
    await _note(engine.store, row.id, status="waiting_for_approval")
    await watch.unless_cancelled(engine.approvals.wait(plan, row.id))
    return plan, True


async def _run(
    row: Operation, plan: Plan, engine: Engine, vault: Vault, recorder: Recorder, watch: Watch, is_stopping: Callable[[], bool]
) -> None:
    site = await asyncio.to_thread(Site, engine, vault, row, watch, is_stopping)
    outcomes = await run_all(
        [_job(site, step) for step in plan.steps],
        recorder,
        watch,
        at_once=engine.at_once,
        on_failure="stop" if plan.rolls_back_on_failure else "spare",
    )
    errors = {step: error for step, error in outcomes.items() if error not in {"", SPARED}}
    store = engine.store
    if not any(outcomes.values()):
        await end(store, row.id, "succeeded", watch=watch)
        await _drop_rollback(store, row.id, f"{row.id} had succeeded before it could be cancelled")
    elif watch.is_cancelled:
        done = sum(1 for error in outcomes.values() if not error)
        await _cancelled(store, row.id, f"cancelled after {done} of {len(outcomes)} steps", recorder, watch)
    elif plan.rolls_back_on_failure:
        await asyncio.to_thread(add_rollback, store, row, row.by)
        await _roll_back(store, row.id, told(errors, len(outcomes)), recorder)
    else:
        await end(store, row.id, "failed", told(errors, len(outcomes)), watch=watch)


def _job(site: Site, step: PlanStep) -> Job:
    return Job(step.id, step.needs, step.retry, lambda number: doing.attempt(site, step, number), lambda: site.is_done(step.id))


def add_rollback(store: StateStore, row: Operation, by: str) -> Operation:
    """The operation that takes another one back, made if it is not there."""
    # An earlier run of this workflow, or the one who cancelled, may have made it.
    with suppress(ConflictError):
        store.add_operation(rollback_of(row, by))
    return store.operation(rollback_id(row.id))


async def _cancelled(store: StateStore, operation: str, words: str, recorder: Recorder, watch: Watch) -> None:
    """End as the one who cancelled wants it: with the rollback that was written down before the cancellation, or as it is."""
    if any(one.id == rollback_id(operation) for one in await asyncio.to_thread(lambda: store.operations(is_open=True))):
        await _roll_back(store, operation, words, recorder)
    else:
        await end(store, operation, "cancelled", words, watch=watch)


async def _roll_back(store: StateStore, operation: str, words: str, recorder: Recorder) -> None:
    await asyncio.to_thread(lambda: store.update_operation(operation, status="rolling_back", error=words))
    await recorder.start_rollback(rollback_id(operation))


async def _drop_rollback(store: StateStore, operation: str, why: str) -> None:
    """A rollback was asked for with a cancellation, and there is nothing to take back."""
    for one in await asyncio.to_thread(lambda: store.operations(is_open=True)):
        if one.id == rollback_id(operation):
            await end(store, one.id, "cancelled", why)


def told(errors: Mapping[str, str], total: int) -> str:
    """The failures of an operation in words."""
    words = [f"{step}: {error}" for step, error in errors.items()]
    more = f"; and {len(words) - MOST_TOLD} more" if len(words) > MOST_TOLD else ""
    return f"{len(words)} of {total} steps failed: {'; '.join(words[:MOST_TOLD])}{more}"
