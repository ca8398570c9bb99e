"""List prices fetched from the vendors' public interfaces: what is taken of them, and what it does to the book.

The server is built from the published response schemas (see `price_lists`); the real services were not asked.
"""

from decimal import Decimal
from pathlib import Path

from price_lists import Answer, Vendor, aws_line, aws_machine, azure_item
from price_updates import AZURE, ITEMS, MACHINES, TODAY, Waits, amounts, run
from prov_judge.prices.book import PriceBook
from prov_judge.prices.store import load_book, partial_path, updated_path
from prov_judge.prices.update.run import update
from stratumops.workspace import Workspace


def test_prices_of_aws_win_over_the_shipped_list_with_their_date(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    done = run(workspace, vendor, "aws", waits)
    assert (done.prices, done.new, done.changed, done.unclear) == (3, 3, 0, ())
    price = load_book(workspace).machine("aws", "us-east-1", "m5.large")
    assert price is not None
    assert (price.amount, price.origin, price.as_of, price.unit) == (Decimal("0.097"), "updated", TODAY, "hours")
    assert not partial_path(workspace, "aws").exists()


def test_only_what_an_estimate_uses_is_taken_from_aws(workspace: Workspace, vendor: Vendor, waits: Waits):
    storage = {"Product Family": "Storage", "Unit": "GB-Mo", "Volume API Name": "gp3"}
    throughput = {"Product Family": "Provisioned Throughput", "Unit": "GiBps-mo", "Volume API Name": "gp3"}
    iops = {"Product Family": "System Operation", "Group": "EBS IOPS", "Unit": "IOPS-Mo", "Volume API Name": "io1"}
    nat = {"Product Family": "NAT Gateway", "Unit": "Hrs", "usageType": "USE2-NatGateway-Hours"}
    lines = [
        aws_machine("m5.large", "0.096"),
        aws_machine("m5.large", "0.188", **{"Operating System": "Windows"}),
        aws_machine("m5.large", "0.105", Tenancy="Dedicated"),
        aws_machine("m5.large", "0.060", TermType="Reserved"),
        aws_machine("m5.large", "0", CapacityStatus="UnusedCapacityReservation"),
        aws_machine("m5.large", "0.125", **{"Location Type": "AWS Local Zone"}),
        aws_line("0.08", **storage),
        aws_line("40.96", **throughput),
        aws_line("0.065", **iops),
        aws_line("0.045", **nat),
        aws_line("0.09", **(nat | {"StartingRange": "10240"})),
    ]
    vendor.put_aws({"us-east-1": lines})
    run(workspace, vendor, "aws", waits)
    assert amounts(workspace, "aws") == {
        "compute/m5.large": "0.096 USD hours",
        "block_storage/gp3": "0.08 USD GB",
        "block_storage_throughput/gp3": "0.04 USD MBps",
        "block_storage_iops/io1": "0.065 USD IOPS",
        "nat/gateway": "0.045 USD hours",
    }


def test_databases_caches_and_balancers_are_called_as_in_the_shipped_list(workspace: Workspace, vendor: Vendor, waits: Waits):
    database = {"serviceCode": "AmazonRDS", "Product Family": "Database Instance", "Unit": "Hrs", "Instance Type": "db.m5.large"}
    storage = {"serviceCode": "AmazonRDS", "Product Family": "Database Storage", "Unit": "GB-Mo", "Database Engine": "Any"}
    cache = {
        "serviceCode": "AmazonElastiCache",
        "Product Family": "Cache Instance",
        "Unit": "Hrs",
        "Instance Type": "cache.m5.large",
    }
    balancer = {"serviceCode": "AWSELB", "Product Family": "Load Balancer-Application"}
    lines = [
        aws_line("0.178", **database, **{"Database Engine": "PostgreSQL", "Deployment Option": "Single-AZ"}),
        aws_line("0.342", **database, **{"Database Engine": "MySQL", "Deployment Option": "Multi-AZ"}),
        aws_line("0.9", **database, **{"Database Engine": "Oracle", "Deployment Option": "Single-AZ"}),
        aws_line("0.23", **storage, **{"Volume Type": "General Purpose", "Deployment Option": "Multi-AZ"}),
        aws_line("0.156", **cache, **{"Cache Engine": "Redis"}),
        aws_line("0.1248", **cache, **{"Cache Engine": "Valkey"}),
        aws_line("0.0225", **balancer, Unit="Hrs", usageType="LoadBalancerUsage"),
        aws_line("0.008", **balancer, Unit="LCU-Hrs", usageType="EU-LCUUsage"),
    ]
    vendor.put_aws({"us-east-1": lines})
    run(workspace, vendor, "aws", waits)
    assert amounts(workspace, "aws") == {
        "database/db.m5.large": "0.178 USD hours",
        "database/db.m5.large:mysql:multi_az": "0.342 USD hours",
        "database_storage/gp2:multi_az": "0.23 USD GB",
        "cache/cache.m5.large": "0.156 USD hours",
        "cache/cache.m5.large:valkey": "0.1248 USD hours",
        "load_balancer/application": "0.0225 USD hours",
        "load_balancer_capacity/application": "5.84 USD LCU",
    }
    book = PriceBook.shipped()
    for name in amounts(workspace, "aws"):
        service, _, item = name.partition("/")
        assert item in book.items("aws", service)


def test_pages_of_azure_are_followed_to_the_last(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    assert run(workspace, vendor, "azure", waits).prices == 5
    assert vendor.paths().count(AZURE) == 4  # three of machines, one of disks
    price = load_book(workspace).machine("azure", "westeurope", "Standard_D32s_v5")
    assert price is not None
    assert (price.amount, price.origin) == (Decimal("1.6"), "updated")


def test_windows_spot_and_low_priority_machines_are_left_out(workspace: Workspace, vendor: Vendor, waits: Waits):
    name = "Standard_D2s_v5"
    others = [
        azure_item(name, 0.2, productName="Virtual Machines Dsv5 Series Windows"),
        azure_item(name, 0.01, skuName="D2s v5 Spot"),
        azure_item(name, 0.02, meterName="D2s v5 Low Priority"),
        azure_item(name, 700.0, type="Reservation"),
    ]
    disk = azure_item("", 19.71, serviceName="Storage", serviceFamily="Storage", skuName="P10 LRS", meterName="P10 LRS Disk",
                      productName="Premium SSD Managed Disks", unitOfMeasure="1/Month")  # fmt: skip
    vendor.put_azure([azure_item(name, 0.1), *others, disk], per_page=10)
    run(workspace, vendor, "azure", waits)
    assert amounts(workspace, "azure") == {f"compute/{name}": "0.1 USD hours", "block_storage/P10": "19.71 USD months"}


def test_a_price_in_json_is_exact(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure([azure_item("Standard_D2s_v5", 0.1)])
    body = vendor.pages[AZURE]("/?$filter=type eq 'Consumption'", {}).body.replace(b"0.1,", b"0.10000000000000000005,")
    vendor.pages[AZURE] = lambda path, _headers: Answer(body=body if "Machines" in path else b'{"Items": []}')
    run(workspace, vendor, "azure", waits)
    assert amounts(workspace, "azure") == {"compute/Standard_D2s_v5": "0.10000000000000000005 USD hours"}


def test_two_prices_for_one_item_are_told_and_neither_is_taken(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": [*MACHINES, aws_machine("m5.large", "0.5")]})
    done = run(workspace, vendor, "aws", waits)
    assert done.unclear == ("us-east-1 compute m5.large",)
    assert "compute/m5.large" not in amounts(workspace, "aws")


def test_an_update_keeps_what_it_did_not_fetch(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES, "eu-west-1": [aws_machine("m5.large", "0.107")]})
    run(workspace, vendor, "aws", waits, region="eu-west-1")
    vendor.put_aws({"us-east-1": [aws_machine("m5.large", "0.2")], "eu-west-1": []})
    run(workspace, vendor, "aws", waits)
    book = load_book(workspace)
    here, there = book.machine("aws", "us-east-1", "m5.large"), book.machine("aws", "eu-west-1", "m5.large")
    assert here is not None
    assert there is not None
    assert (here.amount, there.amount) == (Decimal("0.2"), Decimal("0.107"))


def test_a_second_update_counts_what_changed(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    run(workspace, vendor, "aws", waits)
    vendor.put_aws(
        {"us-east-1": [*MACHINES[1:], aws_machine("m5.large", "0.2"), aws_machine("c5.large", "0.1")]}, "20260801000000"
    )
    done = run(workspace, vendor, "aws", waits)
    assert (done.prices, done.new, done.changed) == (4, 1, 1)


def test_a_region_in_which_the_vendor_sells_nothing_is_told(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_aws({"us-east-1": MACHINES})
    said: list[str] = []
    update(
        workspace,
        "aws",
        today=TODAY,
        chosen=["us-east-1", "eu-west-1"],
        base_url=vendor.base_url,
        report=said.append,
        pause=waits,
    )
    assert "AmazonEC2 is not sold in eu-west-1" in said


def test_what_is_kept_is_its_owners_alone(workspace: Workspace, vendor: Vendor, waits: Waits):
    vendor.put_azure(ITEMS)
    run(workspace, vendor, "azure", waits)
    path: Path = updated_path(workspace, "azure")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
