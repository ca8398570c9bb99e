"""Somebody can write into the databases: no row stands for a person's approval, and none of them runs a program."""

import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from provisioning.approval.document import signed
from provisioning.approval.keys import ApproverKey, new_key
from provisioning.edits import Edits
from provisioning.errors import ProviderError
from provisioning.plan.model import PlanStep
from provisioning.state.holder import this_process
from provisioning.state.model import Operation
from provisioning.state.store import StateStore, Write
from provisioning.workflow.calls import said
from stratumops.errors import ConflictError

from .guarded import DEAD, SEAT, Guarded, guarded, stored
from .waiting import PATIENT, until_waiting
from .world import World, create, resource, slower, step, world

pytestmark = pytest.mark.anyio


async def test_a_plan_marked_as_used_waits_for_a_person_all_the_same(guard: Guarded):
    here = guard.here
    plan = here.plan([create("server.web")])
    here.store.keep_plan(stored(plan))
    guard.sql("update prov_plans set used_by = ?", f"op-{plan.sha256[:12]}")
    operation = here.control.submit(plan, "mallory")
    await guard.still_waits(operation.id)

    guard.approve(plan)
    state = await here.ended(operation.id)
    assert state.operation.status == "succeeded"
    guard.approvals.used(stored(plan), operation.id)


async def test_an_operation_that_somebody_wrote_into_the_state_waits_for_a_person(guard: Guarded):
    here = guard.here
    plan = here.plan([create("server.web")])
    here.store.keep_plan(stored(plan))
    here.store.use_plan(plan.id, "op-evil")
    row = Operation("op-evil", "apply", "running", plan.id, plan.sha256, "", "mallory", 1.0, started_at=1.0, executor=DEAD)
    here.store.add_operation(row)

    assert [one.id for one in here.control.recover_dead()] == ["op-evil"]
    await guard.still_waits("op-evil")


async def test_an_approval_that_another_key_signed_lets_nothing_go_on(guard: Guarded):
    here = guard.here
    plan = here.plan([create("server.web")])
    here.store.keep_plan(stored(plan))
    operation = f"op-{plan.sha256[:12]}"
    forged = signed(
        stored(plan),
        new_key("ana"),
        SEAT,
        way="signature",
        approver="ana",
        lineage=here.lineage,
        now=time.time(),
        lifetime=900.0,
    )
    here.store.add_approval(forged)
    here.store.use_approval(forged, operation)
    here.store.use_plan(plan.id, operation)
    here.control.submit(plan, "mallory")
    await guard.still_waits(operation)


async def test_a_record_that_says_it_has_begun_is_no_approval(guard: Guarded):
    here = guard.here
    plan = here.plan([create("server.web")])
    operation = here.control.submit(plan, "mallory")
    await guard.still_waits(operation.id)
    here.runtime.stop()
    guard.sql("update prov_plans set used_by = ?", operation.id)
    guard.sql("update prov_operations set status = 'running', started_at = 1.0")
    with closing(sqlite3.connect(here.folder / "own" / "workflows.db", timeout=30)) as record:
        record.execute(
            "insert into operation_outputs (workflow_uuid, function_id, function_name, output, serialization) "
            "values (?, 1, 'begin', '{\"ok\": true}', 'stratumops_json')",
            (operation.id,),
        )
        record.commit()

    here.control.resume(operation.id)
    await guard.still_waits(operation.id)


async def test_a_rollback_that_somebody_wrote_into_the_state_takes_nothing_back(guard: Guarded):
    here = guard.here
    done = (await guard.done(here.plan([create("server.web")]))).operation
    row = replace(done, id=f"{done.id}-rollback", kind="rollback", status="queued", parent=done.id, executor=DEAD)
    here.store.add_operation(row)
    here.control.recover_dead()
    state = await here.ended(row.id)

    assert state.operation.status == "failed"
    assert "has ended (succeeded): make a plan back" in state.operation.error
    assert list(here.recorded()) == ["server.web"]


