"""What costs less beyond a quantity, what an account has for nothing, and gateways that are billed by the machine."""

from decimal import Decimal

import pytest

from prov_corpus.prices import price_tiers
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost import budget

AWS = {"provider": "aws", "region": "us-east-1"}


def parts_of(found, address):
    return [part for one in found.resources if one.address == address for part in one.parts]


def test_iops_of_io2_are_billed_by_tier(priced):
    found = priced(**AWS, volumes=[{"name": "v", "type": "io2", "size_gb": 10, "iops": 70_000}])
    iops = [part for part in parts_of(found, "volume.v") if part.unit == "IOPS"]
    assert [(part.quantity, part.price.amount) for part in iops] == [
        (32_000, Decimal("0.065")),
        (32_000, Decimal("0.0455")),
        (6_000, Decimal("0.032")),
    ]
    assert all("approximate price" in part.notes for part in iops)


def test_a_volume_within_the_first_tier_has_one_line(priced):
    found = priced(**AWS, volumes=[{"name": "v", "type": "io2", "size_gb": 10, "iops": 32_000}])
    assert [part.quantity for part in parts_of(found, "volume.v") if part.unit == "IOPS"] == [32_000]


def test_a_negotiated_price_holds_for_the_whole_quantity(priced, row):
    agreed = row("aws", "us-east-1", "block_storage_iops/io2", "IOPS", "0.05", origin="negotiated")
    found = priced([agreed], **AWS, volumes=[{"name": "v", "type": "io2", "size_gb": 10, "iops": 64_000}])
    (iops,) = (part for part in parts_of(found, "volume.v") if part.unit == "IOPS")
    assert iops.monthly == 3200


@pytest.mark.parametrize("size_gb", [51_200, 51_201, 600_000, 1_000_000_000])
def test_a_large_bucket_is_the_sum_of_its_tiers(priced, size_gb):
    found = priced(**AWS, buckets=[{"name": "b", "size_gb": size_gb}])
    stored = sum(part.monthly for part in parts_of(found, "bucket.b") if part.name.startswith("Storage"))
    first, second = min(size_gb, 51_200), min(max(size_gb - 51_200, 0), 460_800)
    third = size_gb - first - second
    assert stored == first * Decimal("0.023") + second * Decimal("0.022") + third * Decimal("0.021")


def test_where_later_tiers_are_not_known_the_part_says_that_it_has_the_first_ones_price(priced):
    found = priced(provider="aws", region="eu-west-2", buckets=[{"name": "b", "size_gb": 60_000}])
    (stored,) = (part for part in parts_of(found, "bucket.b") if part.name == "Storage")
    assert "first tier's price: more than 51,200 GB cost less" in stored.notes
    small = priced(provider="aws", region="eu-west-2", buckets=[{"name": "b", "size_gb": 50_000}])
    assert not any("first tier" in note for part in parts_of(small, "bucket.b") for note in part.notes)


def test_every_tier_costs_less_than_the_one_before():
    tiers = price_tiers("aws", "block_storage_iops", "io2")
    assert tiers is not None
    assert [above for above, _ in tiers.later] == sorted(above for above, _ in tiers.later)
    assert tiers.first == tiers.later[0][0]
    assert price_tiers("hetzner", "transfer", "internet") is None


@pytest.mark.parametrize("count", [1, 3, 12])
def test_the_first_100_gb_of_an_account_are_free_once(priced, count):
    servers = [{"name": f"s{number}", "networking": {"public_ip": True}} for number in range(count)]
    found = priced(**AWS, servers=servers)
    sent = [part for _, part in found.parts() if part.name == "Data to the internet"]
    for usage, each in (("small", 10), ("medium", 100), ("large", 1000)):
        assert sum(part.range[usage] for part in sent) == max(0, count * each - 100)


def test_who_sends_does_not_change_what_is_free(priced):
    server = {"name": "s", "networking": {"public_ip": True}}
    found = priced(**AWS, servers=[server], buckets=[{"name": "b", "access": "public_read"}], load_balancers=[{"name": "l"}])
    sent = [part for _, part in found.parts() if part.name == "Data to the internet"]
    assert len(sent) == 3
    assert sum(part.quantity for part in sent) == 200


@pytest.mark.parametrize(("servers", "nodes", "hours"), [(5, 3, 8 * 730), (0, 1, 730), (20, 12, 32 * 730)])
def test_a_gateway_of_google_cloud_is_billed_by_the_machines_that_use_it(priced, servers, nodes, hours):
    hidden = [{"name": f"s{number}"} for number in range(servers)]
    public = {"name": "p", "networking": {"public_ip": True}}
    clusters = [{"name": "k", "workers": {"count": nodes}}]
    found = priced(provider="gcp", networking={"nat": "single"}, servers=[*hidden, public], clusters=clusters)
    (gateway,) = (part for part in parts_of(found, "networking.main") if part.name.startswith("NAT gateways"))
    assert (gateway.quantity, gateway.price.amount) == (hours, Decimal("0.0014"))


def test_a_gateway_of_more_than_32_machines_has_one_price(priced):
    servers = [{"name": f"s{number}"} for number in range(33)]
    found = priced(provider="gcp", networking={"nat": "single"}, servers=servers)
    (gateway,) = (part for part in parts_of(found, "networking.main") if part.name.startswith("NAT gateways"))
    assert (gateway.quantity, gateway.price.amount) == (730, Decimal("0.044"))


def test_a_configurations_own_budget_is_exact():
    stated = {"provider": "aws", "limits": {"monthly_budget": 500.1, "currency": "EUR"}}
    assert budget.of(InfrastructureConfig.model_validate(stated)) == (Decimal("500.1"), "EUR")
    assert budget.of(InfrastructureConfig.model_validate({"provider": "aws"})) is None
    assert budget.of(InfrastructureConfig.model_validate({"provider": "aws", "limits": {}})) is None
