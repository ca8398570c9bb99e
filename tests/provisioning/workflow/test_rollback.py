"""The way back: by itself when a step fails for good, or when asked."""

import pytest

from provisioning.plan.model import DEPOSED, deposed
from stratumops.errors import ConflictError

from .driver import before, changes
from .world import World, create, fifty, resource, step

pytestmark = pytest.mark.anyio


async def test_everything_is_taken_back_when_a_step_fails_for_good(here: World):
    await here.done(before())
    as_it_was = {one.address: one.values for one in here.store.resources()}
    here.cloud.fail("refuse", "Create", "load_balancer.last")

    state = await here.done([*changes(), create("load_balancer.last", "vpc.second")])

    assert state.operation.status == "rolled_back"
    assert "create:load_balancer.last" in state.operation.error
    assert {one.address: one.values for one in here.store.resources()} == as_it_was
    undone = {run.step: run.status for run in here.store.steps(state.operation.id)}
    assert undone == {
        "backup:database.main": "undone",
        "update:database.main": "undone",
        "create:server.web": "undone",
        "delete:server.web": "undone",
        "delete:server.gone": "undone",
        "create:vpc.second": "undone",
        "create:load_balancer.last": "undone",
    }
    here.in_step()


async def test_steps_are_taken_back_the_last_first(here: World):
    done = await here.done([create("vpc.main"), create("subnet.a", "vpc.main"), create("server.web", "subnet.a")])
    rollback = here.control.roll_back(done.operation.id, "ada")
    state = await here.ended(rollback.id)

    assert state.operation.status == "succeeded"
    assert [one.address for one in here.cloud.requests("Delete")] == ["server.web", "subnet.a", "vpc.main"]
    assert [one.title for one in state.steps] == ["Undo: create server.web", "Undo: create subnet.a", "Undo: create vpc.main"]
    assert here.recorded() == {}


async def test_fifty_steps_are_taken_back(here: World):
    done = await here.done(fifty())
    state = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert state.operation.status == "succeeded"
    assert here.cloud.objects() == {}
    here.in_step()


async def test_what_was_made_half_is_found_by_its_tag_and_deleted(here: World):
    here.cloud.fail("refuse", "CreateGateway", "vpc.main")
    state = await here.done([create("vpc.main")])

    assert state.operation.status == "rolled_back"
    assert here.cloud.objects() == {}
    here.in_step()


async def test_what_was_made_in_silence_is_found_by_its_tag_and_deleted(here: World):
    here.cloud.fail("silent", "Create", "server.web")
    here.cloud.fail("refuse", "FindByTag", "server.web")
    state = await here.done([create("server.web")])

    assert state.operation.status == "rolled_back"
    assert here.cloud.objects() == {}
    here.in_step()


async def test_the_deletion_of_a_resource_is_undone_by_making_it_again_which_brings_no_data_back(here: World):
    await here.done([create("database.main", size=3)])
    done = await here.done([step("delete", "database.main")])
    state = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert state.operation.status == "succeeded"
    one = here.store.resource("database.main")
    assert (one.id, one.values["size"]) == ("database-0002", 3)
    [run] = here.store.steps(done.operation.id)
    assert run.status == "undone"
    assert run.said == "made again as database-0002: data that was in database-0001 is not in it"


async def test_a_rename_is_undone(here: World):
    await here.done([create("server.old", size=1)])
    rename = step("update", "server.new", wanted=resource("server.new", size=2), paths=("name", "size"), previous="server.old")
    done = await here.done([rename])
    await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert here.recorded() == {"server.old": "server-0001"}
    assert here.cloud.by_address() == {"server.old": ["server-0001"]}
    assert here.cloud.objects()["server-0001"]["content"]["size"] == 1


async def test_a_successor_goes_and_the_old_one_that_is_still_there_takes_its_place(here: World):
    await here.done([create("server.web", size=1)])
    here.cloud.fail("refuse", "Delete", "server.web" + DEPOSED)
    new = step("create", "server.web", wanted=resource("server.web", size=2), is_replacement=True)
    state = await here.done([new, step("delete", deposed("server.web"), "create:server.web")])

    assert state.operation.status == "rolled_back"
    assert here.recorded() == {"server.web": "server-0001"}
    here.in_step()


