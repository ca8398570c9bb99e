"""What holds for every configuration, whatever is in it."""

import os
import random
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

import strategies
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import KINDS
from prov_judge.cost.changing import apply
from prov_judge.cost.estimate import Estimator, estimate
from prov_judge.cost.model import DEPENDS, USAGES
from prov_judge.prices.book import PriceBook

TODAY = date(2026, 11, 23)
BOOK = PriceBook.shipped()
LISTS = [kind for kind in KINDS if kind.is_list and kind.is_resource]
configs = strategies.models(InfrastructureConfig)
# Drawing a configuration takes many times as long as its estimates: without the soak it is done a few times.
EXAMPLES = settings(parent=strategies.PROFILE, max_examples=500 if os.environ.get("PROV_TESTS_SOAK") else 12)


# Real plans, disks and environments, so that every rule for savings has something to say.
PLANS = [
    "small",
    "medium",
    "m4.xlarge",
    "m5.4xlarge",
    "t2.medium",
    "c4.large",
    "n1-standard-4",
    "n2-standard-4",
    "Standard_D2s_v3",
    "cx23",
]
sizes = st.integers(20, 3000)
disks = st.sampled_from(["ssd", "gp2", "gp3", "io1", "io2", "hdd"])
iops = st.none() | st.integers(100, 20000)
providers = st.sampled_from(["aws", "aws", "azure", "gcp", "hetzner", "upcloud"])
names = st.sampled_from(["a", "b", "c", "d"])


@st.composite
def everyday(draw: st.DrawFn) -> InfrastructureConfig:
    """A configuration as people write them, with what they forget in it."""

    def some(make):
        return draw(st.lists(st.composite(make)(), max_size=3))

    def server(draw):
        plan = draw(st.none() | st.sampled_from(PLANS))
        spec = {
            "disk_gb": draw(sizes),
            "disk_type": draw(disks),
            "cpu": draw(st.integers(1, 8)),
            "memory_gb": draw(st.integers(1, 32)),
        }
        subnet = draw(st.none() | st.sampled_from(["public", "private"]))
        backup = draw(st.none() | st.just({}))
        return {"name": draw(names), "plan": plan, "spec": spec, "backup": backup, "networking": {"subnet": subnet}}

    def volume(draw):
        kind = draw(disks)
        own = {} if kind in {"gp2", "hdd"} else {"iops": draw(iops)}
        return {"name": draw(names), "type": kind, "size_gb": draw(sizes), "attached_to": draw(st.none() | names), **own}

    def database(draw):
        return {
            "name": draw(names), "storage_type": draw(disks), "storage_gb": draw(sizes), "multi_az": draw(st.booleans()),
            "iops": draw(iops), "replicas": draw(st.integers(0, 2)),
        }  # fmt: skip

    def cluster(draw):
        return {"name": draw(names), "workers": {"plan": draw(st.sampled_from(PLANS)), "count": draw(st.integers(0, 5))}}

    def bucket(draw):
        size, copy = draw(st.none() | st.integers(0, 5000)), draw(st.sampled_from([None, "eu-west-1", "elsewhere"]))
        return {
            "name": draw(names),
            "size_gb": size,
            "replicate_to": copy,
            "access": draw(st.sampled_from(["private", "public_read"])),
        }

    def plan(draw):
        return {"name": draw(names), "targets": draw(st.lists(names, max_size=3))}

    subnets = [{"name": tier, "cidr": f"10.0.{at}.0/24", "tier": tier} for at, tier in enumerate(["public", "private"])]
    return InfrastructureConfig.model_validate(
        {
            "provider": draw(providers),
            "environment": draw(st.sampled_from(["production", "development"])),
            "servers": some(server),
            "volumes": some(volume),
            "databases": some(database),
            "clusters": some(cluster),
            "buckets": some(bucket),
            "load_balancers": [{"name": name, "waf": True} for name in draw(st.lists(names, max_size=2))],
            "backup_plans": some(plan),
            "networking": {
                "nat": draw(st.sampled_from(["none", "single", "per_zone"])),
                "subnets": draw(st.lists(st.sampled_from(subnets), max_size=2, unique_by=lambda one: one["name"])),
            },
        },
        strict=False,
    )


