"""What the checks say of networks, ports, permissions, environments, zones and accounts."""

from datetime import date
from typing import Any

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.model import Result

TODAY = date(2026, 11, 23)


def results(value: dict[str, Any], check: str, framework: Any = "soc2") -> list[Result]:
    config = InfrastructureConfig.model_validate(value)
    return [result for result in assess(config, framework, today=TODAY).results if result.check == check]


def statuses(value: dict[str, Any], check: str, framework: Any = "soc2") -> dict[str, str]:
    return {result.address: result.status for result in results(value, check, framework)}


def group(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"security_groups": [{"name": "g", "rules": [{"cidrs": ["0.0.0.0/0"]} | rule for rule in rules]}]}


def test_ssh_is_guarded_at_the_port_where_the_servers_of_the_group_have_it() -> None:
    server = {"name": "web", "ssh": {"port": 2222}, "networking": {"security_groups": ["g"]}}
    opened = group({"from_port": 2222})
    assert statuses(opened, "NET-01")["security_group.g"] == "pass"
    assert statuses(opened | {"servers": [server]}, "NET-01")["security_group.g"] == "fail"
    assert statuses(group({"from_port": 22}) | {"servers": [server]}, "NET-01")["security_group.g"] == "fail"


@pytest.mark.parametrize("check", ["NET-01", "NET-04"])
@pytest.mark.parametrize(("provider", "status"), [("hetzner", "fail"), ("upcloud", "fail"), ("aws", "not_applicable")])
def test_a_public_server_without_a_group_is_open_where_nothing_closes_it(check: str, provider: str, status: str) -> None:
    server = {"name": "web", "networking": {"public_ip": True}}
    assert statuses({"provider": provider, "servers": [server]}, check) == {"server.web": status}
    grouped = {"name": "web", "networking": {"public_ip": True, "security_groups": ["g"]}}
    assert statuses({"provider": "hetzner", "servers": [grouped]} | group(), check)["server.web"] == "pass"
    assert statuses({"provider": "hetzner", "servers": [{"name": "web"}]}, check)["server.web"] == "not_applicable"


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([{"from_port": 0, "to_port": 32767}, {"from_port": 32768, "to_port": 65535}], "fail"),
        ([{"from_port": 2, "to_port": 65535}], "fail"),
        ([{"from_port": 0, "to_port": 40000}, {"from_port": 20000, "to_port": 65535}], "fail"),
        ([{"from_port": 32768, "to_port": 60999}], "pass"),
        ([{"from_port": 0, "to_port": 32767}, {"from_port": 32768, "to_port": 65535, "protocol": "udp"}], "pass"),
        ([{"from_port": 0, "to_port": 40000}, {"from_port": 0, "to_port": 40000}], "pass"),
    ],
)
def test_rules_are_joined_before_their_ports_are_counted(rules: list[dict[str, Any]], status: str) -> None:
    assert statuses(group(*rules), "NET-04") == {"security_group.g": status}


def test_a_port_range_that_is_nearly_everything_says_how_much_it_is() -> None:
    (result,) = results(group({"from_port": 2, "to_port": 65535}), "NET-04")
    assert result.message == "65534 of 65536 ports are open from 0.0.0.0/0"
    (result,) = results(group({"protocol": "all"}), "NET-04")
    assert result.message == "every port is open from 0.0.0.0/0"


@pytest.mark.parametrize("port", [9000, 9440, 2379, 5984])
def test_clickhouse_etcd_and_couchdb_are_databases_too(port: int) -> None:
    assert statuses(group({"from_port": port}), "NET-03") == {"security_group.g": "fail"}


def two_networks(**second: Any) -> dict[str, Any]:
    app = {"name": "app", "cidr": "10.0.1.0/24"}
    vpcs = [{"name": "second", "subnets": [{"name": "app", "cidr": "10.1.1.0/24"} | second]}]
    return {"networking": {"subnets": [app], "vpcs": vpcs}}


def test_a_subnet_is_looked_for_in_the_servers_own_network() -> None:
    networks = two_networks(map_public_ip=True)
    servers = [{"name": "a", "networking": {"subnet": "app"}}, {"name": "b", "networking": {"vpc": "second", "subnet": "app"}}]
    assert statuses(networks | {"servers": servers}, "NET-07") == {"server.a": "pass", "server.b": "fail"}


