"""What the checks say of data: its class, where it lies, and whether what keeps it can be brought back."""

from datetime import date
from typing import Any

import pytest

from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.model import Result

TODAY = date(2026, 11, 23)


def results(value: dict[str, Any], check: str, framework: Any = "gdpr") -> list[Result]:
    config = InfrastructureConfig.model_validate(value)
    return [result for result in assess(config, framework, today=TODAY).results if result.check == check]


def statuses(value: dict[str, Any], check: str, framework: Any = "gdpr") -> dict[str, str]:
    return {result.address: result.status for result in results(value, check, framework)}


@pytest.mark.parametrize("check", ["GOV-02", "GOV-03"])
def test_a_tag_says_the_class_of_data_as_the_field_does(check: str) -> None:
    base = {"region": "us-east-1", "tags": {"Owner": "shop"}}
    assert statuses(base | {"databases": [{"name": "d", "tags": {"DataClass": "Health"}}]}, check) == {"database.d": "fail"}
    general = base | {"tags": {"data-class": "personal"}, "databases": [{"name": "d"}]}
    assert statuses(general, check) == {"database.d": "fail"}


def test_the_own_class_of_data_wins_over_that_of_all() -> None:
    config = {"region": "us-east-1", "tags": {"DataClass": "personal"}, "databases": [{"name": "d", "data_class": "internal"}]}
    assert statuses(config, "GOV-02") == {"database.d": "not_applicable"}
    assert statuses(config, "GOV-01", "soc2")["database.d"] == "fail", "it has no owner"


def test_a_class_of_data_for_all_is_not_about_what_holds_none() -> None:
    config = {"region": "us-east-1", "tags": {"DataClass": "personal"}, "networking": {}}
    assert statuses(config, "GOV-02") == {"networking.main": "not_applicable"}


def test_a_class_of_data_that_is_not_known_cannot_be_judged() -> None:
    (result,) = results({"region": "us-east-1", "databases": [{"name": "d", "tags": {"DataClass": "PII"}}]}, "GOV-02")
    assert (result.status, result.path) == ("not_assessable", ("databases", 0, "tags", "DataClass"))
    assert "known are" in result.message


def test_a_server_with_card_data_by_its_tag_is_scanned_for_malware() -> None:
    assert statuses({"servers": [{"name": "pay", "tags": {"DataClass": "card"}}]}, "PAT-06") == {"server.pay": "fail"}


def test_a_blank_tag_says_nothing() -> None:
    config = {"tags": {"DataClass": "internal", "Owner": " "}, "servers": [{"name": "web"}]}
    (result,) = results(config, "GOV-01", "soc2")
    assert (result.status, result.message) == ("fail", "it bears no tag Owner")


def copied(copy_to: str, **database: Any) -> dict[str, Any]:
    plans = [{"name": "nightly", "targets": ["people"], "copy_to": copy_to}]
    databases = [{"name": "people", "data_class": "personal", "region": "eu-central-1"} | database]
    return {"databases": databases, "backup_plans": plans}


@pytest.mark.parametrize(
    ("copy_to", "status"),
    [
        ("us-east-1", "fail"),
        ("eu-west-1", "pass"),
        ("hetzner", "not_assessable"),
        ("fsn1", "pass"),
        ("Ashburn", "fail"),
        ("the cellar", "not_assessable"),
    ],
)
def test_copies_of_backups_stay_where_personal_data_is_protected(copy_to: str, status: str) -> None:
    (result,) = [one for one in results(copied(copy_to), "GOV-02") if one.address == "database.people"]
    assert result.status == status
    if status != "pass":
        assert result.path == ("backup_plans", 0, "copy_to")


def test_a_copy_out_of_the_eea_fails_even_where_the_own_country_is_not_known() -> None:
    found = statuses(copied("us-east-1", region="nowhere-1"), "GOV-02")
    assert found["database.people"] == "fail"


def test_brazil_has_a_decision_that_its_protection_is_adequate() -> None:
    config = {"databases": [{"name": "people", "data_class": "personal", "region": "sa-east-1"}]}
    assert statuses(config, "GOV-02") == {"database.people": "pass"}


@pytest.mark.parametrize("check", ["BCK-05", "BCK-06"])
def test_a_plan_counts_for_what_it_names_only(check: str) -> None:
    plan = {"name": "nightly", "targets": ["web"], "copy_to": "eu-west-1", "restore_test_days": 90}
    config = {"servers": [{"name": "web"}], "databases": [{"name": "a"}, {"name": "b"}], "backup_plans": [plan]}
    assert statuses(config, check) == {"server.web": "not_applicable", "database.a": "fail", "database.b": "fail"}
    plan["targets"] = ["a"]
    assert statuses(config, check) == {"server.web": "not_applicable", "database.a": "pass", "database.b": "fail"}
    plan["targets"] = []
    assert statuses(config, check)["database.a"] == "fail"


