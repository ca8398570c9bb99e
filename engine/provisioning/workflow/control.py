"""Operations from outside: begin one, look at it, cancel it, take it back, go on with what a dead process left.

Everything that is told comes from the state, so that it is the same in whichever process one asks. Methods are synchronous and
safe to use from threads; `wait` and `follow` are for event loops.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Literal

from provisioning.plan.model import Plan, PlanStep
from provisioning.plan.stale import opened
from provisioning.state.holder import is_dead, this_process
from provisioning.state.model import Operation, StepRun, StepStatus, StoredPlan
from provisioning.state.store import StateStore
from provisioning.workflow.apply import add_rollback, rollback_of
from provisioning.workflow.graph import in_order
from provisioning.workflow.runtime import Runtime
from provisioning.workflow.undoing import PREFIX
from stratumops.errors import ConflictError, NotFoundError

POLL_SECONDS = 0.1
_OVER: frozenset[StepStatus] = frozenset({"succeeded", "failed", "skipped", "undone", "undo_failed"})


@dataclass(frozen=True, slots=True)
class StepState:
    """A step for people: what it does and how it goes. Times are seconds since 1970, 0 for not yet."""

    id: str
    title: str
    address: str
    status: StepStatus
    wave: int
    attempts: int = 0
    started_at: float = 0.0
    ended_at: float = 0.0
    said: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class OperationState:
    """An operation with its steps in the order of the plan. `progress` is from 0 to 1; `said` the last words of what runs."""

    operation: Operation
    steps: tuple[StepState, ...]
    progress: float
    said: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something new about an operation: a step (its state), or the operation's status."""

    kind: Literal["step", "operation"]
    state: OperationState
    step: StepState | None = None