@given(configs)
@EXAMPLES
def test_the_totals_are_the_sums_of_the_parts_and_the_unpriced_are_those_without_a_price(config):
    found = estimate(config, book=BOOK)
    sums: dict[str, Decimal] = {}
    unpriced = []
    for resource, part in found.parts():
        if part.monthly is None:
            unpriced.append((resource.address, part.name, part.hint))
            assert part.hint
        else:
            assert part.monthly >= 0
            sums[part.currency] = sums.get(part.currency, Decimal(0)) + part.monthly
    assert found.totals() == sums
    assert list(found.unpriced) == unpriced
    assert Estimator(BOOK, today=TODAY).monthly(config) == sums


@given(everyday())
@EXAMPLES
def test_more_use_never_costs_less_and_only_parts_that_say_so_depend_on_it(config):
    found = estimate(config, book=BOOK)
    for _, part in found.parts():
        assert (DEPENDS in part.notes) == part.is_usage
        if part.price is not None:
            small, medium, large = (part.monthly_at(usage) for usage in USAGES)
            assert small <= medium <= large
            assert part.monthly == medium
    for usage in USAGES:
        assert estimate(config, book=BOOK, usage=usage).totals() == found.totals(usage)


@given(everyday(), st.sampled_from(LISTS), st.data())
@EXAMPLES
def test_one_more_resource_never_lowers_the_total(config, kind, data):
    more = data.draw(strategies.models(kind.model))
    larger = config.model_copy(update={kind.field: [*getattr(config, kind.field), more]})
    before, after = Estimator(BOOK, today=TODAY).monthly(config), Estimator(BOOK, today=TODAY).monthly(larger)
    assert all(after.get(currency, Decimal(0)) >= amount for currency, amount in before.items())


@given(everyday(), st.randoms())
@EXAMPLES
def test_the_order_of_resources_does_not_matter(config, chance: random.Random):
    shuffled = config.model_copy(
        update={kind.field: chance.sample(getattr(config, kind.field), len(getattr(config, kind.field))) for kind in LISTS}
    )
    one, other = estimate(config, book=BOOK), estimate(shuffled, book=BOOK)
    assert {currency: amount.normalize() for currency, amount in one.totals().items()} == {
        currency: amount.normalize() for currency, amount in other.totals().items()
    }
    assert sorted(one.unpriced) == sorted(other.unpriced)


@given(everyday())
@EXAMPLES
def test_a_saving_is_the_difference_of_two_estimates_to_the_last_digit(config):
    found = estimate(config, book=BOOK)
    for saving in found.savings:
        assert saving.monthly > 0
        changed = apply(config, saving)
        assert InfrastructureConfig.model_validate(changed.model_dump(exclude_none=True)) is not None
        after = estimate(changed, book=BOOK).totals()
        assert found.totals()[saving.currency] - after.get(saving.currency, Decimal(0)) == saving.monthly
        others = {currency: amount for currency, amount in found.totals().items() if currency != saving.currency}
        assert {currency: amount for currency, amount in after.items() if currency != saving.currency} == others


@given(everyday(), st.sampled_from(["us-east-1", "eu-central-1", "eu-west-3", "us-eats-1"]))
@EXAMPLES
def test_a_saving_never_holds_a_price_that_stands_in_against_a_regions_own(config, region):
    moved = config.model_copy(update={"provider": "aws", "region": region})
    found = estimate(moved, book=BOOK)
    for saving in found.savings:
        before = {part for resource in found.resources if resource.path == saving.path for part in map(_basis, resource.parts)}
        after = estimate(apply(moved, saving), book=BOOK)
        if saving.fields is not None:
            assert {_basis(part) for one in after.resources if one.path == saving.path for part in one.parts} <= before


def _basis(part):
    if part.price is None or not part.monthly:
        return None
    return part.price.region, part.price.origin, part.price.is_fallback
