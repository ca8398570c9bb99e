"""Roles that an export writes may do what AWS's documentation asks for, to the resources that it is for, and no more."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from export_cases import EVERY_KIND
from prov_gen.export import cloudformation, terraform
from prov_gen.model.infrastructure import InfrastructureConfig

# Policies of AWS's own for a service's role. None is for everything of a service.
MANAGED = {
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonEKSClusterPolicy",
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AWSBackupServiceRolePolicyForBackup",
    "AWSBackupServiceRolePolicyForRestores",
    "AWSBackupServiceRolePolicyForS3Backup",
}
COPIED = [
    {"name": "a", "replicate_to": "eu-central-1"},
    {"name": "b", "encryption": "kms", "replicate_to": "eu-central-1"},
    {"name": "c", "encryption": "kms", "kms_key": "data", "replicate_to": "us-west-2"},
]


def config() -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(EVERY_KIND | {"buckets": [*EVERY_KIND["buckets"], *COPIED]})


def resources(made: InfrastructureConfig) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(terraform.export(made).files[terraform.FILE])["resource"]
    return found


def statements(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["Statement"]
    return found


def terraform_roles() -> Iterator[dict[str, Any]]:
    for body in resources(config())["aws_iam_role_policy"].values():
        yield from statements(body["policy"])


def cloudformation_roles() -> Iterator[dict[str, Any]]:
    document = json.loads(cloudformation.export(config()).files[cloudformation.FILE])
    for one in document["Resources"].values():
        for inline in one["Properties"].get("Policies", []) if one["Type"] == "AWS::IAM::Role" else []:
            yield from inline["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("found", [terraform_roles, cloudformation_roles])
def test_no_role_may_do_everything_or_reach_everything(found: Any) -> None:
    seen = list(found())
    assert seen
    for statement in seen:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        assert not [action for action in actions if "*" in action]
        assert statement["Resource"] != "*"


def test_only_known_policies_of_aws_are_attached() -> None:
    attached = resources(config())["aws_iam_role_policy_attachment"].values()
    assert {body["policy_arn"].rpartition("/")[2] for body in attached} <= MANAGED
    document = json.loads(cloudformation.export(config()).files[cloudformation.FILE])
    managed = [arn for one in document["Resources"].values() for arn in one["Properties"].get("ManagedPolicyArns", [])]
    assert {arn["Fn::Sub"].rpartition("/")[2] for arn in managed if "Fn::Sub" in arn} <= MANAGED


def test_the_role_of_a_copy_reads_its_bucket_and_writes_the_copy() -> None:
    made = resources(config())
    source, target = "${aws_s3_bucket.a.arn}", "${aws_s3_bucket.a_replica.arn}"
    assert {one["Resource"]: one["Action"] for one in statements(made["aws_iam_role_policy"]["_replication_a"]["policy"])} == {
        source: ["s3:GetReplicationConfiguration", "s3:ListBucket"],
        f"{source}/*": ["s3:GetObjectVersionForReplication", "s3:GetObjectVersionAcl", "s3:GetObjectVersionTagging"],
        f"{target}/*": ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
    }
    assert made["aws_s3_bucket_replication_configuration"]["a"]["role"] == "${aws_iam_role._replication_a.arn}"


@pytest.mark.parametrize(
    ("bucket", "key", "copy", "region"),
    [
        ("b", "${data.aws_kms_key._s3_eu_west_1.arn}", "${data.aws_kms_key._s3_eu_central_1.arn}", "eu-central-1"),
        ("c", "${aws_kms_key.data.arn}", "${data.aws_kms_key._s3_us_west_2.arn}", "us-west-2"),
    ],
)
def test_the_role_of_an_encrypted_copy_uses_two_keys_by_way_of_s3(bucket: str, key: str, copy: str, region: str) -> None:
    made = resources(config())
    found = statements(made["aws_iam_role_policy"][f"_replication_{bucket}"]["policy"])[-2:]
    assert [(one["Action"], one["Resource"], one["Condition"]["StringEquals"]["kms:ViaService"]) for one in found] == [
        ("kms:Decrypt", key, "s3.eu-west-1.amazonaws.com"),
        ("kms:Encrypt", copy, f"s3.{region}.amazonaws.com"),
    ]
    (rule,) = made["aws_s3_bucket_replication_configuration"][bucket]["rule"]
    assert rule["destination"]["encryption_configuration"]["replica_kms_key_id"] == copy


def test_the_role_of_flow_logs_writes_into_their_own_group() -> None:
    first, second = statements(resources(config())["aws_iam_role_policy"]["_flow_logs_main"]["policy"])
    group = "${aws_cloudwatch_log_group.main_flow.arn}"
    assert first["Resource"] == [group, f"{group}:*"]
    assert second["Action"] == "logs:DescribeLogGroups"


def test_a_role_whose_name_is_too_long_for_aws_has_none() -> None:
    buckets = [{"name": name, "replicate_to": "eu-central-1"} for name in ("b" * 40, "c")]
    made = InfrastructureConfig.model_validate({"name": "n" * 40, "buckets": buckets})
    roles = resources(made)["aws_iam_role"]
    assert "name" not in roles[f"_replication_{'b' * 40}"]
    assert roles["_replication_c"]["name"] == f"{'n' * 40}-replication-c"
