"""Operations watched, stopped, gone on with, under a lease that is lost or a state that cannot be written."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from provisioning.plan.model import RetryPolicy
from provisioning.state.model import Operation, StoredPlan
from provisioning.workflow.control import Control
from provisioning.workflow.runtime import Runtime
from stratumops.errors import ConflictError, NotFoundError, UnavailableError

from .waiting import PATIENT, until, until_waiting
from .world import LIMIT, Allows, World, create, fifty, slower, world

pytestmark = pytest.mark.anyio


async def test_whoever_follows_sees_every_step_and_the_end(here: World):
    operation = here.control.submit(here.plan(fifty()), "ada")
    last: dict[str, str] = {}
    progress = []
    async for event in here.control.follow(operation.id):
        progress.append(event.state.progress)
        if event.step:
            last[event.step.id] = event.step.status

    assert last == {one.id: "succeeded" for one in fifty()}
    assert progress == sorted(progress)
    assert progress[-1] == 1.0


async def test_an_operation_is_watched_from_another_workspace_object(here: World):
    """As another process does, in which no durable machinery runs."""
    operation = here.control.submit(here.plan([create("server.web")]), "ada")
    await here.ended(operation.id)
    other = Runtime(here.runtime.engine, here.folder / "own")
    assert Control(other).status(operation.id).progress == 1.0
    assert not other.is_started


async def test_a_second_workspace_is_refused_while_the_first_works(here: World, tmp_path: Path):
    here.runtime.start()
    with world(tmp_path / "second") as second, pytest.raises(ConflictError, match="another workspace"):
        second.runtime.start()


async def test_stopped_in_the_middle_it_goes_on_where_it_was(tmp_path: Path):
    with world(tmp_path) as here:
        here.cloud.fail("throttle", "Create", "server.slow")
        steps = [
            create("vpc.main"),
            slower(create("server.slow", "vpc.main"), RetryPolicy(3, 60_000)),
            create("server.b", "vpc.main"),
        ]
        operation = here.control.submit(here.plan(steps), "ada")
        await until_waiting(here, operation.id, "server.slow")
    with world(tmp_path) as here:
        assert not here.store.operation(operation.id).is_final
        here.control.resume(operation.id)
        await until_waiting(here, operation.id, "server.slow")
        assert len(here.cloud.requests("Create", "vpc.main")) == 1
        assert len(here.cloud.requests("Create", "server.slow")) == 1
        here.control.cancel(operation.id, "ada")
        assert (await here.ended(operation.id)).operation.status == "cancelled"


async def test_what_was_written_down_and_never_started_is_started_by_resume(here: World):
    plan = here.plan([create("server.web")])
    here.store.keep_plan(StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at))
    here.store.add_operation(Operation("op-1", "apply", "queued", plan.id, plan.sha256, "Test", "ada", plan.made_at))

    here.control.resume("op-1")
    state = await here.ended("op-1")

    assert state.operation.status == "succeeded"
    with pytest.raises(ConflictError, match="has ended already"):
        here.control.resume("op-1")
    with pytest.raises(NotFoundError):
        here.control.resume("op-2")


async def test_nothing_is_resumed_that_runs_here(here: World):
    here.cloud.fail("throttle", "Create", "server.web")
    operation = here.control.submit(here.plan([slower(create("server.web"), PATIENT)]), "ada")
    await until_waiting(here, operation.id, "server.web")

    here.control.resume(operation.id)
    assert here.control.recover_dead() == []
    here.control.cancel(operation.id, "ada")
    await here.ended(operation.id)
    assert len(here.cloud.requests("Create")) == 1


async def test_a_wait_that_is_over_answers_how_it_is(here: World):
    here.cloud.fail("throttle", "Create", "server.web")
    operation = here.control.submit(here.plan([slower(create("server.web"), PATIENT)]), "ada")
    state = await here.control.wait(operation.id, 0.01)

    assert not state.operation.is_final
    here.control.cancel(operation.id, "ada")
    await here.ended(operation.id)


async def test_a_process_that_lost_its_lease_writes_nothing_more(here: World):
    here.cloud.fail("throttle", "Create", "server.web")
    retry = RetryPolicy(max_retries=3, initial_delay_ms=500)
    operation = here.control.submit(here.plan([slower(create("server.web"), retry), create("server.next", "server.web")]), "ada")
    await until_waiting(here, operation.id, "server.web")

    taken = here.store.acquire("elsewhere/1/1", operation.id)
    async with asyncio.timeout(LIMIT):
        while here.runtime.is_running(operation.id):  # noqa: ASYNC110 - it ends on another loop
            await asyncio.sleep(0.01)

    assert not here.store.operation(operation.id).is_final
    assert here.recorded() == {}
    here.store.release(taken)
    here.control.resume(operation.id)
    state = await here.ended(operation.id)
    assert state.operation.status == "succeeded"
    here.in_step()


async def test_a_lease_is_kept_alive_while_an_operation_runs(tmp_path: Path):
    with world(tmp_path, lease_seconds=1.0) as here:
        here.cloud.fail("throttle", "Create", "server.web")
        operation = here.control.submit(here.plan([slower(create("server.web"), PATIENT)]), "ada")
        await until_waiting(here, operation.id, "server.web")
        first = here.store.lease()
        assert first is not None
        async with asyncio.timeout(LIMIT):
            while (now := here.store.lease()) is None or now.expires_at < first.expires_at + 1.0:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.05)
        assert now.token == first.token
        here.control.cancel(operation.id, "ada")
        await here.ended(operation.id)


async def test_the_record_of_operations_that_cannot_be_opened_says_so(tmp_path: Path):
    (tmp_path / "own").write_text("not a folder")
    with world(tmp_path) as here, pytest.raises(UnavailableError, match="cannot be used"):
        here.runtime.start()
    (tmp_path / "own").unlink()
    with world(tmp_path) as here:
        assert (await here.done([create("server.web")])).operation.status == "succeeded"
    (tmp_path / "own" / "workflows.db").write_bytes(b"no database" * 1000)
    with world(tmp_path) as here, pytest.raises(UnavailableError, match="cannot be used"):
        here.runtime.start()


async def test_the_record_belongs_to_its_owner_alone(here: World):
    await here.done([create("server.web")])
    assert (here.folder / "own" / "workflows.db").stat().st_mode & 0o777 == 0o600


async def test_an_operation_whose_state_cannot_be_written_stays_open_and_goes_on_when_it_can(tmp_path: Path):
    full = threading.Event()

    def boundary(name: str) -> None:
        if name == "before finish_step":
            full.set()
        if full.is_set() and name.startswith("before"):
            raise UnavailableError("the disk is full", hint="make room")

    with world(tmp_path, boundary=boundary) as here:
        operation = here.control.submit(here.plan([create("vpc.main"), create("server.web", "vpc.main")]), "ada")
        async with asyncio.timeout(LIMIT):
            while not full.is_set() or here.runtime.is_running(operation.id):  # noqa: ASYNC110 - it ends on another loop
                await asyncio.sleep(0.01)
        assert not here.store.operation(operation.id).is_final
    with world(tmp_path) as here:
        here.control.resume(operation.id)
        state = await here.ended(operation.id)

        assert state.operation.status == "succeeded"
        assert len(here.cloud.requests("Create", "vpc.main")) == 1
        here.in_step()


async def test_a_cancellation_with_a_rollback_before_anything_was_done_takes_nothing_back(tmp_path: Path):
    async def waits() -> None:
        await asyncio.Event().wait()

    with world(tmp_path, allows=Allows(waits)) as here:
        operation = here.control.submit(here.plan([create("server.web")]), "ada")
        await until(here, operation.id, "waiting_for_approval")
        here.control.cancel(operation.id, "ada", rolls_back=True)
        state = await here.ended(operation.id)
        rollback = await here.ended(f"{operation.id}-rollback")

        assert (state.operation.status, rollback.operation.status) == ("cancelled", "cancelled")
        assert here.store.operations(is_open=True) == []


async def test_an_operation_with_a_defect_fails_and_says_where_to_look(tmp_path: Path):
    class Broken(Allows):
        def consume(self, plan, operation):
            raise KeyError("hunter2")

    with world(tmp_path, allows=Broken()) as here:
        state = await here.done([create("server.web")])

        assert (state.operation.status, state.operation.error) == ("failed", "internal: KeyError")


async def test_an_operation_that_waits_for_the_lease_can_be_cancelled(here: World):
    here.cloud.fail("throttle", "Create", "server.one")
    one = here.control.submit(here.plan([slower(create("server.one"), PATIENT)], title="one"), "ada")
    await until_waiting(here, one.id, "server.one")
    two = here.control.submit(here.plan([create("server.two")], title="two"), "grace")
    await until(here, two.id, "queued")
    here.control.cancel(two.id, "grace")
    state = await here.ended(two.id)
    assert (state.operation.status, state.operation.error) == ("cancelled", "cancelled before anything was done")

    here.control.cancel(one.id, "ada")
    await here.ended(one.id)


def test_the_durable_machinery_is_imported_only_when_work_begins():
    program = "import provisioning.workflow.control, provisioning.drift, sys; sys.exit('dbos' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
