"""Assessments: statuses, evidence, thresholds, and what nobody can tell."""

from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.checks import checks_of
from prov_judge.compliance.model import FRAMEWORKS, Assessment, Result
from strategies import models

TODAY = date(2026, 11, 23)


def judge(value: dict[str, Any], framework: Any = "soc2", today: date = TODAY) -> Assessment:
    return assess(InfrastructureConfig.model_validate(value), framework, today=today)


def results(value: dict[str, Any], check: str, framework: Any = "soc2", today: date = TODAY) -> list[Result]:
    return [result for result in judge(value, framework, today).results if result.check == check]


def statuses(value: dict[str, Any], check: str, framework: Any = "soc2") -> dict[str, str]:
    return {result.address: result.status for result in results(value, check, framework)}


def test_a_kind_that_does_not_occur_gives_one_result_without_a_path() -> None:
    (result,) = results({}, "ENC-02")
    assert (result.status, result.path, result.message) == ("not_applicable", (), "there is no database")


def test_each_resource_has_a_result_of_its_own() -> None:
    config = {"servers": [{"name": "a"}, {"name": "b", "spec": {"encrypted_disk": False}}], "volumes": [{"name": "c"}]}
    assert statuses(config, "ENC-01") == {"server.a": "pass", "server.b": "fail", "volume.c": "pass"}


def test_a_default_is_evidence_too() -> None:
    (result,) = results({"databases": [{"name": "shop"}]}, "BCK-01", "pci")
    assert result.status == "fail"
    assert result.path == ("databases", 0, "backup", "retention_days")
    assert result.value == "7 (the default)"


@pytest.mark.parametrize(("framework", "status"), [("soc2", "pass"), ("gdpr", "pass"), ("pci", "fail"), ("hipaa", "fail")])
def test_seven_days_of_backups_are_enough_for_some_frameworks_only(framework: str, status: str) -> None:
    (result,) = results({"databases": [{"name": "shop"}]}, "BCK-01", framework)
    assert result.status == status


@pytest.mark.parametrize(("framework", "status"), [("soc2", "pass"), ("pci", "pass"), ("hipaa", "fail")])
def test_hipaa_keeps_logs_for_six_years(framework: str, status: str) -> None:
    (result, *_) = results({"log_groups": [{"name": "app", "retention_days": 2189}]}, "LOG-03", framework)
    assert result.status == status


def test_a_backup_plan_backs_up_what_it_names() -> None:
    plans = [{"name": "nightly", "targets": ["shop"], "retention_days": 35}]
    (result,) = results({"databases": [{"name": "shop"}], "backup_plans": plans}, "BCK-01", "pci")
    assert (result.status, result.path) == ("pass", ("backup_plans", 0, "retention_days"))


def test_a_short_plan_for_a_server_without_backups_is_the_evidence() -> None:
    plans = [{"name": "nightly", "targets": ["db"], "retention_days": 1}]
    (result, *_) = results({"servers": [{"name": "db", "stateful": True}], "backup_plans": plans}, "BCK-03")
    assert (result.status, result.value) == ("fail", "1")
    off = {"servers": [{"name": "db", "stateful": True, "backup": {"enabled": False}}]}
    (result, *_) = results(off, "BCK-03")
    assert (result.status, result.path) == ("fail", ("servers", 0, "backup", "enabled"))


def test_a_release_is_judged_by_the_day() -> None:
    config = {"servers": [{"name": "web", "spec": {"os": {"family": "ubuntu", "version": "22.04"}}}]}
    assert results(config, "PAT-01")[0].status == "pass"
    assert results(config, "PAT-01", today=date(2027, 5, 1))[0].status == "fail"


def test_a_release_that_the_catalogue_does_not_know_is_not_assessable() -> None:
    (result,) = results({"servers": [{"name": "web", "spec": {"os": {"family": "ubuntu", "version": "99.04"}}}]}, "PAT-01")
    assert result.status == "not_assessable"
    assert "ubuntu 99.04" in result.message


def test_a_kubernetes_patch_version_is_judged_by_its_minor() -> None:
    assert results({"clusters": [{"name": "main", "version": "1.28.4"}]}, "PAT-02")[0].status == "fail"


