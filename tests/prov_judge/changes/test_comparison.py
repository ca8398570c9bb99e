"""What counts as a change, and what it does to the running thing."""

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.compare import compare
from prov_judge.changes.model import Change


def configured(**values) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(values)


def changes(before: dict, after: dict) -> dict[str, Change]:
    return {change.address: change for change in compare(configured(**before), configured(**after))}


def actions(before: dict, after: dict) -> dict[str, str]:
    return {address: change.action for address, change in changes(before, after).items() if change.action != "no_op"}


def of_one(kind: str, before: dict, after: dict, **config) -> Change:
    """The change of the one resource of a kind."""
    (change,) = changes({kind: [{"name": "a", **before}], **config}, {kind: [{"name": "a", **after}], **config}).values()
    return change


def test_two_empty_configurations_have_no_changes():
    assert compare(configured(), configured()) == ()


def test_a_created_and_a_deleted_resource_are_told_by_address():
    before, after = {"servers": [{"name": "web"}]}, {"buckets": [{"name": "logs"}]}
    assert actions(before, after) == {"server.web": "delete", "bucket.logs": "create"}
    assert changes(before, after)["server.web"].before.path == ("servers", 0)


def test_a_default_that_somebody_writes_out_is_no_change():
    before = {"servers": [{"name": "a", "plan": "medium"}], "databases": [{"name": "d"}], "clusters": [{"name": "k"}]}
    after = {
        "region": "us-east-1",
        "servers": [
            {
                "name": "a",
                "plan": "t3.medium",
                "provider": "aws",
                "region": "us-east-1",
                "spec": {"disk_type": "gp3", "os": {"version": "24.04"}, "cpu": 2, "memory_gb": 4},
            }
        ],
        "databases": [{"name": "d", "version": "17", "storage_type": "gp3"}],
        "clusters": [{"name": "k", "version": "1.35", "workers": {"plan": "t3.medium"}, "networking": {"cni_version": "1.18"}}],
    }
    assert actions(before, after) == {}


def test_another_order_of_lists_is_no_change_but_that_of_services_on_a_server():
    rules = [{"from_port": 80}, {"from_port": 443}]
    groups = {"security_groups": [{"name": "a", "rules": rules}, {"name": "b"}]}
    other = {"security_groups": [{"name": "b"}, {"name": "a", "rules": rules[::-1]}]}
    assert actions(groups, other) == {}
    assert of_one("servers", {"taskservs": ["x", "y"]}, {"taskservs": ["y", "x"]}).action == "update"


def test_parts_of_a_network_have_addresses_of_their_own():
    before = {"networking": {"subnets": [{"name": "a", "cidr": "10.0.1.0/24"}], "nat": "single"}}
    peering = {"name": "p", "peer": "x", "peer_cidr": "10.8.0.0/16"}
    after = {"networking": {"vpcs": [{"name": "v", "subnets": [{"name": "a", "cidr": "10.1.1.0/24"}]}], "peerings": [peering]}}
    assert actions(before, after) == {
        "subnet.a": "delete",
        "nat.main": "delete",
        "vpc.v": "create",
        "subnet.v/a": "create",
        "peering.p": "create",
    }


def test_records_of_a_zone_have_addresses_of_their_own():
    before = {"dns_zones": [{"domain": "example.com", "records": [{"name": "www", "values": ["192.0.2.1"]}]}]}
    after = {
        "dns_zones": [{"domain": "example.com", "records": [{"name": "www", "values": ["192.0.2.2"]}, {"values": ["192.0.2.3"]}]}]
    }
    assert actions(before, after) == {"dns_record.www.example.com/A": "update", "dns_record.example.com/A": "create"}


def test_a_tag_of_the_configuration_changes_everything_that_has_tags():
    held = {
        "servers": [{"name": "a"}],
        "buckets": [{"name": "b", "tags": {"team": "own"}}],
        "taskservs": [{"name": "containerd"}],
    }
    assert actions(held, {**held, "tags": {"team": "shop"}}) == {"server.a": "update"}


