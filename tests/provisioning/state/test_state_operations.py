"""Operations, steps, the journal of calls, plans and approvals: the same in SQLite and PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from provisioning.errors import ApprovalInvalidError, LeaseLostError, PlanAlteredError, PlanSpentError
from provisioning.state.model import Intent, StepRun, StoredApproval
from provisioning.state.sql import SqlStore
from provisioning.state.store import StateStore, Write
from provisioning.state.tables import PLANS
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError

from .states import WRITE, operation, plan, server

STEP = StepRun("op-1", "create server.web", "server.web", "create", "running", 1, 5.0)
APPROVAL = StoredApproval("s", "ana", "signature", b'{"plan":"s"}', b"\x00\xff", 1.0, 4e9)


def test_operations_are_found_by_id_and_by_its_beginning(store: StateStore):
    one, other = operation(1, options={"parallel": 4}), operation(2, title="\x00odd")
    store.add_operation(one)
    store.add_operation(other)
    assert store.operation("op-1") == one
    assert store.operations() == [replace(other, title="\N{REPLACEMENT CHARACTER}odd"), one]
    assert store.operations(limit=1)[0].id == "op-2"
    with pytest.raises(InvalidInputError, match="op-1, op-2"):
        store.operation("op")
    for unknown in ("", "op-3", "%", "op_1"):
        with pytest.raises(NotFoundError):
            store.operation(unknown)
    with pytest.raises(ConflictError):
        store.add_operation(one)
    store.add_operation(operation(3, id="other-3"))
    assert store.operation("oth").id == "other-3"


def test_a_final_status_stays(store: StateStore):
    store.add_operation(operation())
    running = store.update_operation("op-1", status="running", executor="h/1/x", started_at=2.0)
    assert (running.status, running.executor, running.started_at, running.is_final) == ("running", "h/1/x", 2.0, False)
    assert [one.id for one in store.operations(is_open=True)] == ["op-1"]
    store.update_operation("op-1", status="failed", error="no room", ended_at=3.0)
    late = store.update_operation("op-1", status="running", wants_cancel=True)
    assert (late.status, late.wants_cancel, late.error, late.ended_at) == ("failed", True, "no room", 3.0)
    assert store.operations(is_open=True) == []
    assert store.operations(is_open=False) == [late]
    assert store.update_operation("op-1") == late
    with pytest.raises(NotFoundError):
        store.update_operation("none", status="running")


def test_a_steps_before_is_kept_from_the_first_time(store: StateStore):
    store.put_step(STEP)
    assert store.steps("op-1") == [STEP]
    store.put_step(replace(STEP, before=server()))
    last = replace(STEP, status="failed", attempts=2, error="quota", said="asked", result={"id": 1}, before=server("api"))
    store.put_step(last)
    assert store.steps("op-1") == [replace(last, before=server())]
    assert store.steps("op-2") == []


def test_steps_come_in_the_order_in_which_they_began_and_then_the_pending_ones(store: StateStore):
    for name, began in (("c", 0.0), ("b", 9.0), ("a", 3.0), ("d", 0.0)):
        store.put_step(replace(STEP, step=name, started_at=began))
    assert [run.step for run in store.steps("op-1")] == ["a", "b", "c", "d"]


def test_a_steps_result_and_its_changes_are_one(store: StateStore):
    lease = store.acquire("elsewhere/1/x", "op-1")
    done = replace(STEP, status="succeeded")
    head = store.finish_step(done, [server()], [], Write(lease, "op-1", "create server.web"))
    assert (head.serial, store.resources(), store.steps("op-1")) == (1, [server()], [done])
    store.acquire("elsewhere/2/x", "op-1")
    with pytest.raises(LeaseLostError):
        store.finish_step(replace(done, step="other"), [], ["server.web"], Write(lease))
    assert (store.resources(), store.steps("op-1")) == ([server()], [done])


def test_a_call_is_written_down_before_it_is_made_and_settled_once(store: StateStore):
    lease = store.acquire("elsewhere/1/x", "op-1")
    intent = Intent(0, "op-1", "s", 1, "server.web", "aws", "RunInstances", "volume", 5.0)
    first, second = store.intend(intent, Write(lease)), store.intend(replace(intent, address="server.api"), Write(lease))
    assert first < second
    assert store.intents() == [replace(intent, id=first), replace(intent, id=second, address="server.api")]
    store.settle(first, "done")
    store.settle(first, "failed", "who comes second knows less")
    assert [(one.id, one.outcome, one.error) for one in store.intents(operation="op-1", is_open=False)] == [(first, "done", "")]
    assert [one.id for one in store.intents(is_open=True)] == [second]
    assert [one.id for one in store.intents(address="server.web")] == [first]
    with pytest.raises(NotFoundError):
        store.settle(second + 100, "done")
    with pytest.raises(InvalidInputError):
        store.settle(second, "maybe")
    store.release(lease)
    with pytest.raises(LeaseLostError):
        store.intend(intent, Write(lease))


def test_a_plan_is_kept_once_and_another_one_cannot_take_its_id(store: StateStore):
    store.keep_plan(plan())
    store.keep_plan(plan())
    assert store.plan("plan-1") == store.plan("plan") == plan()
    with pytest.raises(ConflictError):
        store.keep_plan(replace(plan(2), id="plan-1"))
    with pytest.raises(NotFoundError):
        store.plan("plan-2")


def test_a_plan_that_was_altered_is_not_given_out(store: StateStore):
    store.keep_plan(plan())
    assert isinstance(store, SqlStore)
    with store.database.write() as tx:
        tx.connection.execute(update(PLANS).values(body=b'{"plan":2}'))
    with pytest.raises(PlanAlteredError):
        store.plan("plan-1")


def test_a_plan_is_used_or_denied_once_and_in_time(store: StateStore):
    for number in (1, 2):
        store.keep_plan(plan(number))
    store.keep_plan(plan(3, expires_at=5.0))
    assert [one.id for one in store.plans(is_open=True)] == ["plan-2", "plan-1"]
    store.use_plan("plan-1", "op-1")
    store.use_plan("plan-1", "op-1")
    store.deny_plan("plan-2", "ana", "too dear")
    for spent, said in (("plan-1", "op-1 took it"), ("plan-2", "ana denied it .too dear"), ("plan-3", "its time is over")):
        with pytest.raises(PlanSpentError, match=said):
            store.use_plan(spent, "op-2")
        with pytest.raises(PlanSpentError):
            store.deny_plan(spent, "ana", "")
    assert store.plans(is_open=True) == []
    assert [one.id for one in store.plans(is_open=False, limit=2)] == ["plan-3", "plan-2"]
    assert [(one.used_by, one.denied_by) for one in store.plans()] == [("", ""), ("", "ana"), ("op-1", "")]


def test_an_approval_is_used_by_one_operation(store: StateStore):
    other = replace(APPROVAL, approver="ben", made_at=2.0)
    store.add_approval(APPROVAL)
    store.add_approval(APPROVAL)
    store.add_approval(other)
    assert store.approvals("s") == [other, APPROVAL]
    assert store.approvals("t") == []
    store.use_approval(APPROVAL, "op-1")
    store.use_approval(APPROVAL, "op-1")
    with pytest.raises(ApprovalInvalidError, match="op-1"):
        store.use_approval(APPROVAL, "op-2")
    with pytest.raises(ApprovalInvalidError, match="not kept"):
        store.use_approval(replace(APPROVAL, signature=b"forged"), "op-2")
    assert [one.used_by for one in store.approvals("s")] == ["", "op-1"]


def test_a_note_under_no_lease_needs_none(store: StateStore):
    assert store.intend(Intent(0, "", "", 1, "server.web", "aws", "Read", "", 5.0), WRITE) > 0
