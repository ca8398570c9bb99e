"""Operations from outside: approval, staleness, two at once, cancellation, watching, stopping and going on."""

import asyncio
from pathlib import Path

import pytest

from provisioning.errors import ApprovalDeniedError, ApprovalInvalidError, PlanSpentError
from stratumops.errors import ConflictError

from .waiting import PATIENT, until, until_waiting
from .world import Allows, World, create, slower, world

pytestmark = pytest.mark.anyio


async def test_nothing_happens_before_somebody_approves(tmp_path: Path):
    approved = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def waits() -> None:
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(approved.wait(), loop))

    with world(tmp_path, allows=Allows(waits)) as here:
        operation = here.control.submit(here.plan([create("server.web")]), "ada")
        await until(here, operation.id, "waiting_for_approval")
        assert here.cloud.requests() == []
        assert here.store.lease() is None

        approved.set()
        state = await here.ended(operation.id)

        assert state.operation.status == "succeeded"
        assert here.allows.consumed == [operation.id]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ApprovalDeniedError("grace said no: too dear"), "denied"),
        (PlanSpentError("the plan has expired"), "expired"),
        (ApprovalInvalidError("nobody knows this key"), "failed"),
    ],
)
async def test_without_an_approval_nothing_is_done(tmp_path: Path, error: Exception, status: str):
    async def waits() -> None:
        raise error

    with world(tmp_path, allows=Allows(waits)) as here:
        state = await here.done([create("server.web")])

        assert state.operation.status == status
        assert str(error) in state.operation.error
        assert here.cloud.requests() == []
        assert [one.status for one in state.steps] == ["skipped"]


async def test_an_approval_that_does_not_hold_any_more_stops_it_at_the_last_moment(tmp_path: Path):
    class Withdrawn(Allows):
        def consume(self, plan, operation):
            raise ApprovalInvalidError("the approval was withdrawn")

    with world(tmp_path, allows=Withdrawn()) as here:
        plan = here.plan([create("server.web")])
        state = await here.ended(here.control.submit(plan, "ada").id)

        assert state.operation.status == "failed"
        assert "approval_invalid: the approval was withdrawn" in state.operation.error
        assert here.store.plan(plan.id).used_by == ""
        assert here.store.lease() is None


async def test_a_stale_plan_is_refused_and_says_what_changed(here: World):
    stale = here.plan([create("server.web")], title="stale")
    await here.done([create("server.other")])
    state = await here.ended(here.control.submit(stale, "ada").id)

    assert state.operation.status == "failed"
    assert "plan_stale" in state.operation.error
    assert "server.other" in state.operation.error
    assert list(here.recorded()) == ["server.other"]


async def test_the_same_plan_twice_is_one_operation(here: World):
    plan = here.plan([create("server.web")])
    first, second = here.control.submit(plan, "ada"), here.control.submit(plan, "grace")
    await here.ended(first.id)
    third = here.control.submit(plan, "ada")

    assert first.id == second.id == third.id
    assert len(here.cloud.requests("Create")) == 1


async def test_of_two_applies_one_waits_for_the_other_and_finds_its_plan_stale(here: World):
    here.cloud.fail("throttle", "Create", "server.one", times=2)
    one = here.control.submit(here.plan([create("server.one")], title="one"), "ada")
    two = here.control.submit(here.plan([create("server.two")], title="two"), "grace")
    states = [await here.ended(one.id), await here.ended(two.id)]

    assert sorted(state.operation.status for state in states) == ["failed", "succeeded"]
    assert any("plan_stale" in state.operation.error for state in states)
    here.in_step()


async def test_of_two_applies_one_is_refused_at_once_when_it_shall_not_wait_and_may_come_again(here: World):
    here.cloud.fail("throttle", "Create", "server.one")
    slow = slower(create("server.one"), PATIENT)
    one = here.control.submit(here.plan([slow], title="one"), "ada")
    await until_waiting(here, one.id, "server.one")
    plan = here.plan([create("server.two")], title="two")

    refused = await here.ended(here.control.submit(plan, "grace", wait_seconds=0).id)
    assert refused.operation.status == "failed"
    assert refused.operation.error.startswith("state_locked: ")

    here.control.cancel(one.id, "ada")
    await here.ended(one.id)
    again = await here.ended(here.control.submit(plan, "grace", wait_seconds=0).id)
    assert (again.operation.id, again.operation.status) == (f"{refused.operation.id}-2", "succeeded")


