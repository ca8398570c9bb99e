"""Waiting for a person, in an event loop that goes on meanwhile."""

import asyncio

import pytest

from provisioning.approval.approvals import Approvals
from provisioning.approval.keys import ApproverKey, new_key
from provisioning.errors import ApprovalDeniedError, ApprovalInvalidError, PlanSpentError
from provisioning.state.model import StoredPlan
from stratumops.errors import ApprovalRequiredError

from .conftest import SEAT, Kept, ManualClock

pytestmark = pytest.mark.anyio


async def test_waiting_ends_when_a_person_approves_elsewhere(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey, kept: Kept
):
    kept(key=new_key("mallory"))
    waiting = asyncio.create_task(approvals.wait_for(plan.id, 60.0))
    await asyncio.sleep(0)
    await asyncio.to_thread(approvals.approve, plan, ana, SEAT)
    found = await waiting
    assert found.who.approver == "ana"


async def test_waiting_ends_when_a_person_denies(approvals: Approvals, plan: StoredPlan):
    waiting = asyncio.create_task(approvals.wait_for(plan.id, 60.0))
    await asyncio.to_thread(approvals.deny, plan, SEAT, "no")
    with pytest.raises(ApprovalDeniedError):
        await waiting


async def test_waiting_ends_with_the_plan(approvals: Approvals, plan: StoredPlan, clock: ManualClock):
    waiting = asyncio.create_task(approvals.wait_for(plan.id, 60.0))
    await asyncio.sleep(0)
    clock.now += 3600.0
    with pytest.raises(PlanSpentError):
        await waiting


async def test_waiting_ends_with_its_own_time_and_says_why_what_is_there_does_not_hold(
    approvals: Approvals, plan: StoredPlan, kept: Kept
):
    with pytest.raises(ApprovalRequiredError) as refused:
        await approvals.wait_for(plan.id, 0.2)
    assert type(refused.value) is ApprovalRequiredError
    kept(key=new_key("mallory"))
    with pytest.raises(ApprovalInvalidError, match="signature is wrong"):
        await approvals.wait_for(plan.id, 0.0)


async def test_waiting_can_be_cancelled(approvals: Approvals, plan: StoredPlan):
    waiting = asyncio.create_task(approvals.wait_for(plan.id, 60.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
