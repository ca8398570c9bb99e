"""Regions, ages, currencies and unknown names: what is not exact says so, and wrong arguments are refused."""

from datetime import date
from decimal import Decimal

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.estimate import estimate
from stratumops.errors import InvalidInputError

BOTH = {
    "provider": "aws",
    "region": "us-east-1",
    "servers": [
        {"name": "a", "plan": "m6i.large", "spec": {"disk_type": "gp3"}},
        {"name": "b", "plan": "cx23", "provider": "hetzner"},
    ],
}


def config(**stated) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(stated)


def test_a_price_of_another_region_is_labelled_and_summed_up(book):
    server = {"name": "a", "plan": "m6i.large"}
    found = estimate(config(provider="aws", region="sa-east-1", servers=[server]), book=book)
    compute = found.resources[0].parts[0]
    assert compute.price.is_fallback
    assert f"price of {compute.price.region}: none is known for sa-east-1" in compute.notes
    assert "2 parts in aws sa-east-1: the price is that of us-east-1, none is known there" in found.notes
    here = estimate(config(provider="aws", region="us-east-1", servers=[server]), book=book)
    assert not any("the price is that of" in note for note in here.notes)


def test_a_copy_in_another_region_is_billed_there(book):
    bucket = {"name": "b", "size_gb": 100, "replicate_to": "eu-west-2"}
    found = estimate(config(provider="aws", region="us-east-1", buckets=[bucket]), book=book)
    copy = next(part for part in found.resources[0].parts if part.name == "Storage of the copy")
    assert (copy.place, copy.monthly) == ("aws eu-west-2", Decimal("2.40"))  # 100 GB x 0.024
    sent = next(part for part in found.resources[0].parts if part.name == "Data to the copy")
    assert sent.range == {"small": 10, "medium": 50, "large": 100}


def test_a_region_moves_what_is_of_the_configurations_provider_only(book):
    found = estimate(config(**BOTH), book=book, region="eu-central-1")
    assert [one.region for one in found.resources] == ["eu-central-1", "fsn1"]
    assert found.resources[0].parts[0].price.region == "eu-central-1"
    assert "resources of aws are priced as if they were in eu-central-1" in found.notes
    assert "resources of hetzner keep their own regions" in found.notes


def test_a_region_changes_which_machine_is_the_cheapest(book):
    server = {"name": "a", "spec": {"cpu": 4, "memory_gb": 16}}
    there = estimate(config(provider="aws", region="eu-central-1", servers=[server]), book=book)
    moved = estimate(config(provider="aws", region="us-east-1", servers=[server]), book=book, region="eu-central-1")
    assert moved.totals() == there.totals()


def test_an_unknown_region_is_refused_with_the_nearest(book):
    with pytest.raises(InvalidInputError) as caught:
        estimate(config(**BOTH), book=book, region="eu-centrall-1")
    assert "eu-central-1" in caught.value.hint


def test_a_region_may_be_named_by_its_city(book):
    found = estimate(config(**BOTH), book=book, region="Frankfurt")
    assert found.resources[0].region == "eu-central-1"


def test_an_unknown_machine_is_unpriced_with_the_nearest_names(book):
    found = estimate(config(provider="aws", servers=[{"name": "a", "plan": "m6i.lrge"}]), book=book)
    assert [(address, part) for address, part, _ in found.unpriced] == [("server.a", "Compute (m6i.lrge)")]
    assert "m6i.large" in found.unpriced[0][2]
    assert found.resources[0].parts[0].monthly is None


def test_a_name_that_only_the_customer_has_a_price_for_is_priced(priced, row):
    rows = [row("aws", "us-east-1", "compute/our.special", "hours", "0.5", origin="negotiated")]
    found = priced(rows, provider="aws", region="us-east-1", servers=[{"name": "a", "plan": "our.special"}])
    assert found.resources[0].parts[0].monthly == Decimal(365)
    assert "negotiated price" in found.resources[0].parts[0].notes


def test_a_price_for_another_unit_is_no_price(priced, row):
    rows = [row("aws", "us-east-1", "block_storage/gp3", "months", "9", origin="negotiated")]
    found = priced(rows, provider="aws", region="us-east-1", volumes=[{"name": "v", "type": "gp3", "attached_to": "a"}])
    assert found.unpriced == (("volume.v", "Storage (gp3)", "its price is for months, not GB: import one for GB"),)


def test_custom_machine_types_say_why_they_have_no_price(book):
    found = estimate(config(provider="gcp", servers=[{"name": "a", "plan": "n2-custom-4-8192"}]), book=book)
    assert "custom machine types are billed by core and memory" in found.unpriced[0][2]


