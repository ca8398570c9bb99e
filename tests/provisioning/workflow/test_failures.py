"""A provider that throttles, falls silent, lies, or says no; and what becomes of the operation."""

import time
from itertools import pairwise

import pytest

from provisioning.errors import CycleError
from provisioning.plan.model import RetryPolicy, deposed
from stratumops.errors import InvalidInputError

from .world import LIMIT, World, create, resource, step

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("fault", ["throttle", "error", "lost", "silent"])
async def test_what_may_help_is_tried_again_and_makes_one_resource(here: World, fault: str):
    here.cloud.fail(fault, "Create", "server.web", times=2 if fault == "throttle" else 1)

    state = await here.done([create("server.web")])

    assert state.operation.status == "succeeded"
    assert here.recorded() == {"server.web": "server-0001"}
    assert sum(1 for one in here.cloud.requests("Create") if one.did) == 1
    assert state.steps[0].attempts == (3 if fault == "throttle" else 2)
    here.in_step()


async def test_a_success_after_a_retry_is_kept_and_nothing_of_the_failure_stays(here: World):
    here.cloud.fail("throttle", "Create", "server.web")
    state = await here.done([create("server.web")])

    assert (state.steps[0].status, state.steps[0].error) == ("succeeded", "")


async def test_silence_after_a_creation_leaves_no_second_one_and_closes_the_journal(here: World):
    here.cloud.fail("silent", "Create", "server.web")
    state = await here.done([create("server.web")])

    intents = here.store.intents(operation=state.operation.id)
    assert [(one.call, one.outcome) for one in intents] == [("Create", "done")]
    assert "found by its tag" in intents[0].error
    assert len(here.cloud.requests("Create")) == 1


async def test_silence_without_a_creation_asks_again(here: World):
    here.cloud.fail("lost", "Create", "server.web")
    state = await here.done([create("server.web")])

    assert [one.outcome for one in here.store.intents(operation=state.operation.id)] == ["failed", "done"]
    assert len(here.cloud.requests("Create")) == 2


async def test_a_half_made_network_is_completed_and_not_made_again(here: World):
    here.cloud.fail("error", "CreateGateway", "vpc.main")
    state = await here.done([create("vpc.main")])

    assert state.operation.status == "succeeded"
    assert here.store.resource("vpc.main").parts == {"gateway": "vpc-0001-gw"}
    assert len(here.cloud.requests("Create")) == 1


async def test_a_refusal_is_not_tried_again(here: World):
    here.cloud.fail("refuse", "Create", "server.web", times=9)
    state = await here.done([create("server.web")])

    assert state.operation.status == "rolled_back"
    assert len(here.cloud.requests("Create")) == 1
    assert "create:server.web: provider_error: Create: not with this account" in state.operation.error


async def test_a_step_gives_up_after_three_retries(here: World):
    here.cloud.fail("throttle", "Create", "server.web", times=9)
    state = await here.done([create("server.web")])

    assert state.operation.status == "rolled_back"
    assert len(here.cloud.requests("Create")) == 4
    assert "Throttling" in state.operation.error


async def test_the_waits_between_attempts_are_those_of_the_policy(here: World):
    here.cloud.fail("throttle", "Create", "server.web", times=3)
    retry = RetryPolicy(max_retries=3, initial_delay_ms=200, backoff_multiplier=2.0, max_delay_ms=500)
    state = await here.done([step("create", "server.web", wanted=resource("server.web"), retry=retry)])

    assert state.operation.status == "succeeded"
    asked = [one.at for one in here.cloud.requests("Create")]
    for wait, (earlier, later) in zip((0.2, 0.4, 0.5), pairwise(asked), strict=True):
        assert later - earlier >= wait


async def test_what_is_not_ready_is_waited_for_before_others_build_on_it(here: World):
    here.cloud.fail("slow", "Create", "vpc.main", count=5)
    state = await here.done([create("vpc.main"), create("server.web", "vpc.main")])

    assert state.operation.status == "succeeded"
    assert all(run.attempts == 1 for run in here.store.steps(state.operation.id))


async def test_what_takes_longer_than_one_attempt_is_waited_for_by_the_next(here: World):
    here.cloud.fail("slow", "Create", "server.web", count=30)
    state = await here.done([create("server.web")])

    assert (state.operation.status, state.steps[0].attempts) == ("succeeded", 2)
    assert len(here.cloud.requests("Create")) == 1


async def test_a_provider_that_lies_about_readiness_costs_retries_and_nothing_else(here: World):
    here.cloud.fail("lie", "Create", "vpc.main", count=2)
    state = await here.done([create("vpc.main"), create("server.web", "vpc.main")])

    assert state.operation.status == "succeeded"
    assert [run.attempts for run in here.store.steps(state.operation.id)] == [1, 3]
    here.in_step()


