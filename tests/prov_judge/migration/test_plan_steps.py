"""The plan within a provider: order, downtime, data, ways back."""

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.migration.conversion import copying, words_of
from prov_judge.migration.model import Migration, Step
from prov_judge.migration.plan import plan_steps
from prov_judge.migration.words import field_words, summary


def planned(before: dict, after: dict) -> Migration:
    return plan_steps(InfrastructureConfig.model_validate(before), InfrastructureConfig.model_validate(after))


def steps(before: dict, after: dict) -> dict[str, Step]:
    return {step.id: step for step in planned(before, after).steps}


NET = {"networking": {"subnets": [{"name": "a", "cidr": "10.0.1.0/24"}]}}
SHOP = {
    **NET,
    "kms_keys": [{"name": "key"}],
    "servers": [{"name": "web", "networking": {"subnet": "a"}}],
    "databases": [{"name": "db", "subnets": ["a"], "kms_key": "key"}],
    "load_balancers": [{"name": "front", "targets": ["web"], "subnets": ["a"]}],
}


def test_equal_configurations_need_nothing():
    plan = planned(SHOP, SHOP)
    assert (plan.steps, plan.notes, plan.blast_radius) == ((), (), {})
    assert summary(plan) == "nothing to do: both configurations describe the same"
    assert plan.counts == {"create": 0, "update": 0, "replace": 0, "delete": 0, "no_op": 6}


def test_what_others_stand_on_is_created_first_and_independent_things_together():
    waves = {step.address: step.wave for step in planned({}, SHOP).steps}
    assert waves == {
        "kms_key.key": 1,
        "vpc.main": 1,
        "subnet.a": 2,
        "server.web": 3,
        "database.db": 3,
        "load_balancer.front": 4,
    }


def test_deletions_go_the_other_way_round_and_data_is_saved_just_before():
    found = steps(SHOP, {})
    waves = {step: one.wave for step, one in found.items()}
    order = ["delete:load_balancer.front", "delete:server.web", "delete:subnet.a", "delete:vpc.main"]
    assert [waves[step] for step in order] == [1, 2, 3, 4]
    assert waves["backup:database.db"] < waves["delete:database.db"] < waves["delete:subnet.a"]
    assert found["delete:database.db"].needs == ("backup:database.db",)
    assert waves["backup:kms_key.key"] == waves["delete:kms_key.key"] - 1


def test_a_deletion_of_data_says_so_and_how_it_comes_back():
    step = steps(SHOP, {})["delete:database.db"]
    assert step.data_loss == "its databases would be lost without the backup"
    assert step.rollback.startswith("create database.db again and restore backup:database.db")
    assert "deletion protection" in step.title
    assert not step.is_irreversible


def test_a_deleted_key_is_irreversible():
    step = steps({"kms_keys": [{"name": "key"}]}, {})["delete:kms_key.key"]
    assert step.is_irreversible
    assert "cancel the deletion" in step.rollback


def test_a_server_keeps_data_only_where_it_says_so():
    def gone(**fields) -> dict[str, Step]:
        return steps({"servers": [{"name": "a", **fields}]}, {})

    assert gone().keys() == {"delete:server.a"}
    assert gone(stateful=True).keys() == {"backup:server.a", "delete:server.a"}


def test_a_replaced_server_comes_before_the_old_one_goes_where_names_allow_it():
    def with_data(provider: str, text: str) -> dict:
        return {
            "provider": provider,
            "servers": [{"name": "a", "user_data": text}],
            "load_balancers": [{"name": "f", "targets": ["a"]}],
        }

    found = steps(with_data("aws", "x"), with_data("aws", "y"))
    assert [found[step].wave for step in ("create:server.a", "update:load_balancer.f", "delete:server.a")] == [1, 2, 3]
    assert "beside the old one" in found["create:server.a"].title
    found = steps(with_data("gcp", "x"), with_data("gcp", "y"))
    assert [found[step].wave for step in ("delete:server.a", "create:server.a", "update:load_balancer.f")] == [1, 2, 3]
    assert "a server's name is unique in its project" in found["create:server.a"].title


