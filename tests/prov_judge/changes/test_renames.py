"""When a resource under another name is taken for the same one."""

from random import Random

from infrastructures import model
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.changes.compare import compare


def renamed(before: dict, after: dict) -> dict[str, tuple[str, str]]:
    """Address -> (previous address, action) of everything that was renamed."""
    found = compare(InfrastructureConfig.model_validate(before), InfrastructureConfig.model_validate(after))
    return {change.address: (change.previous, change.action) for change in found if change.previous}


SERVER = {"plan": "m5.large", "role": "web", "spec": {"disk_gb": 80}, "zone": "us-east-1a", "user_data": "#!/bin/sh"}


def test_an_equal_resource_under_another_name_is_a_rename():
    assert renamed({"servers": [{"name": "a", **SERVER}]}, {"servers": [{"name": "b", **SERVER}]}) == {
        "server.b": ("server.a", "update")
    }


def test_whether_a_renamed_resource_is_replaced_is_the_providers_matter():
    def volume(name: str, provider: str) -> dict:
        return {"provider": provider, "volumes": [{"name": name, "size_gb": 70}]}

    assert renamed(volume("a", "aws"), volume("b", "aws")) == {"volume.b": ("volume.a", "update")}
    assert renamed(volume("a", "gcp"), volume("b", "gcp")) == {"volume.b": ("volume.a", "replace")}
    assert renamed({"buckets": [{"name": "a"}]}, {"buckets": [{"name": "b"}]}) == {"bucket.b": ("bucket.a", "replace")}


def test_a_renamed_resource_may_change_a_little_as_well():
    after = {"servers": [{"name": "b", **SERVER, "monitoring": False}]}
    assert renamed({"servers": [{"name": "a", **SERVER}]}, after) == {"server.b": ("server.a", "update")}


def test_what_is_hardly_alike_is_no_rename():
    assert renamed({"servers": [{"name": "a", **SERVER}]}, {"servers": [{"name": "b", "role": "web"}]}) == {}
    assert renamed({"databases": [{"name": "a", "engine": "mysql"}]}, {"databases": [{"name": "b"}]}) == {}


def test_what_could_be_one_of_two_is_no_rename():
    two = {"servers": [{"name": "b", **SERVER}, {"name": "c", **SERVER}]}
    assert renamed({"servers": [{"name": "a", **SERVER}]}, two) == {}


def test_a_subnet_with_other_addresses_is_another_subnet():
    def net(name: str, cidr: str) -> dict:
        return {"networking": {"subnets": [{"name": name, "cidr": cidr, "tier": "public", "zone": "us-east-1a"}]}}

    assert renamed(net("a", "10.0.1.0/24"), net("b", "10.0.1.0/24")) == {"subnet.b": ("subnet.a", "update")}
    assert renamed(net("a", "10.0.1.0/24"), net("b", "10.0.2.0/24")) == {}


def test_a_service_a_zone_and_a_record_are_their_names():
    assert renamed({"taskservs": [{"name": "a"}]}, {"taskservs": [{"name": "b"}]}) == {}
    assert renamed({"dns_zones": [{"domain": "a.com"}]}, {"dns_zones": [{"domain": "b.com"}]}) == {}


def test_names_that_follow_a_rename_are_no_change():
    def shop(name: str) -> dict:
        return {
            "servers": [{"name": name, **SERVER}],
            "volumes": [{"name": "v", "attached_to": name}],
            "load_balancers": [{"name": "front", "targets": [name]}],
        }

    found = compare(InfrastructureConfig.model_validate(shop("a")), InfrastructureConfig.model_validate(shop("b")))
    assert {change.address: change.action for change in found} == {
        "server.b": "update",
        "load_balancer.front": "no_op",
        "volume.v": "no_op",
    }


def test_a_thousand_resources_that_all_changed_their_names_are_found_again():
    numbers = list(range(1000))
    Random(1).shuffle(numbers)
    before = model({"volumes": [{"name": f"a{n}", "size_gb": 10 + n} for n in range(1000)]})
    after = model({"volumes": [{"name": f"b{n}", "size_gb": 10 + n} for n in numbers]})
    assert {change.address: change.previous for change in compare(before, after)} == {
        f"volume.b{n}": f"volume.a{n}" for n in numbers
    }


def test_elements_that_leave_their_key_to_the_default_are_compared_too():
    def balancer(name: str, ports: list[dict]) -> dict:
        return {"load_balancers": [{"name": name, "listeners": ports, "waf": True, "tls_policy": "1.3", "kind": "network"}]}

    mixed = [{"port": 80}, {"protocol": "tls"}]
    assert renamed(balancer("a", mixed), balancer("b", [*mixed, {"port": 81}])) == {}