async def test_without_a_rollback_other_branches_go_on_and_dependents_are_spared(here: World):
    here.cloud.fail("refuse", "Create", "vpc.bad")
    steps = [create("vpc.bad"), create("server.on_bad", "vpc.bad"), create("vpc.good"), create("server.on_good", "vpc.good")]
    state = await here.done(steps, rolls_back_on_failure=False)

    assert state.operation.status == "failed"
    assert {one.address: one.status for one in state.steps} == {
        "vpc.bad": "failed",
        "server.on_bad": "skipped",
        "vpc.good": "succeeded",
        "server.on_good": "succeeded",
    }
    here.in_step()


async def test_several_failures_are_told_in_a_few_words(here: World):
    here.cloud.fail("refuse", "Create", times=9)
    state = await here.done([create(f"server.w{number}") for number in range(7)], rolls_back_on_failure=False)

    assert state.operation.error.startswith("7 of 7 steps failed: ")
    assert state.operation.error.endswith("; and 2 more")


async def test_two_resources_with_the_same_tags_are_a_persons_to_sort_out(here: World):
    tags = {"prov:id": "server.web", "prov:lineage": here.lineage}
    for name in ("one", "two"):
        here.cloud.add("server", name, tags)

    state = await here.done([create("server.web")], rolls_back_on_failure=False)

    assert state.operation.status == "failed"
    assert "2 resources carry the tags of server.web: server-0001, server-0002" in state.operation.error


async def test_an_orphan_of_ours_is_taken_up_and_not_made_again(here: World):
    here.cloud.add("server", "web", {"prov:id": "server.web", "prov:lineage": here.lineage})
    state = await here.done([create("server.web")])

    assert state.operation.status == "succeeded"
    assert here.cloud.requests("Create") == []
    assert here.recorded() == {"server.web": "server-0001"}


async def test_what_another_state_made_is_not_ours(here: World):
    here.cloud.add("server", "web", {"prov:id": "server.web", "prov:lineage": "another"})
    await here.done([create("server.web")])

    assert here.recorded() == {"server.web": "server-0002"}


async def test_an_unknown_provider_fails_the_step(here: World):
    state = await here.done([step("create", "server.web", wanted=resource("server.web"), provider="stone")])

    assert "there is no provider stone" in state.operation.error


async def test_an_update_of_what_is_not_recorded_fails(here: World):
    state = await here.done([step("update", "server.web", wanted=resource("server.web"), paths=("size",))])

    assert "server.web is not in the state any more" in state.operation.error


async def test_a_backup_of_what_is_not_recorded_fails(here: World):
    state = await here.done([step("backup", "server.web")])

    assert "server.web is not in the state any more" in state.operation.error


async def test_steps_in_a_circle_are_refused_before_anything_is_written(here: World):
    plan = here.plan([create("server.a", "server.b"), create("server.b", "server.a")])
    with pytest.raises(CycleError, match=r"create:server\.a -> create:server\.b -> create:server\.a"):
        here.control.submit(plan, "ada")

    assert here.store.operations() == []


async def test_a_need_that_is_no_step_is_refused_before_anything_is_written(here: World):
    with pytest.raises(InvalidInputError, match=r"create:vpc\.none, which is no step"):
        here.control.submit(here.plan([create("server.a", "vpc.none")]), "ada")


async def test_an_old_resource_answered_for_a_new_one_is_never_deleted(here: World, monkeypatch: pytest.MonkeyPatch):
    await here.done([create("server.web")])
    provider = here.runtime.engine.provider("paper")
    old = provider.find_by_tag({"prov:id": "server.web", "prov:lineage": here.lineage})[0]
    monkeypatch.setattr(provider, "create", lambda *_: old)

    new = step("create", "server.web", wanted=resource("server.web"), is_replacement=True)
    state = await here.done([new, step("delete", deposed("server.web"), "create:server.web")])

    assert "answered the old server.web instead of a new one" in state.operation.error
    monkeypatch.undo()
    assert here.recorded() == {"server.web": "server-0001"}
    here.in_step()


async def test_a_defect_in_a_provider_fails_its_step_without_its_text(here: World, monkeypatch: pytest.MonkeyPatch):
    def broken(*_: object) -> None:
        raise KeyError("hunter2-the-password")

    monkeypatch.setattr(here.runtime.engine.provider("paper"), "create", broken)
    state = await here.done([create("server.web")])

    assert "internal: KeyError" in state.operation.error
    assert "hunter2" not in state.operation.error


async def test_the_last_words_of_a_step_are_told_while_it_waits(here: World):
    retry = RetryPolicy(max_retries=3, initial_delay_ms=60_000)
    here.cloud.fail("throttle", "Create", "server.web")
    operation = here.control.submit(here.plan([step("create", "server.web", wanted=resource("server.web"), retry=retry)]), "ada")
    deadline = time.monotonic() + LIMIT
    async for event in here.control.follow(operation.id):
        if event.state.said == "trying again in 60 s":
            break
        assert time.monotonic() < deadline

    here.control.cancel(operation.id, "ada")
    state = await here.ended(operation.id)
    assert state.operation.status == "cancelled"
