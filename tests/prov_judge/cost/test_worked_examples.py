"""Bills worked out by hand, to the cent. The arithmetic stands beside each."""

from decimal import Decimal

import pytest

CENT = Decimal("0.01")


def fixed(estimate, address: str | None = None) -> dict[str, Decimal]:
    """The sum of what does not depend on usage, to the cent."""
    sums: dict[str, Decimal] = {}
    for resource, part in estimate.parts():
        if not part.is_usage and part.monthly is not None and address in {None, resource.address}:
            sums[part.currency] = sums.get(part.currency, Decimal(0)) + part.monthly
    return {currency: amount.quantize(CENT) for currency, amount in sums.items() if amount}


def amounts(estimate, address: str) -> dict[str, Decimal]:
    (resource,) = [one for one in estimate.resources if one.address == address]
    return {part.name: part.monthly.quantize(CENT) for part in resource.parts if part.monthly}


def test_an_m5_4xlarge_with_gp2_root_and_io1_data_costs_what_is_published(priced):
    estimate = priced(
        provider="aws",
        region="us-east-1",
        servers=[{"name": "web-1", "plan": "m5.4xlarge", "spec": {"disk_gb": 50, "disk_type": "gp2"}}],
        volumes=[{"name": "data", "size_gb": 1000, "type": "io1", "iops": 800, "attached_to": "web-1"}],
    )
    assert amounts(estimate, "server.web-1") == {
        "Compute (m5.4xlarge)": Decimal("560.64"),  # 730 h x 0.768
        "Root disk (gp2)": Decimal("5.00"),  # 50 GB x 0.10
    }
    assert amounts(estimate, "volume.data") == {
        "Storage (io1)": Decimal("125.00"),  # 1,000 GB x 0.125
        "Storage, provisioned IOPS (io1)": Decimal("52.00"),  # 800 x 0.065
    }
    assert {currency: amount.quantize(CENT) for currency, amount in estimate.totals().items()} == {"USD": Decimal("742.64")}
    assert not any(part.is_usage for _, part in estimate.parts())


def test_an_n1_machine_gets_thirty_percent_sustained_use_discount(priced, row):
    rows = [
        row("gcp", "us-central1", "compute/n1-standard-4", "hours", "0.189999"),
        row("gcp", "us-central1", "block_storage/pd-ssd", "GB", "0.17"),
    ]
    server = {"name": "a", "plan": "n1-standard-4", "spec": {"disk_gb": 100, "disk_type": "io1"}}
    estimate = priced(rows, provider="gcp", region="us-central1", servers=[server])
    assert amounts(estimate, "server.a") == {
        "Compute (n1-standard-4)": Decimal("97.09"),  # 730 h x 0.189999 = 138.69927, x 0.7
        "Root disk (pd-ssd)": Decimal("17.00"),  # 100 GB x 0.17
    }
    (compute, _) = estimate.resources[0].parts
    assert compute.factor == Decimal("0.7")
    assert "30% sustained-use discount for a whole month" in compute.notes


@pytest.mark.parametrize(
    ("plan", "monthly"),
    [
        ("n2-standard-4", "113.43"),  # 730 h x 0.194236 = 141.79228, x 0.8
        ("e2-standard-4", "97.84"),  # 730 h x 0.134024; e2 has no such discount
    ],
)
def test_sustained_use_discounts_depend_on_the_family(priced, row, plan, monthly):
    hourly = {"n2-standard-4": "0.194236", "e2-standard-4": "0.134024"}[plan]
    rows = [row("gcp", "us-central1", f"compute/{plan}", "hours", hourly)]
    estimate = priced(rows, provider="gcp", region="us-central1", servers=[{"name": "a", "plan": plan}])
    assert amounts(estimate, "server.a")[f"Compute ({plan})"] == Decimal(monthly)