def test_what_passes_tcp_through_cannot_be_judged() -> None:
    listeners = [{"port": 5432, "protocol": "tcp"}]
    (result,) = results({"load_balancers": [{"name": "db", "listeners": listeners}]}, "TLS-01")
    assert result.status == "not_assessable"
    both = [*listeners, {"port": 80, "protocol": "http"}]
    (result,) = results({"load_balancers": [{"name": "db", "listeners": both}]}, "TLS-01")
    assert (result.status, result.path[:4]) == ("fail", ("load_balancers", 0, "listeners", 1))


def test_an_imported_certificate_without_a_last_day_cannot_be_judged() -> None:
    certificate = {"name": "site", "domain": "example.com", "issuer": "imported"}
    assert results({"certificates": [certificate]}, "TLS-07")[0].status == "not_assessable"
    assert results({"certificates": [certificate | {"expires": "2026-11-22"}]}, "TLS-07")[0].status == "fail"
    assert results({"certificates": [certificate | {"expires": "2026-11-23"}]}, "TLS-07")[0].status == "pass"
    assert results({"certificates": [certificate | {"expires": "2026-02-31"}]}, "TLS-07")[0].status == "not_assessable"


@pytest.mark.parametrize("check", ["IAM-04", "IAM-05", "LOG-01", "LOG-02", "LOG-10"])
def test_what_your_own_machines_do_not_have_is_not_asked_of_them(check: str) -> None:
    assert {one.status for one in results({"provider": "local", "servers": [{"name": "web"}]}, check)} == {"not_applicable"}


def test_what_no_configuration_can_decide_is_listed_with_its_reason() -> None:
    found = judge({})
    assert found.automatable < found.total
    (result,) = results({}, "ORG-02")
    assert result.status == "not_assessable"
    assert result.message
    assert len([one for one in found.results if one.check.startswith("ORG-")]) == found.total - found.automatable


def test_a_secret_fails_at_its_place_and_is_shown_nowhere() -> None:
    secret = "hunter2-correct-horse"
    config = {"taskservs": [{"name": "pg", "settings": {"password": secret}}], "servers": [{"name": "web"}]}
    found = judge(config)
    failed = [one for one in found.failed if one.check == "SEC-01"]
    assert [one.path for one in failed] == [("taskservs", 0, "settings", "password")]
    assert secret not in repr(found)


def test_a_secret_outside_of_all_resources_is_the_configurations() -> None:
    config = {"tags": {"db_password": "hunter2-correct-horse"}}
    assert statuses(config, "SEC-01") == {"infrastructure": "fail"}


def test_rules_of_a_group_are_read_by_protocol_port_and_direction() -> None:
    def group(**rule: Any) -> dict[str, str]:
        rows = [{"cidrs": ["0.0.0.0/0"]} | rule]
        config = {"security_groups": [{"name": "g", "rules": rows}]}
        return {check: statuses(config, check)["security_group.g"] for check in ("NET-01", "NET-03", "NET-04", "NET-05")}

    assert group(from_port=22) == {"NET-01": "fail", "NET-03": "pass", "NET-04": "pass", "NET-05": "pass"}
    assert group(from_port=22, protocol="udp")["NET-01"] == "pass"
    assert group(from_port=22, cidrs=["10.0.0.0/8"])["NET-01"] == "pass"
    assert group(from_port=22, direction="egress")["NET-01"] == "pass"
    assert group() == {"NET-01": "fail", "NET-03": "fail", "NET-04": "fail", "NET-05": "pass"}
    assert group(direction="egress") == {"NET-01": "pass", "NET-03": "pass", "NET-04": "pass", "NET-05": "fail"}
    assert group(protocol="icmp", cidrs=["::/0"])["NET-04"] == "pass"


def test_a_server_in_a_subnet_that_gives_public_addresses_is_public() -> None:
    subnet = {"name": "front", "cidr": "10.0.1.0/24", "map_public_ip": True}
    config = {"networking": {"subnets": [subnet]}, "servers": [{"name": "web", "networking": {"subnet": "front"}}]}
    (result,) = results(config, "NET-07")
    assert (result.status, result.path) == ("fail", ("servers", 0, "networking", "subnet"))


def test_a_database_in_a_public_subnet_fails() -> None:
    subnets = [{"name": "front", "cidr": "10.0.1.0/24", "tier": "public"}, {"name": "back", "cidr": "10.0.2.0/24"}]
    databases = [{"name": "a", "subnets": ["front"]}, {"name": "b", "subnets": ["back"]}]
    found = statuses({"networking": {"subnets": subnets}, "databases": databases}, "NET-13")
    assert found == {"networking.main": "pass", "database.a": "fail", "database.b": "pass"}