def test_another_region_frees_a_name_that_is_unique_within_one():
    before, after = {"caches": [{"name": "a"}]}, {"caches": [{"name": "a", "region": "eu-central-1"}]}
    found = steps(before, after)
    assert found["create:cache.a"].wave < found["delete:cache.a"].wave
    before, after = {"buckets": [{"name": "a"}]}, {"buckets": [{"name": "a", "region": "eu-central-1"}]}
    found = steps(before, after)
    assert found["delete:bucket.a"].wave < found["create:bucket.a"].wave


def test_what_lives_in_a_subnet_that_must_go_first_goes_before_it():
    after = {**SHOP, "networking": {"subnets": [{"name": "a", "cidr": "10.0.1.0/25"}]}}
    waves = {step: one.wave for step, one in steps(SHOP, after).items()}
    assert waves["delete:server.web"] < waves["delete:subnet.a"] < waves["create:subnet.a"] < waves["create:server.web"]


def test_a_subnet_with_free_addresses_comes_before_the_old_one_goes():
    after = {**SHOP, "networking": {"subnets": [{"name": "a", "cidr": "10.0.2.0/24"}]}}
    waves = {step: one.wave for step, one in steps(SHOP, after).items()}
    assert waves["create:subnet.a"] < waves["create:server.web"] < waves["delete:server.web"] < waves["delete:subnet.a"]


@pytest.mark.parametrize(("standby", "words"), [(False, "minutes while it restarts"), (True, "seconds while it fails over")])
def test_a_standby_shortens_the_downtime_of_a_database(standby, words):
    before = {"databases": [{"name": "a", "plan": "small", "multi_az": standby}]}
    after = {"databases": [{"name": "a", "plan": "large", "multi_az": standby}]}
    step = steps(before, after)["update:database.a"]
    assert step.downtime.startswith(words)
    assert "a database restarts to change its size" in step.downtime
    assert step.rollback == "set plan back to small; it restarts again"


def test_a_workload_of_several_replicas_is_not_away():
    def image(tag: str, replicas: int) -> dict:
        return {"clusters": [{"name": "k"}], "workloads": [{"name": "w", "image": tag, "replicas": replicas}]}

    assert steps(image("a:1", 2), image("a:2", 2))["update:workload.w"].downtime == ""
    assert steps(image("a:1", 1), image("a:2", 1))["update:workload.w"].downtime.startswith("seconds to minutes")


def test_a_changed_name_is_answered_wrongly_until_its_ttl_is_over():
    def record(value: str, ttl: int = 900) -> dict:
        return {"dns_zones": [{"domain": "example.com", "records": [{"name": "www", "ttl": ttl, "values": [value]}]}]}

    step = steps(record("192.0.2.1"), record("192.0.2.2"))["update:dns_record.www.example.com/A"]
    assert step.downtime == "up to 900 seconds (TTL): resolvers keep the old answer"
    step = steps(record("192.0.2.1"), record("192.0.2.1", 60))["update:dns_record.www.example.com/A"]
    assert step.downtime == ""


def test_a_change_that_cannot_be_taken_back_is_irreversible_and_data_is_saved_before():
    before, after = {"databases": [{"name": "a", "storage_gb": 50}]}, {"databases": [{"name": "a", "storage_gb": 80}]}
    found = steps(before, after)
    assert found["backup:database.a"].wave < found["update:database.a"].wave
    assert found["update:database.a"].rollback == (
        "irreversible: the storage of a database cannot shrink; the way back is a new one, filled from backup:database.a"
    )


def test_what_can_be_set_back_needs_no_backup():
    before, after = {"databases": [{"name": "a", "multi_az": False}]}, {"databases": [{"name": "a", "multi_az": True}]}
    assert steps(before, after).keys() == {"update:database.a"}