def test_old_prices_are_pointed_out(book):
    found = estimate(config(**BOTH), book=book, today=date(2030, 1, 1))
    assert any("older than 180 days" in note and "prov prices update" in note for note in found.notes)
    assert not any("older than" in note for note in estimate(config(**BOTH), book=book).notes)


def test_currencies_are_never_added_without_a_rate(book):
    found = estimate(config(**BOTH), book=book)
    assert set(found.totals()) == {"USD", "EUR"}
    assert found.converted() is None


def test_a_rate_gives_a_further_total(book):
    found = estimate(config(**BOTH), book=book, rates={"EUR": Decimal("1.08")})
    totals, converted = found.totals(), found.converted()
    assert converted.currency == "USD"
    assert converted.monthly == totals["USD"] + totals["EUR"] * Decimal("1.08")
    assert converted.missing == ()
    assert estimate(config(**BOTH), book=book, rates={"GBP": Decimal("1.3")}).converted().missing == ("EUR",)


@pytest.mark.parametrize(
    "rates", [{"EUR": Decimal(0)}, {"EUR": Decimal(-1)}, {"EUR": Decimal("NaN")}, {"ERU": Decimal(1)}, {"USD": Decimal(2)}]
)
def test_a_rate_that_is_none_is_refused(book, rates):
    with pytest.raises(InvalidInputError):
        estimate(config(), book=book, rates=rates)


def test_an_unknown_usage_is_refused(book):
    with pytest.raises(InvalidInputError):
        estimate(config(), book=book, usage="huge")


def test_a_kubernetes_past_its_end_of_life_pays_for_extended_support(book):
    old = config(provider="aws", region="us-east-1", clusters=[{"name": "k", "version": "1.29"}])
    found = estimate(old, book=book, today=date(2026, 11, 23))
    assert found.resources[0].parts[0].monthly == Decimal(438)  # 730 h x 0.60
    assert estimate(old, book=book).resources[0].parts[0].monthly == Decimal(73)  # without a date nothing is past


def test_autoscaling_is_a_range_from_the_fewest_to_the_most_workers(book):
    workers = {"count": 3, "plan": "m6i.large", "auto_scaling": {"enabled": True, "min": 2, "max": 8}}
    found = estimate(config(provider="aws", region="us-east-1", clusters=[{"name": "k", "workers": workers}]), book=book)
    nodes = next(part for part in found.resources[0].parts if part.name == "Workers, 2 to 8 (m6i.large)")
    assert nodes.range == {"small": 2 * 730, "medium": 3 * 730, "large": 8 * 730}


def test_a_subnet_that_gives_addresses_gives_its_servers_one(priced):
    networking = {"subnets": [{"name": "p", "cidr": "10.0.0.0/24", "tier": "public", "map_public_ip": True}]}
    server = {"name": "a", "plan": "m6i.large", "networking": {"subnet": "p"}}
    found = priced(provider="aws", region="us-east-1", servers=[server], networking=networking)
    assert "Public IPv4 address" in [part.name for part in found.resources[0].parts]


def test_a_region_that_is_none_is_told_once_with_the_nearest_and_every_part_keeps_its_label(book):
    servers = [{"name": "a", "plan": "m5.large"}, {"name": "b", "plan": "m5.large"}]
    found = estimate(config(provider="aws", region="us-eats-1", servers=servers), book=book)
    (told,) = (note for note in found.notes if "is not a known region of aws" in note)
    assert "'us-eats-1'" in told
    assert "us-east-1" in told
    for _, part in found.parts():
        assert "price of us-east-1: none is known for us-eats-1" in part.notes


def test_a_copy_in_a_region_that_is_none_is_told_and_known_ones_are_not(book):
    bucket = {"name": "b", "size_gb": 1, "replicate_to": "mars-1"}
    found = estimate(config(provider="aws", region="eu-west-3", buckets=[bucket]), book=book)
    assert [note for note in found.notes if "is not a known region" in note and "'mars-1'" in note]
    assert not any("'eu-west-3'" in note for note in found.notes)


@pytest.mark.parametrize(
    ("stated", "near", "never"),
    [
        ({"provider": "upcloud", "servers": [{"name": "a", "plan": "2xCPU-4GB"}]}, "premium-2xCPU-4GB", " 2xCPU-4GB,"),
        (
            {"provider": "azure", "databases": [{"name": "d", "engine": "mongodb", "plan": "B_Standard_B2s"}]},
            "no database of azure has a price for mongodb",
            "nearest priced",
        ),
    ],
)
def test_what_has_no_price_is_never_its_own_nearest_priced_name(book, stated, near, never):
    hint = estimate(config(**stated), book=book).unpriced[0][2]
    assert near in hint
    assert never not in hint
