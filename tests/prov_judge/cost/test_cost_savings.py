"""Each rule: where it speaks, what it says, and that its figure is what a second estimate gives."""

import sys
from decimal import Decimal

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.changing import apply
from prov_judge.cost.estimate import estimate

AWS = {"provider": "aws", "region": "us-east-1"}


@pytest.fixture
def savings(book):
    """The savings of a configuration by rule; each figure is checked against the configuration after the change."""

    def find(rows=None, **stated):
        own = book.with_rows(rows) if rows else book
        config = InfrastructureConfig.model_validate(stated)
        found = estimate(config, book=own)
        for saving in found.savings:
            changed = InfrastructureConfig.model_validate(apply(config, saving).model_dump(exclude_none=True))
            after = estimate(changed, book=own).totals().get(saving.currency, Decimal(0))
            assert found.totals()[saving.currency] - after == saving.monthly
        return {saving.rule: saving for saving in found.savings}

    return find


def test_gp2_becomes_gp3_with_the_iops_and_throughput_that_gp2_had(savings):
    volume = {"name": "v", "type": "gp2", "size_gb": 2000, "attached_to": "a"}
    server = {"name": "a", "plan": "t4g.medium", "spec": {"disk_type": "gp2", "disk_gb": 100}}
    saving = savings(**AWS, servers=[server | {"spec": {"disk_type": "gp3", "disk_gb": 100}}], volumes=[volume])["gp2_to_gp3"]
    # gp2: 2,000 x 0.10 = 200. gp3: 2,000 x 0.08 + (6,000 - 3,000) x 0.005 + (250 - 125) x 0.04 = 160 + 15 + 5
    assert saving.monthly == Decimal(20)
    assert saving.fields == {"type": "gp3", "iops": 6000, "throughput": 250}
    assert saving.change == "use gp3 instead of gp2 with 6,000 IOPS and 250 MiB/s"
    small = savings(**AWS, servers=[server])["gp2_to_gp3"]
    assert small.monthly == Decimal(2)  # 100 x (0.10 - 0.08)
    assert small.fields == {"spec.disk_type": "gp3", "spec.disk_iops": None}


def test_gp2_is_left_alone_at_other_providers(savings):
    assert "gp2_to_gp3" not in savings(provider="gcp", volumes=[{"name": "v", "type": "gp2", "attached_to": "a"}])


def test_io1_becomes_gp3_where_gp3_has_as_many_iops(savings):
    server = {"name": "a", "plan": "t4g.medium"}
    volume = {"name": "v", "type": "io1", "size_gb": 1000, "iops": 800, "attached_to": "a"}
    saving = savings(**AWS, servers=[server], volumes=[volume])["io_to_gp3"]
    # io1: 125 + 52. gp3: 1,000 x 0.08 + (800 x 256 KiB = 200 MiB/s - 125) x 0.04 = 83
    assert saving.monthly == Decimal(94)
    assert saving.needs_testing
    assert "io_to_gp3" not in savings(**AWS, servers=[server], volumes=[volume | {"iops": 16001}])


def test_a_plan_far_above_what_is_asked_for_is_pointed_out(savings):
    server = {"name": "a", "plan": "m5.4xlarge", "spec": {"cpu": 4, "memory_gb": 16}}
    saving = savings(**AWS, servers=[server])["smaller_plan"]
    assert saving.why == "m5.4xlarge has at least 2 times the 4 vCPU and 16 GB that the configuration asks for"
    assert saving.monthly > 0
    assert "smaller_plan" not in savings(**AWS, servers=[server | {"spec": {"cpu": 9, "memory_gb": 16}}])
    assert "smaller_plan" not in savings(**AWS, servers=[{"name": "a", "plan": "m5.4xlarge"}])


def test_a_newer_family_is_named_when_it_costs_less(savings, row):
    rows = [
        row("aws", "us-east-1", "compute/m4.xlarge", "hours", "0.20"),
        row("aws", "us-east-1", "compute/m6i.xlarge", "hours", "0.19"),
    ]
    server = {"name": "a", "plan": "m4.xlarge"}
    saving = savings(rows, **AWS, servers=[server])["newer_family"]
    assert (saving.fields, saving.monthly) == ({"plan": "m6i.xlarge"}, Decimal("7.30"))  # 730 h x 0.01
    workers = savings(rows, **AWS, clusters=[{"name": "k", "workers": {"count": 3, "plan": "m4.xlarge"}}])["newer_family"]
    assert (workers.fields, workers.monthly) == ({"workers.plan": "m6i.xlarge"}, Decimal("21.90"))
    dearer = [rows[0], row("aws", "us-east-1", "compute/m6i.xlarge", "hours", "0.21")]
    assert "newer_family" not in savings(dearer, **AWS, servers=[server])