def test_the_blast_radius_holds_everything_that_stands_on_a_change():
    after = {**SHOP, "networking": {"subnets": [{"name": "a", "cidr": "10.0.1.0/24", "map_public_ip": True}]}}
    assert planned(SHOP, after).blast_radius == {"subnet.a": ("server.web", "database.db", "load_balancer.front")}


def test_monitoring_touches_servers_though_none_names_it():
    plan = planned({"servers": [{"name": "a"}]}, {"servers": [{"name": "a"}], "monitoring": {"enabled": True}})
    assert plan.blast_radius == {"monitoring.main": ("server.a",)}


def test_groups_that_name_each_other_are_made_all_the_same():
    def group(name: str, other: str) -> dict:
        return {"name": name, "rules": [{"from_port": 80, "groups": [other]}]}

    plan = planned(
        {},
        {
            "security_groups": [group("a", "b"), group("b", "a")],
            "servers": [{"name": "s", "networking": {"security_groups": ["a"]}}],
        },
    )
    assert {step.address: step.wave for step in plan.steps} == {"security_group.a": 1, "security_group.b": 1, "server.s": 2}
    assert plan.notes == ("security_group.a, security_group.b wait for each other: they are made first and joined afterwards",)


def test_unrelated_files_are_said_to_be_so_and_planned_all_the_same():
    plan = planned({"servers": [{"name": "a"}]}, {"buckets": [{"name": "b"}]})
    assert plan.notes[0].startswith("the two files have no resource in common and nothing alike")
    assert {step.id for step in plan.steps} == {"delete:server.a", "create:bucket.b"}


def test_what_still_names_something_that_goes_is_pointed_out():
    plan = planned(SHOP, {**SHOP, "servers": []})
    assert plan.notes == ("server.web is deleted, and load_balancer.front still names it: change or delete that too",)


def test_a_rename_is_told_with_what_to_do_if_it_is_none():
    plan = planned({"volumes": [{"name": "a"}]}, {"volumes": [{"name": "b"}]})
    (step,) = plan.steps
    assert step.title == "Rename volume.a to volume.b"
    assert plan.notes == ("volume.a is taken for volume.b under another name; if it is not, give both files the same names",)


def test_a_budget_is_no_thing_to_be_done():
    plan = planned({}, {"limits": {"monthly_budget": 100.0}})
    assert plan.steps == ()
    assert (plan.notes, summary(plan)) == ((), "nothing to do: only limits.main is written differently")
    assert plan.counts["create"] == 0


def engines(engine: str, **fields) -> dict:
    return {"databases": [{"name": "orders", "engine": engine, **fields}]}


def test_another_engine_is_filled_by_a_conversion_and_never_from_a_dump_of_the_old_one():
    found = steps(engines("postgresql"), engines("mysql"))
    assert "fill it" not in found["create:database.orders"].title
    convert = found["copy:database.orders"]
    assert convert.title.startswith(
        "Convert the data of database.orders from postgresql to mysql, out of a temporary postgresql server that"
        " backup:database.orders is restored into: the Migration Wizard of MySQL Workbench"
    )
    order = ["backup", "delete", "create", "copy", "verify"]
    waves = [found[f"{verb}:database.orders"].wave for verb in order]
    assert waves == sorted(set(waves))
    # Elsewhere the identifier is free, so the old one still runs while it is read, and goes only when all was verified.
    found = steps(engines("postgresql"), engines("mysql", region="eu-central-1"))
    assert "out of database.orders, which still runs" in found["copy:database.orders"].title
    assert found["verify:database.orders"].wave < found["delete:database.orders"].wave


def test_the_same_engine_needs_no_conversion():
    found = steps(engines("postgresql", version="17"), engines("postgresql", version="16"))
    assert "fill it from backup:database.orders" in found["create:database.orders"].title
    assert "copy:database.orders" not in found