async def test_a_rollback_of_what_nobody_approved_takes_nothing_back(guard: Guarded):
    here = guard.here
    await guard.done(here.plan([create("server.web")]))
    plan = here.plan([step("delete", "server.web")])
    here.store.keep_plan(stored(plan))
    here.store.use_plan(plan.id, "op-evil")
    evil = Operation("op-evil", "apply", "rolling_back", plan.id, plan.sha256, "", "mallory", 1.0, executor=this_process())
    here.store.add_operation(evil)
    here.store.add_operation(
        replace(evil, id="op-evil-rollback", kind="rollback", status="queued", parent="op-evil", executor=DEAD)
    )
    before = len(here.cloud.requests())
    here.control.recover_dead()
    state = await here.ended("op-evil-rollback")

    assert "approval_required" in state.operation.error
    assert here.store.operation("op-evil").status == "failed"
    assert len(here.cloud.requests()) == before


async def test_a_rollback_names_the_plan_of_its_operation(guard: Guarded):
    here = guard.here
    done = (await guard.done(here.plan([create("server.web")]))).operation
    other = here.plan([create("server.other")], title="other")
    here.store.keep_plan(stored(other))
    guard.sql("update prov_operations set status = 'rolling_back' where id = ?", done.id)
    back = Operation("op-back", "rollback", "queued", other.id, other.sha256, "", "mallory", 1.0, parent=done.id, executor=DEAD)
    here.store.add_operation(back)
    here.control.recover_dead()
    state = await here.ended("op-back")

    assert f"op-back is no rollback of {done.id}" in state.operation.error
    assert list(here.recorded()) == ["server.web"]


async def test_an_ended_operation_is_made_to_roll_back_only_as_its_plan_says(guard: Guarded):
    here = guard.here
    done = (await guard.done(here.plan([create("server.web")], rolls_back_on_failure=False))).operation
    guard.sql("update prov_operations set status = 'rolling_back' where id = ?", done.id)
    row = replace(done, id=f"{done.id}-rollback", kind="rollback", status="queued", parent=done.id, executor=DEAD)
    here.store.add_operation(row)
    here.control.recover_dead()
    state = await here.ended(row.id)

    assert "stays as it is when it fails" in state.operation.error
    assert list(here.recorded()) == ["server.web"]


async def _interrupted(guard: Guarded, steps: list[PlanStep], waits: str) -> Operation:
    """Begin an approved operation and stop it while a step waits for its next attempt."""
    plan = guard.here.plan(steps)
    guard.here.store.keep_plan(stored(plan))
    guard.approve(plan)
    operation = guard.here.control.submit(plan, "ada")
    await until_waiting(guard.here, operation.id, waits)
    return operation


async def test_what_was_approved_and_begun_goes_on_although_the_approval_is_over(tmp_path: Path, ana: ApproverKey):
    with guarded(tmp_path, ana) as guard:
        guard.here.cloud.fail("throttle", "Create", "server.slow")
        steps = [create("vpc.main"), slower(create("server.slow", "vpc.main"), PATIENT)]
        operation = await _interrupted(guard, steps, "server.slow")
    with guarded(tmp_path, ana) as guard:
        guard.approvals._clock = lambda: time.time() + 86_400.0
        guard.here.control.resume(operation.id)
        await until_waiting(guard.here, operation.id, "server.slow")
        guard.here.control.cancel(operation.id, "ada", rolls_back=True)
        assert (await guard.here.ended(operation.id)).operation.status == "rolled_back"
        assert guard.here.recorded() == {}


async def test_what_was_begun_does_not_go_on_over_what_somebody_did_to_the_state(tmp_path: Path, ana: ApproverKey):
    with guarded(tmp_path, ana) as guard:
        guard.here.cloud.fail("throttle", "Create", "server.slow")
        steps = [create("vpc.main"), slower(create("server.slow", "vpc.main"), PATIENT), create("server.b", "server.slow")]
        operation = await _interrupted(guard, steps, "server.slow")
    with guarded(tmp_path, ana) as guard:
        here = guard.here
        here.store.put(replace(here.store.resource("vpc.main"), id="vpc-9999"), Write(None, operation="edit-1"))
        here.control.resume(operation.id)
        state = await here.ended(operation.id)

        assert state.operation.status == "failed"
        assert state.operation.error.startswith("plan_stale: ")
        assert "vpc.main by edit-1" in state.operation.error
        assert here.cloud.requests("Create", "server.b") == []


