"""Migrations to another provider: phases, copies, names, and what stands for what."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prov_corpus import catalogue
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.migration.gates import APPROVE, FREEZE
from prov_judge.migration.mapping import chosen, nearest_region
from prov_judge.migration.model import Migration
from prov_judge.migration.plan import plan_steps

SHOP = {
    "networking": {"subnets": [{"name": "a", "cidr": "10.0.1.0/24"}]},
    "servers": [{"name": "web", "plan": "m5.large", "networking": {"subnet": "a"}}],
    "databases": [{"name": "db", "engine": "postgresql"}],
    "buckets": [{"name": "files"}],
    "dns_zones": [{"domain": "example.com", "provider": "aws", "records": [{"name": "www", "ttl": 3600, "target": "web"}]}],
}


def planned(before: dict, after: dict) -> Migration:
    return plan_steps(InfrastructureConfig.model_validate(before), InfrastructureConfig.model_validate(after))


@pytest.fixture
def plan() -> Migration:
    return planned({**SHOP, "region": "eu-central-1"}, {**SHOP, "provider": "gcp", "region": "europe-west3"})


def test_each_resource_is_built_copied_turned_over_verified_and_retired(plan):
    assert plan.is_across_providers
    waves = {step.id: step.wave for step in plan.steps}
    chain = [
        "build:database.db",
        "copy:database.db",
        FREEZE,
        "cut_over:database.db",
        "verify:database.db",
        APPROVE,
        "retire:database.db",
    ]
    assert sorted(chain, key=waves.__getitem__) == chain
    assert len({waves[step] for step in chain}) == len(chain)


def test_nothing_is_retired_before_everything_is_verified(plan):
    last = max(step.wave for step in plan.steps if step.phase == "verify")
    assert min(step.wave for step in plan.steps if step.phase == "retire") > last
    assert {step.phase for step in plan.steps} == {"backup", "build", "copy", "cut_over", "verify", "retire"}


def test_data_is_copied_with_the_tool_that_people_use(plan):
    titles = {step.address: step.title for step in plan.steps if step.phase == "copy"}
    assert titles.keys() == {"database.db", "bucket.files"}
    assert "logical replication" in titles["database.db"]
    assert "rclone sync" in titles["bucket.files"]


def test_data_is_saved_before_it_is_copied(plan):
    waves = {step.id: step.wave for step in plan.steps}
    assert waves["backup:database.db"] < waves["copy:database.db"]


def test_a_name_that_stays_where_it_is_has_a_short_life_before_it_changes(plan):
    steps = {step.id: step for step in plan.steps}
    shorten, turn = steps["build:ttl:dns_record.www.example.com/A"], steps["cut_over:dns_record.www.example.com/A"]
    assert shorten.title == "Lower the TTL of www.example.com/A from 3600 to 60 seconds, and wait 3600 seconds"
    assert shorten.wave < steps[FREEZE].wave < turn.wave
    assert turn.downtime == "up to 60 seconds (TTL): resolvers keep the old answer"


def test_a_zone_that_moves_is_told_to_the_registrar():
    zone = {"dns_zones": [{"domain": "example.com"}]}
    titles = {step.id: step.title for step in planned({**zone, "provider": "aws"}, {**zone, "provider": "gcp"}).steps}
    assert titles["cut_over:dns.example.com"] == "Tell the registrar the name servers of dns.example.com at gcp"


def test_one_resource_alone_may_move():
    plan = planned(
        {"servers": [{"name": "a"}, {"name": "b"}]}, {"servers": [{"name": "a"}, {"name": "b", "provider": "hetzner"}]}
    )
    assert plan.is_across_providers
    assert {step.address for step in plan.steps} == {"server.b", "infrastructure.main"}


def test_a_size_that_the_other_side_does_not_have_is_chosen_by_cores_memory_and_family(plan):
    (mapped,) = [one for one in plan.mappings if one.address == "server.web"]
    assert mapped.before == "aws m5.large (2 vCPU, 8 GB)"
    assert mapped.after == "gcp e2-standard-2 (2 vCPU, 8 GB)"
    assert mapped.why == "the cheapest general size with as much of both (x86_64)"


def test_a_size_that_the_target_names_is_taken_and_judged():
    before, after = (
        {"servers": [{"name": "a", "plan": "m5.xlarge"}]},
        {"provider": "hetzner", "servers": [{"name": "a", "plan": "cx23"}]},
    )
    (mapped,) = [one for one in planned(before, after).mappings if one.address == "server.a"]
    assert mapped.after == "hetzner cx23 (2 vCPU, 4 GB)"
    assert mapped.why == "the target says so; it is smaller than the old one"


@pytest.mark.parametrize(
    ("provider", "region", "other", "nearest"),
    [
        ("aws", "eu-central-1", "gcp", "europe-west3"),
        ("aws", "us-east-1", "azure", "eastus"),
        ("aws", "eu-central-1", "hetzner", "fsn1"),
        ("hetzner", "hel1", "upcloud", "fi-hel1"),
    ],
)
def test_the_nearest_region_lies_in_the_same_country(provider, region, other, nearest):
    assert nearest_region(provider, region, other)[0] == nearest


def test_a_region_of_another_continent_is_said_to_be_one():
    plan = planned({**SHOP, "region": "eu-central-1"}, {**SHOP, "provider": "gcp"})
    (mapped,) = [one for one in plan.mappings if one.address == "infrastructure.main"]
    assert (mapped.before, mapped.after) == ("aws eu-central-1", "gcp us-central1")
    assert "nearer is europe-west3: the same place (Frankfurt)" in mapped.why


def test_what_the_other_side_does_not_sell_is_noted():
    plan = planned(SHOP, {**SHOP, "provider": "hetzner"})
    assert "hetzner sells nothing like database.db: a database is built from a server and a taskserv" in plan.notes


def test_disks_have_the_names_of_the_other_side(plan):
    assert {one.address: one.after for one in plan.mappings if "disk" in one.address} == {
        "server.web spec.disk_type": "gcp pd-balanced"
    }


@pytest.mark.parametrize(
    ("old", "other", "region", "sku"),
    [
        (("aws", "c5.xlarge", 4.0, 8.0), "azure", "eastus", "azure Standard_F4s_v2 (4 vCPU, 8 GB)"),
        (("aws", "m5.xlarge", 4.0, 16.0), "hetzner", "fsn1", "hetzner ccx23 (4 vCPU, 16 GB)"),
    ],
)
def test_a_size_is_the_cheapest_of_the_same_family(old, other, region, sku):
    provider, name, cpu, memory = old
    mapped = chosen("server.a", provider, (name, cpu, memory), other, region, None)
    assert mapped.after == sku
    assert mapped.why.startswith(f"the cheapest {catalogue.classify(provider, name).kind} size")


def test_a_size_that_nobody_knows_is_asked_for():
    before = {"servers": [{"name": "a", "plan": "m9.huge"}]}
    (mapped,) = [one for one in planned(before, {**before, "provider": "gcp"}).mappings if one.address == "server.a"]
    assert (mapped.before, mapped.after) == ("aws m9.huge (size not known)", "gcp: not known")
    assert mapped.why == "aws has no such size: name one"


@pytest.mark.parametrize("kind", ["ssd", "gp2", "gp3", "io1", "io2", "hdd"])
@pytest.mark.parametrize("provider", ["azure", "gcp", "upcloud"])
def test_the_disk_that_a_plan_names_is_the_one_that_is_priced(provider, kind):
    before = {"volumes": [{"name": "v", "type": "gp2"}]}
    after = {"provider": provider, "volumes": [{"name": "v", "type": kind}]}
    (mapped,) = [one for one in planned(before, after).mappings if one.address == "volume.v type"]
    assert (mapped.before, mapped.after) == ("aws gp2", f"{provider} {catalogue.disk_type(provider, kind)}")
    assert mapped.why == "the target says so"


def test_what_makes_way_for_its_successor_does_not_wait_for_what_moves():
    before = {"buckets": [{"name": "logs", "object_lock": True}, {"name": "data", "log_bucket": "logs"}]}
    after = {"buckets": [{"name": "logs"}, {"name": "data", "log_bucket": "logs", "provider": "gcp"}]}
    plan = planned(before, after)
    waves = {step.id: step.wave for step in plan.steps}
    order = [
        "delete:bucket.logs",
        "create:bucket.logs",
        "build:bucket.data",
        "copy:bucket.data",
        FREEZE,
        APPROVE,
        "retire:bucket.data",
    ]
    assert sorted(order, key=waves.__getitem__) == order
    assert plan.notes == ()


def test_what_stands_on_something_that_makes_way_goes_before_the_gates():
    def side(cidr: str, **more) -> dict:
        return {"networking": {"subnets": [{"name": "a", "cidr": cidr}]}, **more}

    old = {"name": "old", "networking": {"subnet": "a"}}
    moves = {"name": "moves", "stateful": True, "networking": {"subnet": "a"}}
    before = side("10.0.1.0/24", servers=[old, moves])
    after = side("10.0.1.0/25", servers=[{**moves, "provider": "hetzner"}])
    plan = planned(before, after)
    steps = {step.id: step for step in plan.steps}
    assert steps["delete:server.old"].wave < steps["delete:subnet.a"].wave < steps["create:subnet.a"].wave
    assert steps["create:subnet.a"].wave < steps["build:server.moves"].wave < steps["retire:server.moves"].wave
    assert plan.notes == ()


def test_a_circle_of_references_is_told_without_the_gates():
    def group(name: str, other: str) -> dict:
        return {"name": name, "rules": [{"from_port": 80, "groups": [other]}]}

    groups = {"security_groups": [group("a", "b"), group("b", "a")]}
    notes = planned({**groups, "provider": "aws"}, {**groups, "provider": "gcp"}).notes
    assert "security_group.a, security_group.b wait for each other: they are made first and joined afterwards" in notes
    assert not [note for note in notes if "writes" in note or ", all" in note]


def linked_buckets(rng: Random) -> dict:
    """Buckets that log into earlier ones, some of them locked, some of them elsewhere."""
    buckets = []
    for number in range(rng.randint(1, 6)):
        bucket = {"name": f"b{number}", "object_lock": rng.random() < 0.5}
        if rng.random() < 0.3:
            bucket["provider"] = rng.choice(["gcp", "azure"])
        if number and rng.random() < 0.8:
            bucket["log_bucket"] = f"b{rng.randrange(number)}"
        buckets.append(bucket)
    return {"buckets": buckets}


@given(st.integers().map(Random))
@settings(max_examples=200)
def test_without_references_in_a_circle_nothing_waits_for_each_other(rng: Random):
    plan = planned(linked_buckets(rng), linked_buckets(rng))
    assert not [note for note in plan.notes if "wait for each other" in note]
    waves = {step.id: step.wave for step in plan.steps}
    assert all(waves[need] < step.wave for step in plan.steps for need in step.needs)
