"""Which item of the price list is billed: by engine, kind, size and promise of availability."""

from decimal import Decimal
from typing import get_args

import pytest

from prov_corpus import PROVIDERS
from prov_corpus.catalogue import disk_type
from prov_gen.model.data import Volume

AWS = {"provider": "aws", "region": "us-east-1"}


def first(estimate):
    return estimate.resources[0].parts[0]


def test_an_engine_is_billed_at_its_own_price(priced, row):
    rows = [
        row("aws", "us-east-1", "database/db.x.large", "hours", "0.20"),
        row("aws", "us-east-1", "database/db.x.large:mysql", "hours", "0.10"),
    ]

    def monthly(engine):
        return first(priced(rows, **AWS, databases=[{"name": "d", "plan": "db.x.large", "engine": engine}])).monthly

    assert monthly("postgresql") == 146  # 730 h x 0.20
    assert monthly("mysql") == 73  # 730 h x 0.10
    assert monthly("mariadb") == 73  # no price of its own: MySQL's


def test_a_price_that_stands_for_another_engine_says_so(priced, row):
    rows = [row("aws", "us-east-1", "database/db.x.large", "hours", "0.20")]
    part = first(priced(rows, **AWS, databases=[{"name": "d", "plan": "db.x.large", "engine": "mysql", "multi_az": True}]))
    assert part.monthly == 292  # 2 x 730 h x 0.20
    assert part.notes == ("price of postgresql", "the standby is a second instance at the same price")


def test_a_licensed_engine_never_has_the_price_of_an_open_one(priced):
    found = priced(**AWS, databases=[{"name": "d", "plan": "db.m5.large", "engine": "sqlserver"}])
    assert first(found).price is None
    assert found.unpriced[0][0] == "database.d"


@pytest.mark.parametrize(
    ("queue", "monthly"),
    [({}, "4"), ({"fifo": True}, "5"), ({"kind": "topic"}, "6")],  # 10 million requests x 0.40, 0.50, 0.60
)
def test_queues_and_topics_have_prices_of_their_own(priced, row, queue, monthly):
    rows = [
        row("aws", "us-east-1", f"queue/requests{suffix}", "1M requests", amount)
        for suffix, amount in (("", "0.40"), (":fifo", "0.50"), (":topic", "0.60"))
    ]
    assert first(priced(rows, **AWS, queues=[{"name": "q"} | queue])).monthly == Decimal(monthly)


@pytest.mark.parametrize(("is_promised", "monthly"), [(True, 73), (False, 0)])
def test_an_azure_control_plane_costs_only_with_a_promise_of_availability(priced, is_promised, monthly):
    cluster = {"name": "k", "control_plane": {"high_availability": is_promised}}
    assert first(priced(provider="azure", region="eastus", clusters=[cluster])).monthly == monthly


def test_a_cluster_that_is_not_managed_pays_for_its_control_plane_machines(priced, row):
    rows = [row("aws", "us-east-1", "compute/m5.large", "hours", "0.10")]
    cluster = {"name": "k", "managed": False, "control_plane": {"count": 3, "plan": "m5.large"}, "workers": {"count": 0}}
    found = priced(rows, **AWS, clusters=[cluster])
    # 3 x 730 h x 0.10 = 219 and 3 x 50 GB x 0.08 = 12
    assert [part.monthly for part in found.resources[0].parts if not part.is_usage] == [219, 12]


def test_a_balancer_without_a_plan_is_the_smallest(priced):
    assert first(priced(provider="hetzner", load_balancers=[{"name": "lb"}])).name == "Load balancer (lb11)"
    assert first(priced(provider="hetzner", load_balancers=[{"name": "lb", "plan": "medium"}])).name == "Load balancer (lb21)"
    assert first(priced(**AWS, load_balancers=[{"name": "lb", "kind": "network"}])).name == "Load balancer (network)"


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", get_args(Volume.model_fields["type"].annotation))
def test_the_disk_that_the_catalogue_names_is_the_one_that_is_priced(priced, provider, kind):
    found = priced(provider=provider, volumes=[{"name": "v", "type": kind, "size_gb": 100}])
    part = found.resources[0].parts[0]
    assert part.price is not None
    lines = {"Premium_LRS": "P10", "StandardSSD_LRS": "E10", "Standard_LRS": "S10"}
    of_one_kind = {"hetzner": "ssd", "local": "ssd"}
    name = disk_type(provider, kind)
    assert part.name == f"Storage ({of_one_kind.get(provider) or lines.get(name, name)})"


def test_a_database_where_none_is_sold_is_built_of_machines(priced, row):
    rows = [
        row("hetzner", "eu", "compute/cx33", "hours", "0.01", "EUR", monthly_cap=Decimal(6)),
        row("hetzner", "eu", "block_storage/ssd", "GB", "0.05", "EUR"),
    ]
    database = {"name": "d", "plan": "large", "multi_az": True, "replicas": 1, "storage_gb": 100}
    found = priced(rows, provider="hetzner", databases=[database])
    machines, storage, backups = found.resources[0].parts
    assert [machines.monthly, storage.monthly] == [18, 15]  # 3 x min(7.30, 6); 3 x 100 GB x 0.05
    assert (backups.name, backups.notes[0]) == ("Snapshots", "kept for 7 days")
    assert backups.range["small"] == 106  # 100 GB once, and 1 % of it for 6 further days
    assert backups.price is not None
    without = priced(rows, provider="hetzner", databases=[database | {"backup": {"enabled": False}}])
    assert len(without.resources[0].parts) == 2


def test_what_a_server_sends_within_its_allowance_costs_nothing(priced):
    found = priced(provider="hetzner", servers=[{"name": "a", "plan": "cx23", "networking": {"public_ip": True}}])
    part = next(part for part in found.resources[0].parts if part.name == "Data to the internet")
    assert part.range == {"small": 0, "medium": 0, "large": 0}
    assert "20,000 GB a month are included" in part.notes


def test_a_disk_beyond_the_largest_tier_says_what_to_do(priced):
    found = priced(provider="azure", volumes=[{"name": "v", "size_gb": 40000}])
    assert found.unpriced == (("volume.v", "Storage (P)", "disks of this line end at 32,767 GB: use several"),)


def test_io1_bills_at_least_a_hundred_iops(priced, row):
    rows = [row("aws", "us-east-1", "block_storage_iops/io1", "IOPS", "0.065")]
    found = priced(rows, **AWS, volumes=[{"name": "v", "type": "io1", "size_gb": 10, "attached_to": "a"}])
    assert found.resources[0].parts[1].monthly == Decimal("6.5")  # 100 x 0.065