def test_arm_is_a_suggestion_to_test(savings):
    saving = savings(**AWS, servers=[{"name": "a", "plan": "m6i.large"}])["arm"]
    assert saving.needs_testing
    assert "arm64" in saving.change
    assert "arm" not in savings(**AWS, servers=[{"name": "a", "plan": "m6g.large"}])


def test_a_nat_gateway_that_nothing_uses_is_idle(savings):
    public = {"name": "p", "cidr": "10.0.0.0/24", "tier": "public"}
    private = {"name": "q", "cidr": "10.0.1.0/24"}
    server = {"name": "a", "networking": {"subnet": "p"}}
    assert "idle_nat" in savings(**AWS, networking={"nat": "single", "subnets": [public]}, servers=[server])
    assert "idle_nat" in savings(**AWS, networking={"nat": "single", "subnets": [public, private]}, servers=[server])
    hidden = server | {"networking": {"subnet": "q"}}
    assert "idle_nat" not in savings(**AWS, networking={"nat": "single", "subnets": [public, private]}, servers=[hidden])
    assert "idle_nat" not in savings(**AWS, networking={"nat": "single", "subnets": [public, private]}, clusters=[{"name": "k"}])


def test_development_does_not_need_what_production_needs(savings):
    config = {"networking": {"nat": "per_zone"}, "servers": [{"name": "a"}], "databases": [{"name": "d", "multi_az": True}]}
    assert {"nat_per_zone", "standby"} <= set(savings(**AWS, **config, environment="development"))
    assert not {"nat_per_zone", "standby"} & set(savings(**AWS, **config, environment="Production"))


def test_a_volume_that_no_server_uses_is_pointed_out_with_its_backups(savings):
    volume = {"name": "v", "type": "gp3", "size_gb": 100}
    plan = {"name": "all", "targets": ["v"]}
    alone = savings(**AWS, volumes=[volume])["unattached_volume"]
    assert (alone.monthly, alone.fields) == (Decimal(8), None)  # 100 GB x 0.08
    backed_up = savings(**AWS, volumes=[volume], backup_plans=[plan])["unattached_volume"]
    assert backed_up.monthly > alone.monthly
    attached = volume | {"attached_to": "a"}
    assert "unattached_volume" not in savings(**AWS, servers=[{"name": "a"}], volumes=[attached])


def test_own_hardware_has_no_savings(savings):
    assert savings(provider="local", servers=[{"name": "a", "spec": {"disk_type": "gp2"}}], volumes=[{"name": "v"}]) == {}


def test_volumes_that_one_backup_plan_names_are_looked_at_once_each(book):
    def calls(number: int) -> int:
        volumes = [{"name": f"v{index}", "size_gb": 10} for index in range(number)]
        plan = {"name": "all", "targets": [one["name"] for one in volumes], "retention_days": 7}
        config = InfrastructureConfig.model_validate(AWS | {"volumes": volumes, "backup_plans": [plan]})
        counted = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal counted
            counted += event == "call"

        sys.setprofile(count)
        try:
            found = estimate(config, book=book)
        finally:
            sys.setprofile(None)
        assert [saving.rule for saving in found.savings] == ["unattached_volume"] * number
        return counted

    calls(1)  # what is read once
    assert calls(80) < 2.5 * calls(40)


def test_a_machine_that_another_regions_price_stands_in_for_is_not_held_against_ones_that_are_sold_here(savings):
    server = {"name": "a", "plan": "m4.large"}
    assert not savings(provider="aws", region="eu-central-1", servers=[server])
    assert "arm" in savings(provider="aws", region="us-east-1", servers=[server])


def test_a_region_without_any_machine_prices_is_compared_by_those_of_the_reference_region(savings):
    assert "arm" in savings(provider="aws", region="eu-west-3", servers=[{"name": "a", "plan": "m5.large"}])


def test_prices_of_different_origins_are_not_held_against_each_other(savings, row):
    agreed = row("aws", "us-east-1", "compute/m4.large", "hours", "0.5", origin="negotiated")
    assert "newer_family" not in savings([agreed], **AWS, servers=[{"name": "a", "plan": "m4.large"}])


def test_what_keeps_everything_comes_before_what_takes_something_away(book):
    stated = {"servers": [{"name": "a", "plan": "m4.large"}], "volumes": [{"name": "v", "type": "io2", "size_gb": 4000}]}
    found = estimate(InfrastructureConfig.model_validate(AWS | stated), book=book).savings
    taken = [saving.takes_away for saving in found]
    assert taken == sorted(taken)
    assert found[-1].change == "take it away, or attach it where it is needed"
    assert found[-1].monthly > found[0].monthly