def test_a_negotiated_price_has_no_further_discount(priced, row):
    rows = [row("gcp", "us-central1", "compute/n1-standard-4", "hours", "0.10", origin="negotiated")]
    estimate = priced(rows, provider="gcp", region="us-central1", servers=[{"name": "a", "plan": "n1-standard-4"}])
    assert amounts(estimate, "server.a")["Compute (n1-standard-4)"] == Decimal("73.00")  # 730 h x 0.10


def test_a_hetzner_month_costs_at_most_the_cap_for_each_machine(priced, row):
    rows = [
        row("hetzner", "eu", "compute/cx23", "hours", "0.0096", "EUR", monthly_cap=Decimal("5.99")),
        row("hetzner", "eu", "public_ip/ipv4", "months", "0.50", "EUR"),
    ]
    cluster = {
        "name": "k", "control_plane": {"count": 3, "plan": "cx23"}, "workers": {"count": 2, "plan": "cx23"}, "audit_logs": False,
    }  # fmt: skip
    server = {"name": "a", "plan": "cx23", "networking": {"public_ip": True}, "backup": {}}
    estimate = priced(rows, provider="hetzner", region="fsn1", servers=[server], clusters=[cluster])
    assert fixed(estimate, "server.a") == {"EUR": Decimal("7.69")}  # min(730 x 0.0096, 5.99) + 0.50 + 20 % of 5.99
    assert fixed(estimate, "kubernetes.k") == {"EUR": Decimal("29.95")}  # (3 + 2) x 5.99, not 5 x 7.01


def test_gp3_bills_iops_beyond_3000_and_throughput_beyond_125(priced):
    volume = {"name": "v", "type": "gp3", "size_gb": 500, "iops": 6000, "throughput": 250, "attached_to": "a"}
    estimate = priced(provider="aws", region="us-east-1", volumes=[volume])
    # 500 GB x 0.08 = 40, (6000 - 3000) x 0.005 = 15, (250 - 125) x 0.04 = 5
    assert fixed(estimate) == {"USD": Decimal("60.00")}
    plain = priced(provider="aws", region="us-east-1", volumes=[volume | {"iops": 3000, "throughput": 125}])
    assert fixed(plain) == {"USD": Decimal("40.00")}


def test_a_database_with_a_standby_pays_for_two(priced, row):
    rows = [
        row("aws", "us-east-1", "database/db.m5.large", "hours", "0.171"),
        row("aws", "us-east-1", "database/db.m5.large:multi_az", "hours", "0.342"),
        row("aws", "us-east-1", "database_storage/gp2", "GB", "0.115"),
        row("aws", "us-east-1", "database_storage/gp2:multi_az", "GB", "0.23"),
    ]
    database = {"name": "d", "plan": "db.m5.large", "storage_gb": 100, "storage_type": "gp2", "multi_az": True, "replicas": 1}
    estimate = priced(rows, provider="aws", region="us-east-1", databases=[database])
    assert fixed(estimate) == {
        # standby: 730 h x 0.342 = 249.66, 100 GB x 0.23 = 23; replica: 730 h x 0.171 = 124.83, 100 GB x 0.115 = 11.50
        "USD": Decimal("408.99")
    }


def test_eks_with_three_workers_pays_control_plane_nodes_and_disks(priced, row):
    rows = [row("aws", "us-east-1", "compute/m5.large", "hours", "0.096")]
    cluster = {"name": "k", "workers": {"count": 3, "plan": "m5.large", "disk_gb": 100}}
    estimate = priced(rows, provider="aws", region="us-east-1", clusters=[cluster])
    # 730 h x 0.10 = 73; 3 x 730 h x 0.096 = 210.24; 3 x 100 GB x 0.08 = 24
    assert fixed(estimate) == {"USD": Decimal("307.24")}


