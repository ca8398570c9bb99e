"""A workspace's state, a plan in it, two approvers, and a clock that stands until a test moves it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from provisioning.approval.approvals import Approvals
from provisioning.approval.document import CONTEXT, ApprovalDocument, Seat, signed
from provisioning.approval.keys import ApproverKey, new_key
from provisioning.approval.pins import Pins
from provisioning.approval.trust import Trust
from provisioning.errors import ApprovalInvalidError
from provisioning.plan.model import Basis, Plan
from provisioning.state.model import StoredApproval, StoredPlan
from provisioning.state.store import StateStore, open_store

SEAT = Seat("íñigo", "workstation", "/dev/pts/7")


@dataclass
class ManualClock:
    """Stands still until it is moved. Seconds since 1970."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The workspace's own folder."""
    own = tmp_path / "workspace" / ".prov"
    own.mkdir(parents=True, mode=0o700)
    return own


@pytest.fixture
def store(folder: Path) -> Iterator[StateStore]:
    opened = open_store(folder)
    yield opened
    opened.close()


MakePlan = Callable[..., StoredPlan]


@pytest.fixture
def make_plan(store: StateStore, clock: ManualClock) -> MakePlan:
    """Keep a plan in the state."""

    def making(title: str = "one web server", *, lineage: str = "", seconds: float = 3600.0) -> StoredPlan:
        basis = Basis(lineage or store.head().lineage, store.head().serial, "0" * 64, {})
        plan = Plan("apply", title, basis, (), {}, clock.now, clock.now + seconds, "íñigo")
        stored = StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at)
        store.keep_plan(stored)
        return stored

    return making


@pytest.fixture
def plan(make_plan: MakePlan) -> StoredPlan:
    return make_plan()


@pytest.fixture
def pins(tmp_path: Path) -> Pins:
    return Pins.of_user({"HOME": str(tmp_path / "home")})


@pytest.fixture
def trust(folder: Path, store: StateStore, pins: Pins) -> Trust:
    return Trust(folder, store.head().lineage, pins)


@pytest.fixture
def ana() -> ApproverKey:
    return new_key("ana")


@pytest.fixture
def inigo() -> ApproverKey:
    return new_key("íñigo")


@pytest.fixture
def approvals(store: StateStore, trust: Trust, folder: Path, clock: ManualClock, ana: ApproverKey) -> Approvals:
    """With Ana as the first approver."""
    trust.begin(ana, clock.now)
    return Approvals(store, trust, folder, clock=clock)


Kept = Callable[..., StoredApproval]


@pytest.fixture
def kept(store: StateStore, approvals: Approvals, plan: StoredPlan, ana: ApproverKey) -> Kept:
    """Keep a row as somebody would who writes into the database: Ana's approval, altered, signed again or not."""

    def keep(
        *, key: ApproverKey = ana, signs_again: bool = True, row: dict[str, Any] | None = None, **changed: Any
    ) -> StoredApproval:
        base = signed(
            plan,
            ana,
            SEAT,
            way="signature",
            approver="ana",
            lineage=store.head().lineage,
            now=approvals.now,
            lifetime=900.0,
        )
        document = replace(ApprovalDocument.of_body(base.document), **changed)
        signature = key.sign(document.body, CONTEXT) if signs_again else base.signature
        made = StoredApproval(
            document.plan_sha256, document.approver, document.way, document.body, signature, document.made_at, document.expires_at
        )
        made = replace(made, **(row or {}))
        store.add_approval(made)
        return made

    return keep


def refusal(approvals: Approvals, plan: StoredPlan) -> str:
    """Why the approval that is there does not hold."""
    with pytest.raises(ApprovalInvalidError) as refused:
        approvals.valid(plan)
    assert refused.value.exit_code == 6
    return refused.value.message