def test_a_subnet_of_a_database_that_several_networks_have_cannot_be_told() -> None:
    databases = [{"name": "shop", "subnets": ["app"]}]
    assert statuses(two_networks(tier="public") | {"databases": databases}, "NET-13")["database.shop"] == "not_assessable"
    assert statuses(two_networks() | {"databases": databases}, "NET-13")["database.shop"] == "pass"


def policy(**statement: Any) -> str:
    security = {"iam_policies": [{"name": "p", "statements": [statement]}]}
    return statuses({"security": security}, "IAM-02")["iam_policy.p"]


@pytest.mark.parametrize("actions", [["*"], ["**"], ["*:*"], ["s3:GetObject", "*"], []])
@pytest.mark.parametrize("resources", [["*"], ["**"], ["arn:aws:*"], ["arn:*"], ["arn:aws:*:*:*:*"], []])
def test_wildcards_in_every_shape_and_nothing_named_are_everything(actions: list[str], resources: list[str]) -> None:
    assert policy(actions=actions, resources=resources) == "fail"
    assert policy(actions=actions, resources=resources, effect="deny") == "pass"


def test_a_policy_with_named_actions_or_resources_is_bounded() -> None:
    assert policy(actions=["*"], resources=["arn:aws:s3:::shop/*"]) == "pass"
    assert policy(actions=["*"], resources=["arn:aws:s3:::*"]) == "pass"
    assert policy(actions=["s3:*"], resources=["*"]) == "pass"


def test_a_key_that_is_never_rotated_fails_unless_the_account_may_have_none() -> None:
    def status(**user: Any) -> str:
        return statuses({"security": {"iam_users": [{"name": "ana"} | user]}}, "IAM-03")["iam_user.ana"]

    assert status(access_key_rotation_days=0) == "fail"
    assert status(access_key_rotation_days=0, console=True) == "not_assessable"
    assert status(access_key_rotation_days=91, console=True) == "fail"
    assert status(console=True) == "pass"


@pytest.mark.parametrize(
    ("environment", "status"),
    [
        ("production", "fail"),
        ("prod-eu", "fail"),
        ("production-eu", "fail"),
        ("Production EU", "fail"),
        ("prod2", "fail"),
        ("pre-production", "not_applicable"),
        ("nonprod", "not_applicable"),
        ("staging-eu", "not_applicable"),
        ("blue", "not_assessable"),
    ],
)
def test_production_is_a_word_of_the_environments_name(environment: str, status: str) -> None:
    config = {"environment": environment, "security": {"change_approval": False}}
    assert statuses(config, "GOV-06") == {"infrastructure": status}


def test_a_tag_says_the_environment_where_the_field_is_left_out() -> None:
    config = {"tags": {"env": "staging"}, "security": {"change_approval": False}}
    assert statuses(config, "GOV-06") == {"infrastructure": "not_applicable"}
    assert statuses(config | {"environment": "production"}, "GOV-06") == {"infrastructure": "fail"}


@pytest.mark.parametrize("field", ["databases", "caches", "load_balancers", "file_systems", "servers", "clusters"])
def test_whatever_lies_in_productions_network_belongs_to_production(field: str) -> None:
    subnets = [{"name": "app", "cidr": "10.0.1.0/24"}]
    vpcs = [{"name": "test", "environment": "staging", "subnets": [{"name": "try", "cidr": "10.1.1.0/24"}]}]
    networking = {"subnets": subnets, "vpcs": vpcs}

    def status(subnet: str) -> str:
        own: dict[str, Any] = {
            "servers": {"networking": {"subnet": subnet}},
            "clusters": {"networking": {"subnets": [subnet]}},
        }
        lying = own.get(field, {"subnets": [subnet]})
        config = {"networking": networking, field: [{"name": "x", "tags": {"Environment": "staging"}} | lying]}
        return statuses(config, "GOV-05")["infrastructure"]

    assert status("app") == "fail"
    assert status("try") == "pass"