def test_a_nat_gateway_in_each_zone_pays_hours_and_addresses(priced, row):
    rows = [
        row("aws", "us-east-1", "nat/gateway", "hours", "0.045"),
        row("aws", "us-east-1", "nat_data/standard", "GB", "0.045"),
        row("aws", "us-east-1", "public_ip/ipv4", "hours", "0.005"),
    ]
    subnets = [{"name": f"p-{zone}", "cidr": f"10.0.{at}.0/24", "zone": f"us-east-1{zone}"} for at, zone in enumerate("abc")]
    estimate = priced(rows, provider="aws", region="us-east-1", networking={"nat": "per_zone", "subnets": subnets})
    # 3 x 730 h x (0.045 + 0.005) = 109.50
    assert fixed(estimate) == {"USD": Decimal("109.50")}
    assert amounts(estimate, "networking.main")["Data through NAT"] == Decimal("4.50")  # 100 GB x 0.045


def test_an_azure_disk_is_billed_as_the_next_larger_tier(priced, row):
    rows = [row("azure", "eastus", "block_storage/P10", "months", "19.71")]
    estimate = priced(rows, provider="azure", region="eastus", volumes=[{"name": "v", "size_gb": 100}])
    assert amounts(estimate, "volume.v") == {"Storage (P10)": Decimal("19.71")}  # 100 GB is a disk of 128 GB
    assert "a disk of 128 GB, the next size" in estimate.resources[0].parts[0].notes


def test_backups_of_a_database_are_billed_beyond_its_size(priced, row):
    rows = [row("aws", "us-east-1", "database_backup/standard", "GB", "0.095")]
    database = {"name": "d", "storage_gb": 100, "backup": {"retention_days": 11}}
    estimate = priced(rows, provider="aws", region="us-east-1", databases=[database])
    # 100 GB once and 3 % of it for 10 further days are 130 GB; 100 GB are free: 30 x 0.095
    assert amounts(estimate, "database.d")["Backups"] == Decimal("2.85")


def test_cloud_sql_sizes_are_billed_by_cores_and_memory(priced, row):
    rows = [
        row("gcp", "us-central1", "database_vcpu/regional", "hours", "0.0826"),
        row("gcp", "us-central1", "database_memory/regional", "GB", "10.22"),
        row("gcp", "us-central1", "database_storage/ssd", "GB", "0.17"),
        row("gcp", "us-central1", "database_storage/ssd:multi_az", "GB", "0.34"),
    ]
    database = {"name": "d", "plan": "db-custom-4-16384", "multi_az": True, "storage_gb": 100}
    estimate = priced(rows, provider="gcp", region="us-central1", databases=[database])
    # 4 x 730 h x 0.0826 = 241.192, 16 GB x 10.22 = 163.52, 100 GB x 0.34 = 34
    assert fixed(estimate) == {"USD": Decimal("438.71")}


def test_all_hetzner_buckets_share_one_base_price(priced, row):
    rows = [
        row("hetzner", "eu", "object_storage_base/base", "months", "6.487", "EUR"),
        row("hetzner", "eu", "object_storage/standard", "GB", "0.006", "EUR"),
    ]
    buckets = [{"name": "b", "size_gb": 900}, {"name": "a", "size_gb": 600}]
    estimate = priced(rows, provider="hetzner", region="fsn1", buckets=buckets)
    assert fixed(estimate, "bucket.b") == {}
    assert fixed(estimate, "bucket.a") == {"EUR": Decimal("9.49")}  # 6.487 + (900 + 600 - 1000) x 0.006


def test_own_hardware_costs_nothing_unless_the_user_has_a_rate(priced, row):
    server = {"name": "a", "spec": {"cpu": 4, "memory_gb": 8, "disk_gb": 100}}
    free = priced(provider="local", servers=[server])
    assert free.totals() == {"USD": Decimal(0)}
    assert free.unpriced == ()
    assert all("own hardware" in part.notes for _, part in free.parts())
    rows = [
        row("local", "", "compute/vcpu", "hours", "0.01", "EUR"),
        row("local", "", "compute/memory_gb", "hours", "0.002", "EUR"),
        row("local", "", "block_storage/ssd", "GB", "0.05", "EUR"),
    ]
    # 4 x 730 x 0.01 = 29.20, 8 x 730 x 0.002 = 11.68, 100 x 0.05 = 5
    assert fixed(priced(rows, provider="local", servers=[server])) == {"EUR": Decimal("45.88")}
