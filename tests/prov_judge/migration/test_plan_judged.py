"""What a migration does to the bill and to compliance."""

from datetime import date
from decimal import Decimal

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.model import FRAMEWORKS
from prov_judge.migration.plan import plan_migration, plan_steps
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
    assert all(delta.after <= delta.before for delta in plan.compliance)
    assert any(delta.after < delta.before for delta in plan.compliance)


def test_without_a_price_book_nothing_is_said_of_cost():
    plan = plan_migration(SMALL, LARGE, today=TODAY)
    assert (plan.cost_before, plan.cost_after) == ({}, {})
    assert plan.steps == plan_steps(SMALL, LARGE).steps