async def test_an_old_one_that_went_first_is_made_again(here: World):
    await here.done([create("server.web", size=1)])
    here.cloud.fail("refuse", "Create", "server.web")
    first = step("delete", "server.web")
    state = await here.done([first, step("create", "server.web", "delete:server.web", wanted=resource("server.web", size=2))])

    assert state.operation.status == "rolled_back"
    assert here.recorded() == {"server.web": "server-0002"}
    assert here.store.resource("server.web").values["size"] == 1
    here.in_step()


async def test_one_step_that_cannot_be_taken_back_does_not_stop_the_others(here: World):
    done = await here.done([create("server.a"), create("server.b"), create("server.c")])
    here.cloud.fail("refuse", "Delete", "server.b")
    state = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert state.operation.status == "failed"
    assert "undo:create:server.b: provider_error" in state.operation.error
    assert list(here.recorded()) == ["server.b"]
    runs = {run.address: (run.status, run.error) for run in here.store.steps(done.operation.id)}
    assert runs["server.a"] == ("undone", "")
    assert runs["server.b"][0] == "undo_failed"
    assert "not with this account" in runs["server.b"][1]


async def test_a_failed_rollback_may_be_asked_for_again_and_does_only_what_is_left(here: World):
    done = await here.done([create("server.a"), create("server.b")])
    here.cloud.fail("refuse", "Delete", "server.b")
    await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    again = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert again.operation.id == f"{done.operation.id}-rollback-2"
    assert again.operation.status == "succeeded"
    assert [one.address for one in here.cloud.requests("Delete") if one.did] == ["server.a", "server.b"]
    here.in_step()


async def test_an_operation_whose_rollback_fails_ends_as_failed_with_both_reasons(here: World):
    here.cloud.fail("refuse", "Create", "server.b")
    here.cloud.fail("refuse", "Delete", "server.a")
    state = await here.done([create("server.a"), create("server.b", "server.a")])

    assert state.operation.status == "failed"
    assert "create:server.b" in state.operation.error
    assert "not all was taken back: 1 of 2 steps failed: undo:create:server.a" in state.operation.error
    assert here.recorded() == {"server.a": "server-0001"}


async def test_compensations_are_tried_again_too(here: World):
    done = await here.done([create("server.a")])
    here.cloud.fail("throttle", "Delete", "server.a", times=2)
    state = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert (state.operation.status, state.steps[0].attempts) == ("succeeded", 3)


async def test_an_operation_is_taken_back_once(here: World):
    done = await here.done([create("server.a")])
    rollback = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    with pytest.raises(ConflictError, match="was taken back already"):
        here.control.roll_back(done.operation.id, "ada")
    with pytest.raises(ConflictError, match="is a rollback"):
        here.control.roll_back(rollback.operation.id, "ada")


async def test_what_somebody_deleted_meanwhile_is_no_error_of_the_rollback(here: World):
    done = await here.done([create("server.a"), create("server.b")])
    here.cloud.remove("server-0001")
    await here.done([step("delete", "server.b")])
    state = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert state.operation.status == "succeeded"
    assert here.recorded() == {}


async def test_a_second_rollback_makes_nothing_again_that_the_first_made_again(here: World):
    await here.done([create("server.a"), create("server.b")])
    done = await here.done([step("delete", "server.a"), step("update", "server.b", wanted=resource("server.b", size=2))])
    here.cloud.fail("refuse", "Update", "server.b")
    first = await here.ended(here.control.roll_back(done.operation.id, "ada").id)
    assert first.operation.status == "failed"

    again = await here.ended(here.control.roll_back(done.operation.id, "ada").id)

    assert again.operation.status == "succeeded"
    assert sorted(here.recorded()) == ["server.a", "server.b"]
    assert len(here.cloud.requests("Create", "server.a")) == 2
    here.in_step()
