"""What a person says in a client, where the settings let it count."""

from dataclasses import replace
from pathlib import Path

import pytest

from provisioning.approval.approvals import Approvals
from provisioning.approval.document import CONTEXT, ApprovalDocument, Seat, Trusted, find_valid, signed, verify
from provisioning.approval.keys import ApproverKey
from provisioning.approval.trust import Trust
from provisioning.errors import ApprovalInvalidError
from provisioning.state.model import StoredPlan
from provisioning.state.store import StateStore
from stratumops.errors import PermissionDeniedError

from .conftest import SEAT, Kept, ManualClock, refusal

CLIENT = Seat("íñigo", "workstation", "claude-desktop")


@pytest.fixture
def eliciting(store: StateStore, trust: Trust, folder: Path, clock: ManualClock) -> Approvals:
    return Approvals(store, trust, folder, accepts_elicitation=True, clock=clock)


def test_what_is_said_in_a_client_counts_only_where_the_settings_say_so(
    eliciting: Approvals, approvals: Approvals, plan: StoredPlan
):
    with pytest.raises(PermissionDeniedError, match="does not count"):
        approvals.approve_by_elicitation(plan, "íñigo", CLIENT)
    assert eliciting.approve_by_elicitation(plan, "íñigo", CLIENT).way == "elicitation"
    assert eliciting.valid(plan).who.terminal == "claude-desktop"
    assert "does not count here" in refusal(approvals, plan)


def test_a_row_of_an_elicitation_that_somebody_wrote_by_hand_does_not_hold(
    eliciting: Approvals, plan: StoredPlan, kept: Kept, inigo: ApproverKey
):
    kept(key=inigo, way="elicitation")
    assert "another server signed it" in refusal(eliciting, plan)


def test_an_approvers_own_key_does_not_make_an_elicitation(
    eliciting: Approvals, plan: StoredPlan, store: StateStore, ana: ApproverKey
):
    own = eliciting.trusted().server
    assert own
    base = signed(
        plan, ana, CLIENT, way="elicitation", approver="ana", lineage=store.head().lineage, now=eliciting.now, lifetime=9.0
    )
    document = replace(ApprovalDocument.of_body(base.document), key=own.id)
    store.add_approval(replace(base, document=document.body, signature=ana.sign(document.body, CONTEXT)))
    assert "its signature is wrong" in refusal(eliciting, plan)


def test_without_anybody_who_is_trusted_nothing_holds(
    store: StateStore, approvals: Approvals, plan: StoredPlan, ana: ApproverKey
):
    approvals.approve(plan, ana, SEAT)
    lineage, now = store.head().lineage, approvals.now
    with pytest.raises(ApprovalInvalidError):
        find_valid(store, plan, Trusted(), now, lineage)
    with pytest.raises(ApprovalInvalidError):
        verify(store.approvals(plan.sha256)[0], plan, Trusted(), now, lineage)