def test_a_conversion_is_named_for_every_two_engines_and_admits_where_no_tool_is_known():
    table = copying()["database"]
    names = {name for name, row in table.items() if isinstance(row, dict)} - {"otherwise"}
    named = {(old, new): words_of("database", (old, new)) for old in names for new in names if old != new}
    assert all({"tool", "catch_up", "check"} <= row.keys() for row in named.values())
    assert "pgloader" in named["mysql", "postgresql"]["tool"]
    assert named["mongodb", "postgresql"] == table["otherwise"]
    assert {name for row in table["conversions"] for name in (*row["from"], *row["to"])} <= names


@pytest.mark.parametrize(("server", "words"), [({}, ""), ({"attached_to": "web"}, "its server loses the disk")])
def test_only_a_volume_that_a_server_uses_is_missed(server, words):
    held = {"servers": [{"name": "web"}]}
    found = steps({**held, "volumes": [{"name": "v", **server}]}, held)
    assert found["delete:volume.v"].downtime == words
    assert found["delete:volume.v"].data_loss
    shrunk = ({**held, "volumes": [{"name": "v", "size_gb": size, **server}]} for size in (50, 40))
    assert bool(steps(*shrunk)["create:volume.v"].downtime) is bool(words)


@pytest.mark.parametrize("kind", ["servers", "volumes"])
@pytest.mark.parametrize("provider", ["aws", "gcp"])
def test_a_zone_that_is_stated_or_left_out_was_the_providers_choice_and_is_no_move(kind, provider):
    bare = {"provider": provider, kind: [{"name": "a"}]}
    stated = {"provider": provider, kind: [{"name": "a", "zone": "zone-b"}]}
    (step,) = planned(bare, stated).steps
    assert (step.action, step.downtime, step.is_irreversible) == ("update", "", False)
    assert step.change is not None
    assert field_words(step.change.fields[0]) == "zone: - -> zone-b (was the provider's choice)"
    (step,) = planned(stated, bare).steps
    assert (step.action, step.is_irreversible) == ("update", False)
    moved = {"provider": provider, kind: [{"name": "a", "zone": "zone-c"}]}
    assert {one.action for one in planned(stated, moved).steps} >= {"replace", "delete"}


def test_a_zone_that_is_stated_frees_no_name():
    before = {"provider": "gcp", "servers": [{"name": "a", "user_data": "x"}]}
    after = {"provider": "gcp", "servers": [{"name": "a", "user_data": "y", "zone": "us-central1-b"}]}
    found = steps(before, after)
    assert found["delete:server.a"].wave < found["create:server.a"].wave


def test_who_runs_a_control_plane_is_known_where_nobody_says_it():
    assert planned({"clusters": [{"name": "k"}]}, {"clusters": [{"name": "k", "managed": True}]}).steps == ()
    own = planned({"clusters": [{"name": "k"}]}, {"clusters": [{"name": "k", "managed": False}]})
    assert own.counts["replace"] == 1


def test_what_points_at_the_same_name_of_a_new_thing_is_said_to_be_replaced():
    after = {**SHOP, "networking": {"subnets": [{"name": "a", "cidr": "10.0.2.0/24"}]}}
    (server,) = [change for change in planned(SHOP, after).changes if change.address == "server.web"]
    fields = {one.path: field_words(one) for one in server.fields}
    assert fields["networking.subnet"] == "networking.subnet: a (replaced)"


def test_what_must_make_way_for_its_successor_goes_just_before_it():
    def shop(text: str, scheme: str) -> dict:
        return {
            "servers": [{"name": "web", "user_data": text}],
            "load_balancers": [{"name": "front", "targets": ["web"], "scheme": scheme}],
        }

    found = steps(shop("x", "internal"), shop("y", "public"))
    waves = [found[step].wave for step in ("create:server.web", "delete:load_balancer.front", "create:load_balancer.front")]
    assert waves == [1, 2, 3]
    assert found["delete:server.web"].wave > found["delete:load_balancer.front"].wave
