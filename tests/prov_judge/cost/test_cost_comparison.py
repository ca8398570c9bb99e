"""Two estimates side by side, an estimate against a budget, an estimate as JSON."""

import json
from datetime import date
from decimal import Decimal

import pytest

from prov_gen.layers.limits import Pricer, check_limits
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.budget import check
from prov_judge.cost.difference import compare
from prov_judge.cost.document import as_dict, as_json
from prov_judge.cost.estimate import Estimator, estimate
from prov_judge.migration.plan import plan_migration
from stratumops.errors import InvalidInputError

AWS = {"provider": "aws", "region": "us-east-1"}
TODAY = date(2026, 11, 23)


def volume(name: str, size: int = 100, kind: str = "gp3") -> dict:
    return {"name": name, "type": kind, "size_gb": size, "attached_to": "a"}


def test_a_difference_tells_added_removed_and_changed_resources(priced):
    before = priced(**AWS, volumes=[volume("same"), volume("larger"), volume("gone")])
    after = priced(**AWS, volumes=[volume("new"), volume("same"), volume("larger", 200)])
    found = compare(before, after)
    assert [(one.address, one.change, one.cost.delta["USD"]) for one in found.resources] == [
        ("volume.new", "added", Decimal(8)),
        ("volume.larger", "changed", Decimal(8)),
        ("volume.gone", "removed", Decimal(-8)),
    ]
    assert found.totals.delta == {"USD": Decimal(8)}


def test_a_difference_keeps_currencies_apart_and_tells_of_lost_prices(priced):
    server = {"name": "a", "plan": "cx23", "provider": "hetzner"}
    before = priced(**AWS, servers=[server])
    after = priced(**AWS, servers=[{"name": "a", "plan": "unheard-of"}])
    (found,) = compare(before, after).resources
    assert found.cost.delta["EUR"] < 0 < found.cost.delta["USD"]
    assert found.unpriced == (0, 1)


def test_the_difference_to_itself_is_empty(priced):
    one = priced(**AWS, volumes=[volume("a"), volume("a")])
    assert compare(one, one).resources == ()


@pytest.mark.parametrize(
    ("stated", "note"),
    [
        ({"provider": "hetzner", "servers": [{"name": "w", "plan": "ccx63"}]}, "EUR were not compared with the budget"),
        (AWS | {"servers": [{"name": "b", "plan": "unheard-of"}]}, "1 part without a price was not compared with the budget"),
    ],
)
def test_a_bill_that_is_not_compared_whole_is_not_told_to_be_within_the_budget(priced, stated, note):
    verdict = check(priced(**stated), Decimal(50), "USD")
    assert verdict.is_within is None
    assert verdict.over == 0
    assert note in verdict.notes[0]


def test_what_is_known_to_be_over_the_budget_is_over_it_whatever_else_is_not_compared(priced):
    servers = [{"name": "a", "plan": "m5.4xlarge"}, {"name": "b", "plan": "unheard-of"}]
    assert check(priced(**AWS, servers=servers), Decimal(50), "USD").is_within is False


def test_a_budget_tells_by_how_much_it_is_exceeded_and_what_was_not_compared(priced):
    found = priced(
        **AWS,
        volumes=[volume("v", 1000)],
        servers=[{"name": "a", "plan": "cx23", "provider": "hetzner"}, {"name": "b", "plan": "unheard-of"}],
        queues=[{"name": "q"}],
    )
    verdict = check(found, Decimal(50), "USD")
    assert verdict.is_within is False
    assert verdict.over == found.totals()["USD"] - 50
    assert verdict.low <= verdict.cost <= verdict.high
    assert verdict.not_compared == {"EUR": found.totals()["EUR"]}
    assert verdict.unpriced == 1
    assert len(verdict.notes) == 2


def test_a_budget_within_which_large_use_would_not_be_says_so(priced):
    found = priced(**AWS, buckets=[{"name": "b"}])
    verdict = check(found, found.totals("large")["USD"] - 1, "USD")
    assert verdict.is_within
    assert verdict.over == 0
    assert "large usage would cost" in verdict.notes[0]


