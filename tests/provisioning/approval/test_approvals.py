"""When an approval holds, for how long, for what, and every way in which it does not."""

import json
import threading
from dataclasses import replace
from typing import Any

import pytest

from provisioning.approval.approvals import Approvals
from provisioning.approval.document import CONTEXT, LONGEST_SECONDS, ApprovalDocument, signed
from provisioning.approval.errors import TrustAlteredError
from provisioning.approval.keys import ApproverKey, new_key
from provisioning.approval.trust import Trust
from provisioning.errors import ApprovalDeniedError, ApprovalInvalidError, PlanSpentError
from provisioning.state.model import StoredApproval, StoredPlan
from provisioning.state.store import StateStore
from stratumops.errors import ApprovalRequiredError

from .conftest import SEAT, Kept, MakePlan, ManualClock, refusal


def test_nothing_is_approved_until_a_person_approves(approvals: Approvals, plan: StoredPlan):
    with pytest.raises(ApprovalRequiredError) as refused:
        approvals.valid(plan)
    assert type(refused.value) is ApprovalRequiredError
    assert f"prov approve {plan.id}" in refused.value.hint


def test_an_approval_says_who_where_and_until_when(approvals: Approvals, plan: StoredPlan, ana: ApproverKey, clock: ManualClock):
    approvals.approve(plan, ana, SEAT)
    found = approvals.valid(plan)
    assert found.who.said == "ana (íñigo@workstation, /dev/pts/7)"
    assert found.who.made_at == clock.now
    assert found.stored.expires_at == clock.now + 900.0
    assert found.stored.plan_sha256 == plan.sha256


def test_an_approval_is_used_once_and_only_the_operation_that_used_it_may_ask_again(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey
):
    approvals.approve(plan, ana, SEAT)
    assert approvals.use(plan, "op-1").approver == "ana"
    assert approvals.use(plan, "op-1").approver == "ana"
    with pytest.raises(ApprovalInvalidError, match="used already, by op-1"):
        approvals.use(plan, "op-2")
    assert "used already" in refusal(approvals, plan)


