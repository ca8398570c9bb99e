"""What a migration does to the bill and to compliance."""

from datetime import date
from decimal import Decimal

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess_all
from prov_judge.compliance.model import FRAMEWORKS
from prov_judge.compliance.summary import summarise
from prov_judge.migration.model import ComplianceDelta
from prov_judge.migration.plan import plan_migration, plan_steps
from prov_judge.migration.words import compliance_words
from prov_judge.prices.book import PriceBook

TODAY = date(2026, 11, 23)
SMALL = InfrastructureConfig.model_validate(
    {"servers": [{"name": "a", "plan": "m5.large"}], "buckets": [{"name": "b", "versioning": False}]}
)
LARGE = InfrastructureConfig.model_validate({"servers": [{"name": "a", "plan": "m5.xlarge"}], "buckets": [{"name": "b"}]})


def test_a_larger_server_costs_its_hours_more():
    plan = plan_migration(SMALL, LARGE, book=PriceBook.shipped(), today=TODAY)
    # us-east-1, a month of 730 hours: m5.xlarge 0.192, m5.large 0.096 USD an hour.
    assert plan.cost_after["USD"] - plan.cost_before["USD"] == Decimal("0.096") * 730


def test_failed_checks_are_counted_before_and_after_for_every_framework():
    plan = plan_migration(SMALL, LARGE, today=TODAY)
    assert [delta.framework for delta in plan.compliance] == list(FRAMEWORKS)
    before, after = (
        {one.framework: summarise(one).counts["fail"] for one in assess_all(side, today=TODAY)} for side in (SMALL, LARGE)
    )
    assert {delta.framework: (delta.before, delta.after) for delta in plan.compliance} == {
        name: (before[name], after[name]) for name in FRAMEWORKS
    }
    assert any(delta.after < delta.before for delta in plan.compliance)


def test_without_a_price_book_nothing_is_said_of_cost():
    plan = plan_migration(SMALL, LARGE, today=TODAY)
    assert (plan.cost_before, plan.cost_after) == ({}, {})
    assert plan.steps == plan_steps(SMALL, LARGE).steps


def deltas(before: dict, after: dict) -> dict[str, ComplianceDelta]:
    sides = (InfrastructureConfig.model_validate(side) for side in (before, after))
    return {delta.framework: delta for delta in plan_migration(*sides, today=TODAY).compliance}


def disks(*sorts: str) -> list[dict]:
    return [{"name": f"v{number}", "encrypted": one == "encrypted"} for number, one in enumerate(sorts)]


def test_a_check_that_fails_only_afterwards_is_named_though_as_many_fail_as_before():
    before = {"volumes": disks("encrypted"), "buckets": [{"name": "b", "versioning": False}]}
    delta = deltas(before, {"volumes": disks("plain"), "buckets": [{"name": "b"}]})["soc2"]
    assert delta.newly_failing
    assert delta.newly_passing
    assert delta.after == delta.before + len(delta.newly_failing) - len(delta.newly_passing)
    back = deltas({"volumes": disks("plain")}, {"volumes": disks("encrypted")})["soc2"]
    assert back.newly_passing == delta.newly_failing


def test_a_check_that_fails_in_more_places_is_worse_and_in_fewer_is_not():
    one, two = {"volumes": disks("plain", "encrypted")}, {"volumes": disks("plain", "plain")}
    worse, better = deltas(one, two)["soc2"], deltas(two, one)["soc2"]
    assert (worse.newly_failing, worse.before) == ((), worse.after)
    assert worse.worse
    assert better.worse == ()


def test_a_rename_makes_nothing_worse():
    before, after = ({"volumes": [{"name": name, "encrypted": False}]} for name in ("a", "b"))
    delta = deltas(before, after)["soc2"]
    assert (delta.newly_failing, delta.newly_passing, delta.worse) == ((), (), ())
    assert delta.before > 0


def test_the_words_of_a_delta_name_every_change():
    assert compliance_words(ComplianceDelta("pci", 22, 24, ("ENC-01", "ENC-02"))) == "22 -> 24 fail; new: ENC-01, ENC-02"
    assert compliance_words(ComplianceDelta("pci", 22, 22)) == "22 fail, as before"
    every = ComplianceDelta("pci", 3, 3, ("A",), ("B",), ("C",))
    assert compliance_words(every) == "3 -> 3 fail; new: A; in more places: C; no longer: B"