def test_a_copy_is_compared_with_the_resources_own_region_and_provider() -> None:
    def status(copy_to: str, **database: Any) -> str:
        plans = [{"name": "nightly", "targets": ["shop"], "copy_to": copy_to}]
        config = {"region": "us-east-1", "databases": [{"name": "shop"} | database], "backup_plans": plans}
        return statuses(config, "BCK-05")["database.shop"]

    assert status("us-east-1") == "fail"
    assert status("eu-west-1") == "pass"
    assert status("eu-west-1", region="eu-west-1") == "fail"
    assert status("Ireland", region="eu-west-1") == "fail"
    assert status("us-east-1", region="eu-west-1") == "pass"
    assert status("aws") == "fail"
    assert status("hetzner") == "pass"
    assert status("hetzner", provider="hetzner") == "fail"
    assert status("the cellar") == "not_assessable"


def test_buckets_are_data_and_a_replica_in_their_own_region_is_none() -> None:
    def status(**bucket: Any) -> str:
        return statuses({"region": "us-east-1", "buckets": [{"name": "data"} | bucket]}, "BCK-05")["bucket.data"]

    assert status() == "fail"
    assert status(replicate_to="us-east-1") == "fail"
    assert status(replicate_to="us-west-2") == "pass"
    assert status(replicate_to="us-east-1", region="us-west-2") == "pass"


def test_a_restore_test_is_tried_often_enough() -> None:
    def result(days: int | None) -> Result:
        plan = {"name": "nightly", "targets": ["data"]} | ({"restore_test_days": days} if days else {})
        return results({"buckets": [{"name": "data"}], "backup_plans": [plan]}, "BCK-06")[0]

    assert (result(365).status, result(365).path) == ("pass", ("backup_plans", 0, "restore_test_days"))
    assert result(366).status == result(None).status == "fail"


def test_a_server_keeps_data_when_it_says_so_or_its_data_is_about_people() -> None:
    def status(**server: Any) -> str:
        return statuses({"servers": [{"name": "db"} | server]}, "BCK-03", "pci")["server.db"]

    assert status(stateful=True) == "fail"
    assert status(data_class="card") == "fail"
    assert status(tags={"DataClass": "card"}, backup={}) == "pass"
    assert status(data_class="card", stateful=False) == "not_applicable"
    assert status(data_class="internal") == "not_applicable"


@pytest.mark.parametrize("check", ["LOG-06", "BCK-05"])
def test_a_bucket_with_logs_and_data_about_people_is_no_mere_log_bucket(check: str) -> None:
    front = {"name": "front", "access_logs": True, "log_bucket": "cards"}
    config = {"load_balancers": [front], "buckets": [{"name": "cards", "data_class": "card"}]}
    assert statuses(config, check, "soc2") == {"bucket.cards": "fail"}
    config["buckets"] = [{"name": "cards"}]
    assert statuses(config, check, "soc2") == {"bucket.cards": "not_applicable"}


def test_a_bucket_that_logs_to_itself_has_no_log() -> None:
    config = {"buckets": [{"name": "data", "log_bucket": "data"}]}
    (result,) = results(config, "LOG-06", "soc2")
    assert (result.status, result.path) == ("fail", ("buckets", 0, "log_bucket"))


def test_a_log_without_a_bucket_is_none_and_a_bucket_that_is_not_described_cannot_be_judged() -> None:
    def status(**balancer: Any) -> str:
        config = {"load_balancers": [{"name": "front"} | balancer], "buckets": [{"name": "logs"}]}
        return statuses(config, "LOG-05", "soc2")["load_balancer.front"]

    assert status(access_logs=True) == "fail"
    assert status(log_bucket="logs") == "fail"
    assert status(access_logs=True, log_bucket="logs") == "pass"
    assert status(access_logs=True, log_bucket="lost") == "not_assessable"


def test_a_key_that_is_not_described_cannot_be_judged() -> None:
    bucket = {"name": "data", "encryption": "kms", "kms_key": "lost"}
    (result,) = results({"buckets": [bucket]}, "ENC-04", "soc2")
    assert (result.status, result.path) == ("not_assessable", ("buckets", 0, "kms_key"))
    assert statuses({"buckets": [{"name": "data", "log_bucket": "lost"}]}, "LOG-06", "soc2") == {"bucket.data": "not_assessable"}
