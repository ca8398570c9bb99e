"""Processes that are killed in the middle, and what the next one makes of it: nothing doubled, nothing orphaned, nothing lost.

Every life is a real process that ends by SIGKILL at one boundary: before or after something is written to the state, or right
after the cloud did what it was asked for. The others of its threads die in the middle of whatever they do. By default a sample of
the boundaries is visited; PROV_TESTS_SOAK=1 visits every one.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from provisioning.plan.model import PlanStep
from provisioning.state.model import Operation
from provisioning.state.store import StateStore, open_store

from .lives import Lives, lives
from .world import LIMIT, fifty, world

SOAK = os.environ.get("PROV_TESTS_SOAK") == "1"
pytestmark = [pytest.mark.anyio, pytest.mark.timeout(7200 if SOAK else 300)]


@pytest.fixture(scope="module")
def driver() -> Iterator[Lives]:
    with lives() as found:
        yield found


def sample(count: int, most: int) -> list[int]:
    """The boundaries to die at: all of them, or so many spread over all."""
    return list(range(1, count + 1)) if SOAK else sorted({1 + index * (count - 1) // (most - 1) for index in range(most)})


def require_sound(end: dict[str, Any], status: str) -> None:
    """The operation ended like that, and state and cloud say the same."""
    assert (end["status"], end["open"], end["problem"], end["twice"]) == (status, [], "", []), end


def killed_once(driver: Lives, folder: Path, plan: str, last: int, only: str = "") -> dict[str, Any]:
    """An operation that is killed at a boundary and gone on with; answers how it ended."""
    first = driver.live("first", folder, plan=plan, last=last, only=only)
    assert first["killed"]
    return driver.live("next", folder)


def test_fifty_steps_killed_at_a_boundary_go_on_without_a_second_call(driver: Lives, tmp_path: Path):
    whole = driver.live("first", tmp_path / "whole", plan="fifty")
    require_sound(whole, "succeeded")
    # The journal's boundaries: each call of a provider has its intent, itself and its result, each step its begin and its end.
    assert whole["boundaries"] >= 50 * 9

    for last in sample(whole["boundaries"] - 4, 4):
        end = killed_once(driver, tmp_path / str(last), "fifty", last)
        require_sound(end, "succeeded")
        assert len(end["recorded"]) == 50


def test_fifty_steps_killed_again_and_again_end_all_the_same(driver: Lives, tmp_path: Path):
    assert driver.live("first", tmp_path, plan="fifty", last=40)["killed"]
    lived = 1
    for last in [9, 33, 17, 51, 21, 70, 13, 90, 60, 45] * 10 if SOAK else [9, 90, 51, 130, 70] * 10:
        end = driver.live("next", tmp_path, last=last)
        lived += 1
        if not end["killed"]:
            break
    else:
        end = driver.live("next", tmp_path)
    require_sound(end, "succeeded")
    assert len(end["recorded"]) == 50
    assert lived > 3


@pytest.mark.parametrize(
    "edge", ["before intend", "after intend", "Create ", "after settle", "before finish_step", "after finish_step"]
)
def test_killed_exactly_at_a_kind_of_boundary_no_step_is_done_twice(driver: Lives, tmp_path: Path, edge: str):
    for last in range(1, 51) if SOAK else (25,):
        end = killed_once(driver, tmp_path / str(last), "fifty", last, edge)
        require_sound(end, "succeeded")


def test_an_update_a_successor_and_deletions_survive_a_kill_at_any_boundary(driver: Lives, tmp_path: Path):
    whole = driver.live("first", tmp_path / "whole", plan="changes")
    require_sound(whole, "succeeded")

    for last in sample(whole["boundaries"], 4):
        end = killed_once(driver, tmp_path / str(last), "changes", last)
        # The last boundary lies after the last step: all is done, and only the operation's end is missing.
        require_sound(end, "succeeded")
        assert sorted(end["recorded"]) == ["database.main", "server.web", "vpc.main", "vpc.second"]
        assert (end["sizes"]["database.main"], end["sizes"]["server.web"], end["backups"]) == (2, 2, 1)


def test_a_rollback_that_is_killed_goes_on_and_brings_everything_back(driver: Lives, tmp_path: Path):
    whole = driver.live("first", tmp_path / "whole", plan="failing")
    require_sound_rollback(whole)
    apply = driver.live("first", tmp_path / "apply", plan="changes")["boundaries"]

    for last in [apply + number for number in sample(whole["boundaries"] - apply, 4)]:
        end = killed_once(driver, tmp_path / str(last), "failing", last)
        require_sound_rollback(end)


def test_a_rollback_killed_again_and_again_ends_all_the_same(driver: Lives, tmp_path: Path):
    assert driver.live("first", tmp_path, plan="failing", last=50)["killed"]
    end = {}
    for last in [7, 15, 11, 23, 31, 43, 0]:
        end = driver.live("next", tmp_path, last=last)
        if not end["killed"]:
            break
    require_sound_rollback(end)


def require_sound_rollback(end: dict[str, Any]) -> None:
    """Everything is as it was before the operation; what was deleted was made again."""
    assert (end["status"], end["open"], end["problem"]) == ("rolled_back", [], ""), end
    assert sorted(end["recorded"]) == ["database.main", "server.gone", "server.web", "vpc.main"]
    assert (end["sizes"]["database.main"], end["sizes"]["server.web"]) == (1, 1)


def test_waits_between_attempts_stay_exact_across_a_kill(driver: Lives, tmp_path: Path):
    delay = 0.5
    # Of the rows that say how the step goes the fourth is that its second attempt failed; it dies in the middle of that wait.
    assert driver.live("retrying", tmp_path, delay_ms=int(delay * 1000), last=4)["killed"]
    end = driver.live("next", tmp_path)

    require_sound(end, "succeeded")
    assert end["attempts"] == [4]
    waits = [later - earlier for earlier, later in pairwise(end["delays"])]
    assert len(waits) == 3
    assert [wait >= delay * 2**number for number, wait in enumerate(waits)] == [True] * 3


def test_of_two_processes_that_apply_at_once_one_is_refused_or_waits(driver: Lives, tmp_path: Path):
    with lives() as second, opened(tmp_path) as store:
        driver.begin("retrying", tmp_path, delay_ms=600_000)
        first = found(store, "the one", lambda one: [run.status for run in store.steps(one.id)] == ["waiting"])
        refused = second.live("other", tmp_path, wait_seconds=0)
        second.begin("other", tmp_path, wait_seconds=None)
        found(store, "other None", lambda one: one.status == "queued" and one.executor != "")
        store.update_operation(first.id, wants_cancel=True)
        waited, ended = second.ended(), driver.ended()

    assert (refused["status"], refused["error"].partition(":")[0]) == ("failed", "state_locked")
    assert "process " in refused["error"]
    assert (waited["status"], ended["status"]) == ("succeeded", "cancelled")


@contextmanager
def opened(folder: Path) -> Iterator[StateStore]:
    """The state of a folder, looked at from this process."""
    store = open_store(folder / "state")
    try:
        yield store
    finally:
        store.close()


def found(store: StateStore, title: str, is_so: Callable[[Operation], bool]) -> Operation:
    """The operation of that title, once it is as wanted."""
    deadline = time.monotonic() + LIMIT
    while True:
        for one in store.operations():
            if one.title == title and is_so(one):
                return one
        assert time.monotonic() < deadline, store.operations()
        time.sleep(0.02)


def test_of_two_processes_that_take_over_at_once_only_one_goes_on(driver: Lives, tmp_path: Path):
    with lives() as second:
        assert driver.live("first", tmp_path, plan="fifty", last=100)["killed"]
        driver.begin("next", tmp_path)
        second.begin("next", tmp_path)
        ends = [driver.ended(), second.ended()]

    for end in ends:
        require_sound(end, "succeeded")
        assert len(end["recorded"]) == 50


async def test_pulumi_4265_pending_operations_of_an_interrupted_update_need_no_hand(driver: Lives, tmp_path: Path):
    """pulumi/pulumi#4265: after an interrupted update the state had pending operations that a person had to edit away.

    Here even the record of the interrupted operation is lost; a new plan just works.
    """
    assert driver.live("first", tmp_path, plan="fifty", last=30, only="Create ")["killed"]
    shutil.rmtree(tmp_path / "own")
    with world(tmp_path) as here:
        assert here.store.intents(is_open=True)
        recorded = here.recorded()
        state = await here.done([one for one in renamed_needs(fifty(), recorded) if one.address not in recorded])

        assert state.operation.status == "succeeded"
        assert len(here.recorded()) == 50
        creations = [request.address for request in here.cloud.requests("Create") if request.did]
        assert sorted(creations) == sorted(one.address for one in fifty())
        here.in_step()


def renamed_needs(steps: list[PlanStep], recorded: dict[str, str]) -> list[PlanStep]:
    """The steps without needs of what is there already, as a new plan has them."""
    return [replace(one, needs=tuple(need for need in one.needs if need.partition(":")[2] not in recorded)) for one in steps]


async def test_pulumi_3702_what_was_made_when_the_process_died_is_not_lost(driver: Lives, tmp_path: Path):
    """pulumi/pulumi#3702: resources that were made while an update was cut off were missing in the state afterwards."""
    assert driver.live("first", tmp_path, plan="fifty", last=5, only="Create ")["killed"]
    with world(tmp_path) as here:
        made = set(here.cloud.objects())
        assert made - set(here.recorded().values())
        [operation] = here.control.recover_dead()
        state = await here.ended(operation.id)

        assert state.operation.status == "succeeded"
        assert made <= set(here.recorded().values())
        here.in_step()