def _edits(store: StateStore) -> Edits:
    async def provider(name: str) -> Any:
        raise AssertionError(name)

    return Edits(store, cast("Any", None), provider)


async def test_the_state_is_not_edited_while_an_operation_that_was_begun_is_open(tmp_path: Path, ana: ApproverKey):
    with guarded(tmp_path, ana) as guard:
        guard.here.cloud.fail("throttle", "Create", "server.slow")
        steps = [create("vpc.main"), slower(create("server.slow", "vpc.main"), PATIENT)]
        operation = await _interrupted(guard, steps, "server.slow")
    with guarded(tmp_path, ana) as guard:
        store = guard.here.store
        left = store.lease()
        assert left is not None
        store.release(left)
        with pytest.raises(ConflictError, match=f"{operation.id} was begun and has not ended"):
            await _edits(store).forget("vpc.main", by="ada")
        assert list(guard.here.recorded()) == ["vpc.main"]
        assert store.lease() is None
        store.update_operation(operation.id, status="cancelled")
        await _edits(store).forget("vpc.main", by="ada")
        assert guard.here.recorded() == {}


@pytest.mark.parametrize("action", ["delete", "update", "backup"])
async def test_a_step_leaves_alone_what_it_was_not_planned_for(here: World, action: str):
    await here.done([create("server.web"), create("server.prod")])
    planned = here.recorded()["server.web"]
    more = {"wanted": resource("server.web", size=2), "paths": ("size",)} if action == "update" else {}
    steps = [step(action, "server.web", id_there="server-9999", **more)]
    state = await here.done(steps, rolls_back_on_failure=False)

    assert state.operation.status == "failed"
    assert f"server.web was server-9999 when the plan was made and is {planned} now" in state.operation.error
    assert state.steps[0].attempts == 1
    assert here.recorded()["server.web"] == planned
    state = await here.done([step(action, "server.web", id_there=planned, **more)])
    assert state.operation.status == "succeeded"


async def test_an_operation_is_cancelled_with_a_rollback_only_if_that_was_approved(here: World):
    here.cloud.fail("throttle", "Create", "vpc.slow")
    plan = here.plan([create("vpc.quick"), slower(create("vpc.slow"), PATIENT)], rolls_back_on_failure=False)
    operation = here.control.submit(plan, "ada")
    await until_waiting(here, operation.id, "vpc.slow")

    with pytest.raises(ConflictError, match="is not taken back by itself") as refused:
        here.control.cancel(operation.id, "mallory", rolls_back=True)
    assert f"prov rollback {operation.id}" in refused.value.hint
    assert not here.store.operation(operation.id).wants_cancel
    here.control.cancel(operation.id, "ada")
    assert (await here.ended(operation.id)).operation.status == "cancelled"
    assert list(here.recorded()) == ["vpc.quick"]


async def test_the_words_of_a_provider_are_kept_without_secrets(tmp_path: Path):
    with world(tmp_path, clean=lambda text: text.replace("not with this account", "[hidden]")) as here:
        here.cloud.fail("refuse", "Create", "server.web")
        state = await here.done([create("server.web")], rolls_back_on_failure=False)

        assert "[hidden]" in state.operation.error
        assert "[hidden]" in state.steps[0].error
        [intent] = here.store.intents(operation=state.operation.id)
        assert "[hidden]" in intent.error
        told = f"{state.operation.error}{state.steps[0].error}{intent.error}"
        assert "not with this account" not in told
    assert said(ProviderError("hunter2", hint="ask"), lambda text: text.replace("hunter2", "*")) == "provider_error: * (ask)"


# The durable record
