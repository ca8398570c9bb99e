"""A plan that does not fit any more is refused with what is different, and an altered one is not taken for itself."""

from dataclasses import replace

import pytest

from provisioning.errors import PlanAlteredError, PlanSpentError, StalePlanError
from provisioning.plan.model import Plan
from provisioning.plan.stale import differences, opened, require_fresh, require_open
from provisioning.state.model import Head, Serial, StoredPlan

from .conftest import LINEAGE, SHOP, Make


@pytest.fixture
def plan(make: Make) -> Plan:
    return make(SHOP, serial=4)


def stored(plan: Plan, **changed: object) -> StoredPlan:
    kept = StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at)
    return replace(kept, **changed)  # type: ignore[arg-type] # fields by name


def head(serial: int = 4, lineage: str = LINEAGE) -> Head:
    return Head(lineage, serial, "h")


def test_a_plan_fits_while_nothing_has_changed(plan: Plan):
    require_fresh(plan, head(), {"aws": "1"}, config_sha256=plan.basis.config_sha256)


def test_a_state_that_moved_on_is_told_with_who_changed_what(plan: Plan):
    since = [Serial(5, "h", "i", 1.0, "op-1", "ana", "", {"server.web": "update"})]
    (said,) = differences(plan, head(5), {"aws": "1"}, since)
    assert "serial 4 to 5" in said
    assert "server.web changed by op-1" in said


def test_of_many_changes_the_first_are_named_and_the_rest_counted(plan: Plan):
    since = [Serial(5, "h", "i", 1.0, "op-1", "ana", "", {f"server.w{number:02}": "create" for number in range(20)})]
    (said,) = differences(plan, head(5), {"aws": "1"}, since)
    assert "and 12 more" in said


@pytest.mark.parametrize(
    ("now", "versions", "file", "words"),
    [
        (head(lineage="other"), {"aws": "1"}, None, "another state"),
        (head(), {"aws": "2"}, None, "aws was 1 and is 2"),
        (head(), {}, None, "aws was 1 and is gone"),
        (head(), {"aws": "1"}, "0" * 64, "was changed since"),
    ],
)
def test_every_difference_is_named(plan: Plan, now: Head, versions: dict[str, str], file: str | None, words: str):
    with pytest.raises(StalePlanError, match=words) as caught:
        require_fresh(plan, now, versions, config_sha256=file)
    assert caught.value.details["differences"]


def test_a_stored_plan_opens_as_it_was(plan: Plan):
    assert opened(stored(plan)).steps[0].id == plan.steps[0].id


@pytest.mark.parametrize(
    "body",
    [
        lambda plan: plan.body.replace(b"t3.micro", b"t3.large"),
        lambda plan: plan.body.replace(b'"serial":4', b'"serial":5'),
        lambda plan: plan.body[:-1],
        lambda _plan: b"",
    ],
)
def test_an_altered_plan_is_refused(plan: Plan, body):
    with pytest.raises(PlanAlteredError):
        opened(stored(plan, body=body(plan)))


def test_a_plan_under_the_hash_of_another_is_refused(plan: Plan, make: Make):
    other = make(SHOP, serial=5)
    with pytest.raises(PlanAlteredError):
        opened(stored(plan, body=other.body, sha256=other.sha256))


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"used_by": "op-1"}, "op-1"),
        ({"denied_by": "ana", "denied_why": "not today"}, "not today"),
        ({"expires_at": 1.0}, "expired"),
    ],
)
def test_a_plan_that_was_used_denied_or_is_over_cannot_be_applied(plan: Plan, changed: dict[str, object], words: str):
    with pytest.raises(PlanSpentError, match=words):
        require_open(stored(plan, **changed), now=plan.made_at + 1)
