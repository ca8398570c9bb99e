"""CloudFormation templates: what they hold, what they never hold, and that the linter takes them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

import peers
from export_cases import EVERY_KIND, configurations, drawn, every_kind, examples, silent_losses
from prov_gen.export.cloudformation import FILE, export
from prov_gen.export.cloudformation.backups import schedule
from prov_gen.model.infrastructure import InfrastructureConfig

INJECTED = "{{resolve:secretsmanager:admin:SecretString:password}}"


def config(**fields: Any) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate({"provider": "aws", "region": "eu-west-1", **fields})


def template(made: InfrastructureConfig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(export(made).files[FILE])
    return found


def of_type(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one for one in document["Resources"].values() if one["Type"] == f"AWS::{kind}"]


def reasons(made: InfrastructureConfig) -> dict[str, str]:
    return {".".join(map(str, one.path)): one.reason for one in export(made).not_carried}


def lint(folder: Path, templates: dict[str, str]) -> str:
    for name, text in templates.items():
        (folder / f"{name}.json").write_text(text, encoding="utf-8")
    program = peers.environment("cfn-lint") / "venv" / "bin" / "cfn-lint"
    command = [program, "--format", "parseable", "--regions", "eu-west-1", "us-east-1", "--", *sorted(folder.glob("*.json"))]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return (done.stdout + done.stderr).strip()


def test_the_linter_has_nothing_to_say_about_the_examples_every_kind_and_drawn_configurations(tmp_path: Path) -> None:
    configs = {"every": every_kind(), **{name.removesuffix(".ncl"): one for name, one in examples().items()}}
    configs |= {f"drawn-{number}": one for number, one in enumerate(drawn(40))}
    made = {name: text for name, one in configs.items() for text in export(one).files.values()}
    assert {"every", "web-shop"} <= set(made)
    assert sum(name.startswith("drawn") for name in made) > 15
    assert lint(tmp_path, made) == ""


def test_the_linter_would_object_to_a_template_that_is_wrong(tmp_path: Path) -> None:
    document = template(config(queues=[{"name": "jobs"}]))
    document["Resources"]["JobsQueue"]["Properties"]["NoSuchProperty"] = 1
    assert "NoSuchProperty" in lint(tmp_path, {"wrong": json.dumps(document)})


def test_every_stated_value_changes_the_template_or_is_listed() -> None:
    assert silent_losses(export, EVERY_KIND) == []


@given(configurations())
@settings(max_examples=20, deadline=None)
def test_the_same_configuration_gives_the_same_template(made: InfrastructureConfig) -> None:
    assert export(made) == export(made.model_copy(deep=True))


@given(configurations("databases", "servers", "workloads", "secrets", "taskservs"))
@settings(max_examples=20, deadline=None)
def test_no_handle_of_the_vault_and_no_text_of_a_person_becomes_a_dynamic_reference(made: InfrastructureConfig) -> None:
    for text in export(made).files.values():
        names = {one.password.removeprefix("vault:").split("#")[0] for one in made.databases if one.password}
        assert {match[1] for match in re.finditer(r"\{\{resolve:secretsmanager:([^:]*):", text)} <= names


def test_a_password_is_a_dynamic_reference_and_never_a_parameter() -> None:
    document = template(config(databases=[{"name": "a", "password": "vault:secret/shop#password"}]))
    (database,) = of_type(document, "RDS::DBInstance")
    assert database["Properties"]["MasterUserPassword"] == "{{resolve:secretsmanager:secret/shop:SecretString:password}}"
    assert "ManageMasterUserPassword" not in database["Properties"]


def test_a_database_without_a_handle_has_its_password_made_by_aws() -> None:
    (database,) = of_type(template(config(databases=[{"name": "a"}])), "RDS::DBInstance")
    assert database["Properties"]["ManageMasterUserPassword"] is True


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"buckets": [{"name": "a", "tags": {"x": INJECTED}}]}, "buckets.0.tags.x"),
        ({"security_groups": [{"name": "a", "description": INJECTED}]}, "security_groups.0.description"),
        ({"servers": [{"name": "a", "instance_profile": INJECTED}]}, "servers.0.instance_profile"),
        ({"dns_zones": [{"domain": "a.example", "records": [{"type": "TXT", "values": [INJECTED]}]}]}, "dns_zones.0.records.0"),
        ({"buckets": [{"name": "a"}], "environment": INJECTED}, ""),
    ],
)
def test_a_text_that_cloudformation_would_resolve_is_left_out(fields: dict[str, Any], path: str) -> None:
    made = config(**fields)
    assert "resolve:" not in export(made).files[FILE]
    assert not path or path in reasons(made)


def test_a_persons_text_never_stands_inside_fn_sub() -> None:
    hostile = "${AWS::AccountId}"
    user_data = f"#!/bin/sh\necho {hostile}\n"
    document = template(config(servers=[{"name": "a", "user_data": user_data}]))
    (server,) = of_type(document, "EC2::Instance")
    assert isinstance(server["Properties"]["UserData"]["Fn::Base64"], str)
    assert "Fn::Sub" not in json.dumps(server)


def test_names_that_come_out_alike_have_logical_ids_of_their_own() -> None:
    document = template(config(buckets=[{"name": "a-b"}, {"name": "ab"}, {"name": "a-B".lower()}]))
    assert len(of_type(document, "S3::Bucket")) == 2
    assert len(template(config(queues=[{"name": "ab-c"}, {"name": "ab--c"}]))["Resources"]) == 2


def test_what_keeps_data_outlives_its_stack() -> None:
    document = template(every_kind())
    for kind in ("RDS::DBInstance", "S3::Bucket", "EFS::FileSystem", "KMS::Key", "EC2::Volume"):
        kept = [one for one in of_type(document, kind) if "SourceDBInstanceIdentifier" not in one["Properties"]]
        assert kept
        assert all(one["DeletionPolicy"] == one["UpdateReplacePolicy"] != "Delete" for one in kept), kind


def test_a_resource_of_another_provider_or_region_is_listed() -> None:
    made = config(buckets=[{"name": "a", "provider": "gcp"}, {"name": "b", "region": "us-east-1"}, {"name": "c"}])
    assert len(of_type(template(made), "S3::Bucket")) == 1
    assert "gcp" in reasons(made)["buckets.0"]
    assert "eu-west-1" in reasons(made)["buckets.1"]


@pytest.mark.parametrize("rules", [[], [{"direction": "egress", "protocol": "tcp", "from_port": 443, "cidrs": ["10.0.0.0/8"]}]])
def test_a_group_lets_out_only_what_its_egress_rules_say(rules: list[dict[str, Any]]) -> None:
    document = template(config(security_groups=[{"name": "a", "rules": rules}]))
    (group,) = of_type(document, "EC2::SecurityGroup")
    assert [rule["CidrIp"] for rule in group["Properties"]["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    assert [one["Properties"]["CidrIp"] for one in of_type(document, "EC2::SecurityGroupEgress")] == [
        cidr for rule in rules for cidr in rule["cidrs"]
    ]


def test_a_configuration_without_anything_at_aws_has_no_template() -> None:
    assert export(config(provider="hetzner", region=None, servers=[{"name": "a"}])).files == {}


def test_a_public_cluster_whose_networks_cannot_be_read_is_not_opened_to_everybody() -> None:
    made = config(clusters=[{"name": "a", "endpoint": {"public": True, "allowed_cidrs": ["::/0"]}}])
    (cluster,) = of_type(template(made), "EKS::Cluster")
    assert cluster["Properties"]["ResourcesVpcConfig"]["EndpointPublicAccess"] is False


@pytest.mark.parametrize(
    ("cron", "expected"),
    [
        ("@daily", "cron(0 5 * * ? *)"),
        ("30 2 * * 0", "cron(30 2 ? * SUN *)"),
        ("30 2 * * 7", "cron(30 2 ? * SUN *)"),
        ("05 02 1 * *", "cron(5 2 1 * ? *)"),
        ("30 2 1 * 1", None),
        ("*/5 * * * *", None),
        ("99 2 * * *", None),
        ("a b c d e", None),
    ],
)
def test_a_schedule_is_written_for_aws_or_not_at_all(cron: str, expected: str | None) -> None:
    assert schedule(cron) == expected