def test_with_rates_a_budget_is_compared_with_all_currencies(book):
    config = InfrastructureConfig.model_validate(
        AWS | {"volumes": [volume("v")], "servers": [{"name": "a", "plan": "cx23", "provider": "hetzner"}]}
    )
    found = estimate(config, book=book, rates={"EUR": Decimal("1.1")})
    verdict = check(found, Decimal(1000), "USD")
    assert verdict.is_within is True
    assert verdict.cost == found.converted().monthly
    assert verdict.not_compared == {}


@pytest.mark.parametrize(("amount", "currency"), [("0", "USD"), ("-1", "USD"), ("NaN", "USD"), ("Infinity", "USD"), ("5", "UDS")])
def test_a_budget_that_is_none_is_refused(priced, amount, currency):
    with pytest.raises(InvalidInputError) as caught:
        check(priced(**AWS), Decimal(amount), currency)
    assert caught.value.hint


def test_the_estimator_is_the_pricer_of_the_limits(book):
    pricer: Pricer = Estimator(book, today=TODAY)
    config = InfrastructureConfig.model_validate(AWS | {"volumes": [volume("v", 1000)], "limits": {"monthly_budget": 10}})
    assert pricer.monthly(config) == {"USD": Decimal(80)}
    assert "budget_exceeded" in [finding.code for finding in check_limits(config, pricer, 0)]


def test_the_estimator_prices_as_the_estimate_of_the_same_day_does(book):
    cluster = {"name": "k", "version": "1.29", "workers": {"count": 1, "plan": "t3.medium"}}
    config = InfrastructureConfig.model_validate(AWS | {"clusters": [cluster]})
    whole = estimate(config, book=book, today=TODAY)
    assert "Control plane, extended support" in [part.name for _, part in whole.parts()]
    assert Estimator(book, today=TODAY).monthly(config) == whole.totals()
    plan = plan_migration(InfrastructureConfig.model_validate(AWS), config, book=book, today=TODAY)
    assert plan.cost_after == whole.totals()


@pytest.mark.parametrize("rate", ["1e300", "1000001", "0.0000009", "0", "-1", "NaN"])
def test_a_rate_that_no_currency_has_is_refused(book, rate):
    config = InfrastructureConfig.model_validate(AWS)
    with pytest.raises(InvalidInputError, match="no rate for EUR"):
        estimate(config, book=book, rates={"EUR": Decimal(rate)})


def test_a_configuration_may_keep_its_regions_where_its_provider_lacks_the_one_that_was_asked_for(book):
    config = InfrastructureConfig.model_validate({"provider": "hetzner", "servers": [{"name": "w", "plan": "cx23"}]})
    with pytest.raises(InvalidInputError, match="us-east-1"):
        estimate(config, book=book, region="us-east-1")
    kept = estimate(config, book=book, region="us-east-1", must_have_region=False)
    assert kept.totals() == estimate(config, book=book).totals()
    assert kept.notes[0] == "hetzner has no region 'us-east-1': it is priced in its own regions"


def test_the_document_is_json_and_holds_every_part_with_its_source(priced):
    found = priced(
        **AWS,
        servers=[{"name": "a", "plan": "m5.4xlarge", "spec": {"disk_type": "gp2"}}, {"name": "b", "plan": "unheard-of"}],
        buckets=[{"name": "logs"}],
    )
    document = as_dict(found)
    assert json.loads(as_json(found)) == document
    assert sum(len(one["parts"]) for one in document["resources"]) == len(list(found.parts()))
    compute = document["resources"][0]["parts"][0]
    assert (compute["quantity"], compute["unit"], compute["unit_price"], compute["monthly"]) == (
        "730",
        "hours",
        "0.768",
        "560.64",
    )
    assert compute["price"]["as_of"]
    assert compute["price"]["source"]
    unpriced = document["resources"][1]["parts"][0]
    assert (unpriced["unit_price"], unpriced["monthly"], unpriced["price"]) == (None, None, None)
    storage = document["resources"][2]["parts"][0]
    assert set(storage["range"]) == {"small", "medium", "large"}
    assert document["savings"][0]["fields"]