def test_of_many_that_would_use_it_at_once_one_does(approvals: Approvals, plan: StoredPlan, ana: ApproverKey):
    approvals.approve(plan, ana, SEAT)
    won: list[str] = []
    together = threading.Barrier(5)

    def use(operation: str) -> None:
        together.wait()
        try:
            approvals.use(plan, operation)
        except ApprovalInvalidError:
            return
        won.append(operation)

    threads = [threading.Thread(target=use, args=(f"op-{number}",)) for number in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_an_approval_ends_with_its_time(approvals: Approvals, plan: StoredPlan, ana: ApproverKey, clock: ManualClock):
    approvals.approve(plan, ana, SEAT)
    clock.now += 899.0
    approvals.valid(plan)
    clock.now += 1.0
    assert "it is over" in refusal(approvals, plan)


def test_an_approval_ends_with_its_plan(approvals: Approvals, make_plan: MakePlan, ana: ApproverKey, clock: ManualClock):
    plan = make_plan(seconds=60.0)
    approvals.approve(plan, ana, SEAT)
    assert approvals.valid(plan).stored.expires_at == plan.expires_at
    clock.now += 61.0
    with pytest.raises(PlanSpentError, match="time of"):
        approvals.approve(plan, ana, SEAT)


def test_an_approval_holds_for_its_own_plan_only(
    approvals: Approvals, make_plan: MakePlan, plan: StoredPlan, ana: ApproverKey, store: StateStore
):
    approvals.approve(plan, ana, SEAT)
    other = make_plan("a hundred web servers")
    with pytest.raises(ApprovalRequiredError):
        approvals.valid(other)
    store.add_approval(replace(approvals.valid(plan).stored, plan_sha256=other.sha256))
    assert "names another plan than what was signed" in refusal(approvals, other)


def test_a_plan_that_was_altered_is_approved_no_longer(approvals: Approvals, plan: StoredPlan, ana: ApproverKey):
    approvals.approve(plan, ana, SEAT)
    altered = replace(plan, body=plan.body.replace(b"one web server", b"two web server"))
    assert "the plan was altered" in refusal(approvals, altered)
    assert "for another plan" in refusal(approvals, replace(plan, id="plan-000000000000"))


def test_a_plan_for_another_state_is_not_approved(approvals: Approvals, make_plan: MakePlan, ana: ApproverKey):
    with pytest.raises(ApprovalInvalidError, match="made for another state"):
        approvals.approve(make_plan(lineage="another"), ana, SEAT)


def test_an_approval_for_another_state_does_not_hold(approvals: Approvals, plan: StoredPlan, kept: Kept):
    kept(lineage="another")
    assert "for another state" in refusal(approvals, plan)


def test_a_foreign_approvers_signature_does_not_hold(approvals: Approvals, plan: StoredPlan, kept: Kept, store: StateStore):
    mallory = new_key("mallory")
    with pytest.raises(ApprovalInvalidError, match=r"'mallory' .* is no approver"):
        approvals.approve(plan, mallory, SEAT)
    assert store.approvals(plan.sha256) == []
    kept(key=mallory)
    assert "its signature is wrong" in refusal(approvals, plan)


def test_nobody_signs_under_anothers_name(approvals: Approvals, plan: StoredPlan, kept: Kept):
    kept(approver="íñigo")
    assert "the key of 'ana' signed it for 'íñigo'" in refusal(approvals, plan)


def test_what_was_signed_cannot_be_changed(approvals: Approvals, plan: StoredPlan, kept: Kept, clock: ManualClock):
    kept(signs_again=False, expires_at=clock.now + 80_000.0)
    assert "its signature is wrong" in refusal(approvals, plan)


@pytest.mark.parametrize(
    "row", [{"expires_at": 1.9e9}, {"made_at": 0.0}, {"approver": "eva"}, {"way": "elicitation"}], ids=lambda row: next(iter(row))
)
def test_a_stored_row_that_differs_from_what_was_signed_does_not_hold(
    row: dict[str, Any], approvals: Approvals, plan: StoredPlan, kept: Kept
):
    kept(row=row)
    assert "not what was signed" in refusal(approvals, plan)


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(extra=1),
        lambda found: found.pop("nonce"),
        lambda found: found.update(made_at="now"),
        lambda found: found.update(purpose="something else"),
        lambda found: found.update(expires_at=float("inf")),
    ],
)
def test_a_document_of_another_shape_is_none(
    change, approvals: Approvals, plan: StoredPlan, kept: Kept, ana: ApproverKey, store: StateStore
):
    found = json.loads(kept(row={"plan_sha256": "0" * 64}).document)
    change(found)
    body = json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    now = approvals.now
    store.add_approval(StoredApproval(plan.sha256, "ana", "signature", body, ana.sign(body, CONTEXT), now, now + 900.0))
    assert "damaged or altered" in refusal(approvals, plan)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"{}", b"[" * 100_000])
def test_what_is_no_document_is_none(body: bytes):
    with pytest.raises(ValueError, match="no approval"):
        ApprovalDocument.of_body(body)


def test_a_document_in_other_words_is_none(kept: Kept):
    document = kept().document
    with pytest.raises(ValueError, match="no approval"):
        ApprovalDocument.of_body(document.replace(b'":', b'": '))


def test_an_approval_from_the_future_does_not_hold(approvals: Approvals, plan: StoredPlan, kept: Kept, clock: ManualClock):
    kept(made_at=clock.now + 600.0, expires_at=clock.now + 1200.0)
    assert "made in the future" in refusal(approvals, plan)


def test_an_approval_for_longer_than_a_day_does_not_hold(approvals: Approvals, plan: StoredPlan, kept: Kept, clock: ManualClock):
    kept(expires_at=clock.now + LONGEST_SECONDS + 1.0)
    assert "longer than a day" in refusal(approvals, plan)


def test_an_unknown_way_to_approve_does_not_hold(approvals: Approvals, plan: StoredPlan, kept: Kept):
    stored = kept(way="shouting", row={"way": "signature"})
    assert stored.plan_sha256 == plan.sha256
    assert "unknown way" in refusal(approvals, plan)


def test_approvals_of_one_who_was_removed_hold_no_longer(
    approvals: Approvals, trust: Trust, plan: StoredPlan, ana: ApproverKey, inigo: ApproverKey
):
    trust.add("íñigo", inigo.public, ana, approvals.now)
    approvals.approve(plan, ana, SEAT)
    trust.remove("ana", inigo, approvals.now)
    assert "'ana' " in refusal(approvals, plan)


def test_a_second_approver_approves_once_the_first_has_signed_for_it(
    approvals: Approvals, trust: Trust, plan: StoredPlan, ana: ApproverKey, inigo: ApproverKey, clock: ManualClock
):
    with pytest.raises(ApprovalInvalidError):
        approvals.approve(plan, inigo, SEAT)
    trust.add("íñigo", inigo.public, ana, clock.now)
    assert approvals.approve(plan, inigo, SEAT).approver == "íñigo"