async def test_cancelled_in_the_middle_what_runs_ends_and_nothing_new_begins(here: World):
    here.cloud.fail("throttle", "Create", "vpc.slow")
    steps = [create("vpc.quick"), slower(create("vpc.slow"), PATIENT), create("server.web", "vpc.quick", "vpc.slow")]
    operation = here.control.submit(here.plan(steps), "ada")
    await until_waiting(here, operation.id, "vpc.slow")

    here.control.cancel(operation.id, "grace")
    state = await here.ended(operation.id)

    assert state.operation.status == "cancelled"
    assert state.operation.error == "cancelled after 1 of 3 steps"
    assert list(here.recorded()) == ["vpc.quick"]
    assert here.cloud.requests("Create", "server.web") == []
    assert here.store.lease() is None
    here.in_step()


async def test_cancelled_with_a_rollback_everything_is_taken_back(here: World):
    here.cloud.fail("throttle", "Create", "vpc.slow")
    steps = [create("vpc.quick"), slower(create("vpc.slow"), PATIENT)]
    operation = here.control.submit(here.plan(steps), "ada")
    await until_waiting(here, operation.id, "vpc.slow")

    here.control.cancel(operation.id, "grace", rolls_back=True)
    state = await here.ended(operation.id)

    assert state.operation.status == "rolled_back"
    assert here.cloud.objects() == {}
    rollback = here.control.status(f"{operation.id}-rollback")
    assert (rollback.operation.status, rollback.operation.by) == ("succeeded", "grace")


async def test_a_cancellation_that_comes_too_late_takes_nothing_back(here: World):
    done = await here.done([create("server.web")])
    operation = done.operation

    with pytest.raises(ConflictError, match="has ended already"):
        here.control.cancel(operation.id, "ada", rolls_back=True)
    assert here.store.operations()[0].id == operation.id


async def test_cancelled_before_an_approval_nothing_was_done(tmp_path: Path):
    async def waits() -> None:
        await asyncio.Event().wait()

    with world(tmp_path, allows=Allows(waits)) as here:
        operation = here.control.submit(here.plan([create("server.web")]), "ada")
        await until(here, operation.id, "waiting_for_approval")
        here.control.cancel(operation.id, "ada")
        state = await here.ended(operation.id)

        assert (state.operation.status, state.operation.error) == ("cancelled", "cancelled before anything was done")


async def test_a_long_wait_of_a_provider_ends_when_a_person_cancels(here: World):
    here.cloud.fail("slow", "Create", "server.web", count=10_000)
    operation = here.control.submit(here.plan([slower(create("server.web"), PATIENT)]), "ada")
    await until_waiting(here, operation.id, "server.web")
    here.control.cancel(operation.id, "ada", rolls_back=True)
    state = await here.ended(operation.id)

    assert state.operation.status == "rolled_back"
    assert here.cloud.objects() == {}


async def test_a_rollback_can_be_cancelled_and_asked_for_again(here: World):
    done = await here.done([slower(create("server.a"), PATIENT), slower(create("server.b"), PATIENT)])
    here.cloud.fail("throttle", "Delete", "server.b")
    rollback = here.control.roll_back(done.operation.id, "ada")
    await until_waiting(here, rollback.id, "server.b")
    here.control.cancel(rollback.id, "ada")
    state = await here.ended(rollback.id)
    assert state.operation.status in {"cancelled", "failed"}
    assert list(here.recorded()) == ["server.b"]

    again = await here.ended(here.control.roll_back(done.operation.id, "ada").id)
    assert again.operation.status == "succeeded"
    assert here.recorded() == {}


async def test_only_what_has_ended_is_taken_back(here: World):
    here.cloud.fail("throttle", "Create", "server.web")
    operation = here.control.submit(here.plan([slower(create("server.web"), PATIENT)]), "ada")
    await until_waiting(here, operation.id, "server.web")

    with pytest.raises(ConflictError, match="has not ended"):
        here.control.roll_back(operation.id, "ada")
    here.control.cancel(operation.id, "ada")
    await here.ended(operation.id)