class Control:
    """The operations of one workspace."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._store: StateStore = runtime.engine.store
        self._plans: dict[str, Plan] = {}

    def submit(self, plan: Plan, by: str, *, wait_seconds: float | None = None) -> Operation:
        """Begin to do a plan; the same plan again answers the operation that does it already.

        `wait_seconds` is how long it waits for the state's lease when another operation has it: None for as long as it takes, 0
        to be refused at once. Raises CycleError and InvalidInputError for steps that cannot be ordered, and as
        `Runtime.start`.
        """
        in_order({step.id: step.needs for step in plan.steps})
        self._runtime.start()
        stored = StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at)
        self._store.keep_plan(stored)
        self._plans[stored.id] = plan
        number = 1
        while True:
            operation = Operation(
                id=f"op-{stored.sha256[:12]}" + (f"-{number}" if number > 1 else ""),
                kind="workflow" if plan.kind == "workflow" else "apply",
                status="waiting_for_approval",
                plan_id=stored.id,
                plan_sha256=stored.sha256,
                title=plan.title,
                by=by,
                made_at=time.time(),
                executor=this_process(),
                options={} if wait_seconds is None else {"wait_seconds": wait_seconds},
            )
            try:
                self._store.add_operation(operation)
            except ConflictError:
                there = self._store.operation(operation.id)
                # One that was refused before it took the plan (the state was locked, it was cancelled) does not stand in the way.
                if there.is_final and not self._store.plan(stored.id).used_by:
                    number += 1
                    continue
                return there
            self._runtime.run(operation.id, is_rollback=False)
            return operation

    def status(self, operation: str) -> OperationState:
        """How an operation goes. Raises NotFoundError."""
        row = self._store.operation(operation)
        plan = self._plan(row.plan_id)
        runs = {run.step: run for run in self._store.steps(row.id)}
        if row.kind == "rollback":
            done = {run.step for run in self._store.steps(row.parent) if run.status not in {"pending", "skipped"}}
            steps = [_state(row, PREFIX + step.id, step, runs) for step in reversed(plan.steps) if step.id in done]
        else:
            steps = [_state(row, step.id, step, runs) for step in plan.steps]
        over = sum(1 for step in steps if step.status in _OVER)
        said = [step for step in steps if step.status in {"running", "waiting"} and step.said]
        newest = max(said, key=lambda step: step.started_at, default=None)
        progress = 1.0 if row.is_final else over / len(steps) if steps else 0.0
        return OperationState(row, tuple(steps), progress, newest.said if newest else "")

    def operations(self, *, limit: int = 0, is_open: bool | None = None) -> list[Operation]:
        """Newest first."""
        return self._store.operations(limit=limit, is_open=is_open)

    def cancel(self, operation: str, by: str, *, rolls_back: bool = False) -> Operation:
        """Ask an operation to end: steps under way finish, nothing new starts, then it is taken back or stays as it is.

        Raises NotFoundError, ConflictError when it has ended, or when nobody approved that it is taken back.
        """
        row = self._store.operation(operation)
        if row.is_final:
            raise ConflictError(f"{row.id} has ended already ({row.status})", hint=f"prov rollback {row.id} takes it back")
        if rolls_back and row.kind != "rollback" and row.status != "rolling_back":
            if not self._plan(row.plan_id).rolls_back_on_failure:
                raise ConflictError(
                    f"what was approved with {row.plan_id} is not taken back by itself",
                    hint=f"cancel {row.id} without a rollback, then make a plan back: prov rollback {row.id}",
                )
            # Written down first: whoever sees the cancellation finds what shall follow it.
            add_rollback(self._store, row, by)
        return self._store.update_operation(row.id, wants_cancel=True)

    def roll_back(self, operation: str, by: str) -> Operation:
        """Take back an operation that has ended, in this process: its approval must verify still.

        Raises NotFoundError, ConflictError, ApprovalRequiredErrors.
        """
        row = self._store.operation(operation)
        if row.kind == "rollback":
            raise ConflictError(f"{row.id} is a rollback", hint="make a plan for what you want instead")
        if not row.is_final:
            raise ConflictError(f"{row.id} has not ended", hint="cancel it with a rollback, or wait for it")
        self._runtime.engine.approvals.require_used(self._plan(row.plan_id), row.id)
        number = 1
        while True:
            first = rollback_of(row, by)
            wanted = first if number == 1 else replace(first, id=f"{first.id}-{number}")
            try:
                self._store.add_operation(wanted)
            except ConflictError:
                there = self._store.operation(wanted.id)
                if not there.is_final:
                    return there
                if there.status == "succeeded":
                    raise ConflictError(f"{row.id} was taken back already, by {there.id}", hint="make a plan instead") from None
                number += 1
                continue
            self._runtime.engine.asked.add(wanted.id)
            self._runtime.run(wanted.id, is_rollback=True)
            return wanted

    def resume(self, operation: str) -> Operation:
        """Go on with an operation whose process died or was stopped. Raises NotFoundError, ConflictError (it has ended)."""
        row = self._store.operation(operation)
        if row.is_final:
            raise ConflictError(f"{row.id} has ended already ({row.status})", hint="make a new plan")
        self._go_on(row, is_asked=True)
        return row

    def recover_dead(self) -> list[Operation]:
        """Go on with every open operation whose process is known to be dead; for the start of a server."""
        dead = [row for row in self._store.operations(is_open=True) if row.executor and is_dead(row.executor)]
        for row in dead:
            self._go_on(row, is_asked=False)
        return dead

    async def wait(self, operation: str, seconds: float) -> OperationState:
        """How it is once it has ended, or after that time."""
        deadline = time.monotonic() + seconds
        while not (await asyncio.to_thread(self._store.operation, operation)).is_final and time.monotonic() < deadline:  # noqa: ASYNC110 - another process may end it
            await asyncio.sleep(min(POLL_SECONDS, max(deadline - time.monotonic(), 0)))
        return await asyncio.to_thread(self.status, operation)

    async def follow(self, operation: str) -> AsyncIterator[Event]:
        """What happens to an operation from now on, until it has ended; first how every step is. Raises NotFoundError."""
        seen: dict[str, StepState] = {}
        status = ""
        while True:
            state = await asyncio.to_thread(self.status, operation)
            for step in state.steps:
                if seen.get(step.id) != step:
                    seen[step.id] = step
                    yield Event("step", state, step)
            if state.operation.status != status:
                status = state.operation.status
                yield Event("operation", state)
            if state.operation.is_final:
                return
            await asyncio.sleep(POLL_SECONDS)

    def _plan(self, name: str) -> Plan:
        # A plan never changes, and to read a large one takes longer than a look at its operation.
        if name not in self._plans:
            self._plans[name] = opened(self._store.plan(name))
        return self._plans[name]

    def _go_on(self, row: Operation, *, is_asked: bool) -> None:
        if self._runtime.is_running(row.id):
            return
        if row.kind == "rollback" and self._waits_for_parent(row):
            return
        self._runtime.go_on(row.id, row.executor, is_rollback=row.kind == "rollback", is_asked=is_asked)

    def _waits_for_parent(self, row: Operation) -> bool:
        """Whether it was only written down, with a cancellation that the operation has not come to yet."""
        try:
            parent = self._store.operation(row.parent)
        except NotFoundError:
            return False
        return not parent.is_final and parent.status != "rolling_back"


def _state(row: Operation, name: str, step: PlanStep, runs: dict[str, StepRun]) -> StepState:
    title = f"Undo: {step.title}" if row.kind == "rollback" else step.title
    run = runs.get(name)
    if run is None:
        return StepState(name, title, step.address, "skipped" if row.is_final else "pending", step.wave)
    return StepState(
        name, title, step.address, run.status, step.wave, run.attempts, run.started_at, run.ended_at, run.said, run.error
    )
