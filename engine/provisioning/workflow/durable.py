"""The two workflows as DBOS knows them. Importing this imports DBOS: only `runtime` does, when work begins.

Nothing but an operation's id goes in, and only words of errors and times come out: what DBOS keeps holds no configuration and no
secret. The approval is waited for, and the lease taken, outside of recorded steps: both belong to a process and not to history.
"""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dbos import DBOS, SetWorkflowID, StepOptions, WorkflowStatusString, error

from provisioning.state.holder import is_dead
from provisioning.workflow.apply import apply, end
from provisioning.workflow.calls import said
from provisioning.workflow.engine import Engine, Vault
from provisioning.workflow.rollback import roll_back
from stratumops.errors import UnavailableError


@dataclass(frozen=True)
class Machine:
    """What the workflows of this process work with, and which of them run."""

    engine: Engine
    vault: Vault
    stopping: threading.Event = field(default_factory=threading.Event)
    active: set[str] = field(default_factory=set)
    _idle: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def running(self, operation: str) -> Iterator[None]:
        """While a workflow runs."""
        with self._idle:
            self.active.add(operation)
        try:
            yield
        finally:
            with self._idle:
                self.active.discard(operation)
                self._idle.notify_all()

    def wait_until_idle(self, seconds: float) -> None:
        """Wait until none runs, or for that long."""
        with self._idle:
            self._idle.wait_for(lambda: not self.active, seconds)


_machine: list[Machine] = []


def install(machine: Machine | None) -> None:
    """Give the workflows what they work with, or take it away."""
    _machine[:] = [machine] if machine else []


class DurableSlot:
    """A reserved step of the workflow that runs."""

    def __init__(self) -> None:
        self._reserved = DBOS.reserve_step()

    async def run(self, name: str, function: Callable[[], Awaitable[Any]]) -> Any:
        """As `running.Slot.run`."""

        async def step() -> Any:
            return await function()

        return await self._reserved.run_async(StepOptions(name=name), step)


class DurableRecorder:
    """The record of the workflow that runs."""

    def slot(self) -> DurableSlot:
        """As `running.Recorder.slot`."""
        return DurableSlot()

    async def start_rollback(self, operation: str) -> None:
        """As `running.Recorder.start_rollback`."""
        # In a context of its own: as a child it would take a place in the record, which a run after a crash may not come to.
        await contextvars.Context().run(asyncio.ensure_future, start(operation, is_rollback=True))


@DBOS.workflow(name="provisioning.apply", max_recovery_attempts=None)
async def apply_workflow(operation: str) -> None:
    """An operation by its id."""
    machine = _machine[0]
    with machine.running(operation):
        await _to_its_end(machine, operation, apply)


@DBOS.workflow(name="provisioning.roll_back", max_recovery_attempts=None)
async def roll_back_workflow(operation: str) -> None:
    """A rollback by its id."""
    machine = _machine[0]
    with machine.running(operation):
        await _to_its_end(machine, operation, roll_back)


async def _to_its_end(machine: Machine, operation: str, work: Callable[..., Awaitable[None]]) -> None:
    try:
        await work(operation, machine.engine, machine.vault, DurableRecorder(), machine.stopping.is_set)
    except (error.DBOSException, UnavailableError):
        # Nothing can be written now, or another process owns it: it stays open.
        raise
    except Exception as defect:  # noqa: BLE001 - a defect of ours must not leave an operation open for ever
        await end(machine.engine.store, operation, "failed", said(defect, machine.engine.clean))
    await asyncio.to_thread(machine.engine.ended)


async def start(operation: str, *, is_rollback: bool) -> None:
    """Start a workflow in this process, once for each id: a second time does nothing."""
    with SetWorkflowID(operation):
        await DBOS.start_workflow_async(roll_back_workflow if is_rollback else apply_workflow, operation)


async def go_on(operation: str, executor: str, *, is_rollback: bool, is_asked: bool) -> None:
    """Go on with an operation whose process is dead, and with one of a process of which nothing is known only when asked."""
    known = await DBOS.get_workflow_status_async(operation)
    if known is None:
        await start(operation, is_rollback=is_rollback)
        return
    dead = sorted({one for one in (known.executor_id, executor) if one and is_dead(one)})
    # There is no public way without their service. All that these processes left is taken over at once.
    taken = await asyncio.to_thread(DBOS._recover_pending_workflows, dead)  # noqa: SLF001 - there is no public way
    if taken:
        return
    if is_asked and known.status == WorkflowStatusString.ERROR.value:
        # It broke off where nothing could be written. What was done is in the journal, so that it may begin anew.
        await DBOS.fork_workflow_async(operation, 1)
    elif is_asked:
        await DBOS.resume_workflow_async(operation)