def test_an_environment_that_nobody_knows_beside_production_cannot_be_judged() -> None:
    servers = [{"name": "web"}, {"name": "try", "tags": {"Environment": "blue"}}]
    assert statuses({"servers": servers}, "GOV-05") == {"infrastructure": "not_assessable"}
    blue = {"environment": "blue", "servers": [{"name": "web"}]}
    assert statuses(blue, "GOV-05") == {"infrastructure": "not_applicable"}


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "upcloud"])
def test_a_control_plane_of_the_provider_has_its_own_nodes(provider: str) -> None:
    cluster = {"name": "main", "control_plane": {"count": 1}}
    assert statuses({"provider": provider, "clusters": [cluster]}, "AVL-02") == {"kubernetes.main": "not_applicable"}
    own: dict[str, Any] = {**cluster, "managed": False}
    assert statuses({"provider": provider, "clusters": [own]}, "AVL-02") == {"kubernetes.main": "fail"}


def test_a_control_plane_at_hetzner_is_your_own() -> None:
    cluster = {"name": "main", "control_plane": {"count": 1}}
    assert statuses({"provider": "hetzner", "clusters": [cluster]}, "AVL-02") == {"kubernetes.main": "fail"}


TWO = ["us-east-1a", "us-east-1b"]


@pytest.mark.parametrize(
    ("workers", "status"),
    [
        ({"zones": TWO}, "pass"),
        ({"zones": TWO, "count": 1}, "fail"),
        ({"zones": TWO, "count": 0}, "fail"),
        ({"zones": TWO, "auto_scaling": {"enabled": True, "min": 1}}, "fail"),
        ({"zones": TWO, "count": 0, "auto_scaling": {"enabled": True, "min": 2}}, "pass"),
        ({"zones": ["x", "y"]}, "fail"),
        ({"zones": ["us-east-1a", "eu-west-1b"]}, "fail"),
        ({}, "not_assessable"),
    ],
)
def test_workers_need_a_node_in_each_of_two_zones_of_the_region(workers: dict[str, Any], status: str) -> None:
    assert statuses({"clusters": [{"name": "main", "workers": workers}]}, "AVL-03") == {"kubernetes.main": status}


def test_zones_of_workers_are_those_of_the_clusters_subnets() -> None:
    subnets = [{"name": zone[-1], "cidr": f"10.0.{index}.0/24", "zone": zone} for index, zone in enumerate(TWO)]

    def result(*names: str) -> Result:
        cluster = {"name": "main", "networking": {"subnets": list(names)}}
        return results({"networking": {"subnets": subnets}, "clusters": [cluster]}, "AVL-03")[0]

    assert result("a", "b").status == "pass"
    assert (result("a").status, result("a").path) == ("fail", ("clusters", 0, "networking", "subnets"))


@pytest.mark.parametrize("check", ["LOG-01", "LOG-02", "LOG-10"])
def test_an_account_is_asked_for_where_any_resource_is_at_a_provider(check: str) -> None:
    mixed = {"provider": "local", "servers": [{"name": "a"}, {"name": "b", "provider": "aws"}]}
    assert statuses(mixed, check) == {"infrastructure": "fail"}
    elsewhere = {"provider": "aws", "servers": [{"name": "a", "provider": "local"}]}
    assert statuses(elsewhere, check) == {"infrastructure": "not_applicable"}


def test_a_secret_in_a_script_fails() -> None:
    server = {"name": "web", "user_data": "#!/bin/sh\nexport PASSWORD=hunter2hunter2\n"}
    (result,) = [one for one in results({"servers": [server]}, "SEC-01") if one.address == "server.web"]
    assert (result.status, result.path) == ("fail", ("servers", 0, "user_data"))
    assert "hunter2" not in repr(result)


def test_what_a_program_cannot_know_for_you_it_does_not_propose() -> None:
    config = {"databases": [{"name": "shop"}], "security": {"change_approval": False}, "load_balancers": [{"name": "front"}]}
    for check in ("GOV-06", "IAM-06", "LOG-05"):
        (result,) = results(config, check)
        assert (result.status, dict(result.change)) == ("fail", {})


def test_a_pass_says_what_holds() -> None:
    rules = [{"from_port": 443, "description": "customers"}]
    (result,) = results(group(*rules), "NET-06")
    assert (result.status, result.message) == ("pass", "description is customers")
    (result,) = results(group(*rules, *rules), "NET-06")
    assert result.message == "all 2 rules hold, such as: description is customers"
    (result,) = results(group(*rules), "NET-01")
    assert (result.value, result.message) == ("1 rule", "no rule opens port 22 to the internet")


def test_an_empty_configuration_has_no_resource() -> None:
    (result,) = results({}, "GOV-01")
    assert (result.status, result.message) == ("not_applicable", "there is no resource")