def test_what_somebody_signed_before_becoming_an_approver_does_not_hold_afterwards(
    store: StateStore,
    approvals: Approvals,
    trust: Trust,
    plan: StoredPlan,
    ana: ApproverKey,
    inigo: ApproverKey,
    clock: ManualClock,
):
    early = signed(
        plan, inigo, SEAT, way="signature", approver="íñigo", lineage=store.head().lineage, now=clock.now, lifetime=900.0
    )
    store.add_approval(early)
    clock.now += 60.0
    trust.add("íñigo", inigo.public, ana, clock.now)
    assert "no approver yet" in refusal(approvals, plan)


def test_an_approval_from_before_untrusted_text_was_read_does_not_hold(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey, clock: ManualClock
):
    approvals.approve(plan, ana, SEAT)
    clock.now += 10.0
    with pytest.raises(ApprovalInvalidError, match="before untrusted text"):
        approvals.valid(plan, not_before=clock.now)
    approvals.approve(plan, ana, SEAT)
    approvals.valid(plan, not_before=clock.now)


def test_a_list_of_approvers_that_was_altered_lets_nothing_hold(
    approvals: Approvals, trust: Trust, plan: StoredPlan, ana: ApproverKey
):
    approvals.approve(plan, ana, SEAT)
    trust.path.write_text(trust.path.read_text().replace('"ana"', '"eva"'))
    with pytest.raises(TrustAlteredError):
        approvals.valid(plan)


def test_a_denied_plan_stays_denied(approvals: Approvals, plan: StoredPlan, ana: ApproverKey, store: StateStore):
    approvals.approve(plan, ana, SEAT)
    approvals.deny(plan, SEAT, "too dear")
    denied = store.plan(plan.id)
    with pytest.raises(ApprovalDeniedError, match=r"denied by íñigo@workstation .*: too dear"):
        approvals.valid(denied)
    with pytest.raises(ApprovalDeniedError):
        approvals.approve(plan, ana, SEAT)
    with pytest.raises(ApprovalDeniedError):
        approvals.deny(plan, SEAT)


def test_a_plan_that_was_carried_out_is_approved_no_more(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey, store: StateStore
):
    approvals.approve(plan, ana, SEAT)
    approvals.use(plan, "op-1")
    store.use_plan(plan.id, "op-1")
    with pytest.raises(PlanSpentError, match="carried out already, by op-1"):
        approvals.approve(plan, ana, SEAT)


def test_a_row_that_says_a_plan_was_carried_out_without_an_approval_keeps_nobody_from_approving(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey, store: StateStore
):
    store.use_plan(plan.id, "op-1")
    approvals.approve(plan, ana, SEAT)
    assert approvals.use(store.plan(plan.id), "op-1").approver == "ana"


def test_what_an_operation_used_counts_for_it_when_its_time_is_over(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey, clock: ManualClock
):
    approvals.approve(plan, ana, SEAT)
    with pytest.raises(ApprovalInvalidError, match="op-1 did not use it"):
        approvals.used(plan, "op-1")
    with pytest.raises(ApprovalInvalidError, match="nothing did not use it"):
        approvals.used(plan, "")
    approvals.use(plan, "op-1")
    clock.now += 86_400.0

    assert approvals.used(plan, "op-1").approver == "ana"
    with pytest.raises(ApprovalInvalidError, match="op-2 did not use it"):
        approvals.used(plan, "op-2")


def test_a_row_that_somebody_wrote_is_no_approval_that_was_used(
    approvals: Approvals, plan: StoredPlan, make_plan: MakePlan, kept: Kept, ana: ApproverKey
):
    with pytest.raises(ApprovalRequiredError):
        approvals.used(plan, "op-1")
    kept(key=new_key("ana"), row={"used_by": "op-1"})
    with pytest.raises(ApprovalInvalidError, match="signature is wrong"):
        approvals.used(plan, "op-1")
    other = make_plan("another")
    with pytest.raises(ApprovalRequiredError):
        approvals.used(other, "op-1")


def test_an_approval_that_does_not_hold_hides_none_that_does(
    approvals: Approvals, plan: StoredPlan, ana: ApproverKey, kept: Kept, clock: ManualClock
):
    approvals.approve(plan, ana, SEAT)
    clock.now += 1.0
    kept(key=new_key("mallory"))
    assert approvals.valid(plan).who.approver == "ana"