def test_parts_of_a_network_have_addresses_of_their_own() -> None:
    vpcs = [{"name": "second", "flow_logs": True, "subnets": [{"name": "x", "cidr": "10.1.0.0/24", "map_public_ip": True}]}]
    config = {"networking": {"vpcs": vpcs}}
    assert statuses(config, "NET-10") == {"networking.main": "fail", "vpc.second": "pass"}
    (result,) = results(config, "NET-12")
    assert (result.address, result.subject) == ("subnet.x", ("networking", "vpcs", 0, "subnets", 0))


def people(**database: Any) -> dict[str, Any]:
    return {"databases": [{"name": "people", "data_class": "personal"} | database]}


def test_personal_data_stays_where_it_is_protected() -> None:
    def status(value: dict[str, Any]) -> str:
        return statuses(value, "GOV-02", "gdpr")["database.people"]

    assert status(people(region="eu-central-1")) == "pass"
    assert status(people(region="eu-west-2")) == "pass"
    assert status(people(region="us-east-1")) == "fail"
    assert status(people(region="nowhere-1")) == "not_assessable"
    assert status(people(provider="local")) == "not_assessable"
    assert status(people(region="us-east-1", data_class="internal")) == "not_applicable"


def test_a_bucket_that_is_copied_out_of_the_eea_fails_at_the_copy() -> None:
    bucket = {"name": "people", "data_class": "health", "region": "eu-central-1", "replicate_to": "us-east-1"}
    (result,) = results({"buckets": [bucket]}, "GOV-02", "gdpr")
    assert (result.status, result.path) == ("fail", ("buckets", 0, "replicate_to"))


def test_a_bucket_that_receives_logs_need_not_log_itself() -> None:
    config = {"buckets": [{"name": "data", "log_bucket": "logs"}, {"name": "logs"}]}
    assert statuses(config, "LOG-06") == {"bucket.data": "pass", "bucket.logs": "not_applicable"}


def test_one_environment_has_nothing_to_be_apart_from() -> None:
    assert statuses({"servers": [{"name": "web"}]}, "GOV-05") == {"infrastructure": "not_applicable"}


def test_a_cluster_in_a_region_without_zones_need_not_spread() -> None:
    assert statuses({"provider": "local", "clusters": [{"name": "main"}]}, "AVL-03") == {"kubernetes.main": "not_applicable"}


def test_malware_protection_may_be_a_taskserv() -> None:
    server = {"name": "pay", "data_class": "card"}
    assert statuses({"servers": [server], "taskservs": [{"name": "clamav"}]}, "PAT-06") == {"server.pay": "pass"}
    assert statuses({"servers": [server | {"taskservs": ["clamav"]}]}, "PAT-06") == {"server.pay": "pass"}
    elsewhere = {"servers": [server, {"name": "b"}], "taskservs": [{"name": "clamav", "targets": ["b"]}]}
    assert statuses(elsewhere, "PAT-06")["server.pay"] == "fail"


def test_a_tag_of_the_configuration_is_borne_by_all_and_spelling_is_forgiven() -> None:
    config = {
        "tags": {"owner": "shop", "data-class": "internal"},
        "servers": [{"name": "web"}],
        "dns_zones": [{"domain": "a.io"}],
    }
    assert set(statuses(config, "GOV-01").values()) == {"pass"}
    classed = {"tags": {"Owner": "shop"}, "servers": [{"name": "web", "data_class": "public"}]}
    assert statuses(classed, "GOV-01") == {"server.web": "pass"}


@pytest.mark.parametrize("framework", list(FRAMEWORKS))
def test_every_check_of_a_framework_says_something_even_of_an_empty_configuration(framework: Any) -> None:
    found = judge({}, framework)
    assert {result.check for result in found.results} == {check.id for check in checks_of(framework)}
    assert found.total == len(checks_of(framework))


@settings(parent=settings.get_profile("house"), max_examples=40, suppress_health_check=list(HealthCheck))
@given(models(InfrastructureConfig))
def test_any_configuration_is_judged_and_every_failure_has_evidence_inside_it(config: InfrastructureConfig) -> None:
    for framework in FRAMEWORKS:
        found = assess(config, framework, today=TODAY)
        assert {result.check for result in found.results} == {check.id for check in checks_of(framework)}
        for result in found.failed:
            assert result.path
            assert result.path[0] in InfrastructureConfig.model_fields
            assert result.fix