def test_what_holds_for_the_whole_configuration_changes_what_leaves_it_out():
    held = {"volumes": [{"name": "a"}, {"name": "b", "encrypted": True}]}
    found = actions({**held, "security": {}}, {**held, "security": {"encryption_at_rest": False}})
    assert found == {"security.main": "update", "volume.a": "replace"}


def test_two_resources_of_one_name_are_both_told():
    found = compare(configured(), configured(servers=[{"name": "a"}, {"name": "a", "role": "web"}]))
    assert [change.address for change in found] == ["server.a", "server.a#2"]


def test_a_volume_grows_in_place_and_is_replaced_to_shrink():
    assert of_one("volumes", {"size_gb": 50}, {"size_gb": 60}).action == "update"
    shrunk = of_one("volumes", {"size_gb": 50}, {"size_gb": 40})
    assert (shrunk.action, shrunk.reasons) == ("replace", ("size_gb: a volume cannot shrink",))
    (field,) = shrunk.fields
    assert (field.path, field.before, field.after, field.impact) == ("size_gb", 50, 40, "replace")


@pytest.mark.parametrize(
    ("kind", "before", "after", "action"),
    [
        ("databases", {"engine": "mysql"}, {"engine": "postgresql"}, "replace"),
        ("databases", {"version": "16"}, {"version": "17"}, "update"),
        ("databases", {"version": "17"}, {"version": "16"}, "replace"),
        ("databases", {"plan": "small"}, {"plan": "large"}, "update"),
        ("databases", {"encryption_at_rest": False}, {}, "replace"),
        ("servers", {"plan": "small"}, {"plan": "large"}, "update"),
        ("servers", {"user_data": "a"}, {"user_data": "b"}, "replace"),
        ("servers", {"zone": "us-east-1a"}, {"zone": "us-east-1b"}, "replace"),
        ("buckets", {}, {"region": "eu-central-1"}, "replace"),
        ("buckets", {"versioning": False}, {}, "update"),
        ("buckets", {"object_lock": True}, {}, "replace"),
        ("buckets", {}, {"object_lock": True}, "update"),
        ("clusters", {"kms_key": "k"}, {"kms_key": "l"}, "replace"),
        ("clusters", {}, {"kms_key": "k"}, "update"),
    ],
)
def test_each_field_says_whether_it_changes_in_place(kind, before, after, action):
    assert of_one(kind, before, after).action == action


def test_a_rule_may_hold_at_some_providers_only():
    before, after = {"networking": {"public_ip": False}}, {"networking": {"public_ip": True}}
    assert of_one("servers", before, after).action == "replace"
    assert of_one("servers", before, after, provider="hetzner").fields[0].impact == "restart"
    assert of_one("servers", before, after, provider="gcp").fields[0].impact == "none"


def test_what_stands_on_something_replaced_is_replaced_or_pointed_at_the_new_one():
    def shop(cidr: str) -> dict:
        return {
            "networking": {"subnets": [{"name": "a", "cidr": cidr}]},
            "servers": [{"name": "web", "networking": {"subnet": "a"}}],
            "load_balancers": [{"name": "front", "targets": ["web"]}],
        }

    found = changes(shop("10.0.1.0/24"), shop("10.0.2.0/24"))
    assert {address: change.action for address, change in found.items() if change.action != "no_op"} == {
        "subnet.a": "replace",
        "server.web": "replace",
        "load_balancer.front": "update",
    }
    assert found["server.web"].reasons == ("subnet.a is replaced, and a server cannot move to another subnet",)
    assert found["load_balancer.front"].fields[0].why == "server.web is replaced"


def test_another_provider_replaces_everything_that_is_at_it():
    held = {"servers": [{"name": "a"}], "secrets": [{"name": "s", "handle": "vault:a#b"}], "limits": {"monthly_budget": 5.0}}
    assert actions({**held, "provider": "aws"}, {**held, "provider": "gcp"}) == {"server.a": "replace"}


def test_the_configuration_itself_is_told_only_where_it_changes():
    assert actions({"environment": "staging"}, {}) == {"infrastructure.main": "update"}
