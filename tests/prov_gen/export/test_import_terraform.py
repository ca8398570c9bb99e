"""Terraform that somebody else wrote: what has a place is read, the rest is listed with address and reason."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foreign_terraform import DOCUMENTS
from prov_gen.export.import_ import Imported, import_terraform
from prov_gen.export.import_.expand import MOST_IN_ALL
from prov_gen.export.import_.parse import LARGEST
from prov_gen.export.terraform import FILE, export
from prov_gen.layers.references import check_references
from prov_gen.model.infrastructure import InfrastructureConfig, dump_stated
from strategies import PROFILE
from stratumops.errors import InvalidInputError


def imported(document: dict[str, Any]) -> Imported:
    return import_terraform(json.dumps(document), "main.tf.json")


def reasons(done: Imported) -> dict[str, str]:
    return {".".join(map(str, entry.path)): entry.reason for entry in done.not_carried}


FOREIGN = {
    "provider": {"aws": {"region": "eu-central-1", "profile": "work"}},
    "resource": {
        "aws_vpc": {"this": {"cidr_block": "10.9.0.0/16"}},
        "aws_subnet": {"front_a": {"vpc_id": "${aws_vpc.this.id}", "cidr_block": "10.9.1.0/24"}},
        "aws_instance": {
            "my_server": {
                "instance_type": "t3.micro",
                "subnet_id": "${aws_subnet.front_a.id}",
                "vpc_security_group_ids": ["${aws_security_group.web_sg.id}"],
                "ebs_optimized": True,
                "root_block_device": {"volume_size": 30},
            }
        },
        "aws_security_group": {
            "web_sg": {
                "name": "web",
                "vpc_id": "${aws_vpc.this.id}",
                "ingress": [{"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"]}],
            }
        },
        "aws_s3_bucket": {"data": {"bucket": "data"}},
        "aws_s3_bucket_versioning": {
            "keep": {"bucket": "${aws_s3_bucket.data.id}", "versioning_configuration": {"status": "Enabled"}}
        },
    },
}


def test_a_foreign_document_becomes_a_configuration() -> None:
    config = imported(FOREIGN).config
    server = config.servers[0]
    assert (config.provider, config.region) == ("aws", "eu-central-1")
    assert (server.name, server.plan, server.spec.disk_gb) == ("my-server", "t3.micro", 30)
    assert (server.networking.subnet, server.networking.security_groups) == ("front-a", ["web"])
    assert config.security_groups[0].rules[0].from_port == 443
    assert config.buckets[0].versioning


def test_what_terraform_takes_for_a_missing_attribute_is_not_our_safer_default() -> None:
    config = imported(FOREIGN).config
    assert not config.servers[0].spec.encrypted_disk
    assert config.servers[0].metadata_tokens == "optional"
    assert not config.buckets[0].block_public
    assert not config.buckets[0].secure_transport_only


def test_what_has_no_place_is_listed_under_its_own_address() -> None:
    listed = reasons(imported(FOREIGN))
    assert listed["resource.aws_instance.my_server.ebs_optimized"] == "a configuration has no place for it"
    assert listed["provider.aws.profile"] == "how Terraform reaches the provider"


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"module": {"vpc": {"source": "./vpc"}}}, "module.vpc"),
        ({"data": {"aws_caller_identity": {"me": {"provider": "aws.x"}}}}, "data.aws_caller_identity.me"),
        ({"output": {"ip": {"value": "${aws_instance.a.public_ip}"}}}, "output.ip"),
        ({"resource": {"aws_dax_cluster": {"x": {"a": 1}}}}, "resource.aws_dax_cluster.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"count": "${var.n}"}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"count": 101}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"count": 0}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"count": True}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"for_each": "${var.names}"}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"for_each": []}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"for_each": ["a b", "a-b"]}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_sqs_queue": {"x": {"count": 1}, "x-0": {}}}}, "resource.aws_sqs_queue.x"),
        ({"resource": {"aws_ecr_repository": {"x": {"force_delete": "${var.f}"}}}}, "resource.aws_ecr_repository.x.force_delete"),
        (
            {"resource": {"aws_ecr_repository": {"x": {"provisioner": [{"local-exec": {"command": "ls"}}]}}}},
            "resource.aws_ecr_repository.x.provisioner",
        ),
        (
            {"resource": {"aws_ecr_repository": {"x": {"dynamic": {"rule": {"for_each": [1]}}}}}},
            "resource.aws_ecr_repository.x.dynamic.rule.for_each",
        ),
        ({"terraform": {"backend": {"s3": {"bucket": "state"}}}}, "terraform.backend.s3.bucket"),
        ({"moved": [{"from": "a", "to": "b"}]}, "moved"),
        ({"resource": {"aws_sqs_queue": []}}, "resource.aws_sqs_queue"),
    ],
)
def test_nothing_is_dropped_in_silence(block: dict[str, Any], path: str) -> None:
    assert path in reasons(imported(block))


def test_an_empty_block_of_a_module_is_listed_too() -> None:
    assert set(reasons(imported({"module": {"a": {}}, "data": {"aws_region": {"here": {}}}}))) == {
        "resource",
        "module.a",
        "data.aws_region.here",
    }


def test_a_record_that_the_models_refuse_says_why() -> None:
    document = {"resource": {"aws_instance": {"web": {"instance_type": "t3.small", "root_block_device": {"volume_size": 8}}}}}
    listed = reasons(imported(document))
    assert "disk_gb" in listed["resource.aws_instance.web.root_block_device.volume_size"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"resource": {\n  "a": }', "main.tf.json:2:8"),
        ('resource "aws_vpc" "x" {\n}', "written in HCL"),
        ("# a comment\nlocals {\n}", "written in HCL"),
        ("[1]", "no JSON object"),
        ("{}", "it is empty"),
        ('{"name": "web"}', "its keys are name"),
        ('{"format_version": "1.0", "values": {"root_module": {}}}', "a state as"),
        ('{"format_version": "1.2", "planned_values": {}, "resource_changes": []}', "a plan as"),
        ('{"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "resources": []}', "a state file"),
        ('{"AWSTemplateFormatVersion": "2010-09-09", "Resources": {}}', "a CloudFormation template"),
        ('{"a": 1, "a": 2}', "stands twice"),
        ('{"a": NaN}', "no JSON number"),
        ('{"a": ' + "[" * 5000 + "]" * 5000 + "}", "nested too deeply"),
        ('{"a": ' + "[" * 100 + "]" * 100 + "}", "nested too deeply"),
        ("", "main.tf.json:1:1"),
        (" " * (LARGEST + 1), "characters"),
    ],
)
def test_what_is_no_terraform_json_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        import_terraform(text, "main.tf.json")
    assert caught.value.hint


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.just("${a.b.c}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        [
            "name",
            "tags",
            "ingress",
            "vpc_id",
            "instance_type",
            "root_block_device",
            "rule",
            "provider",
            "records",
            "size",
            "ami",
            "settings",
        ]
    ),
    _JSON,
    max_size=4,
)
_TYPES = st.sampled_from(
    ["aws_instance", "aws_vpc", "aws_subnet", "aws_security_group", "aws_s3_bucket", "aws_eks_cluster", "aws_lb",
     "aws_lb_listener", "aws_route53_zone", "aws_route53_record", "aws_iam_policy", "aws_backup_vault",
     "hcloud_firewall", "google_compute_instance", "azurerm_network_security_group", "upcloud_server"]
)  # fmt: skip


@PROFILE
@given(
    st.dictionaries(st.sampled_from(["resource", "locals", "provider", "variable", "data", "terraform", "x"]), _JSON, max_size=4)
)
def test_no_document_makes_it_fail(document: dict[str, Any]) -> None:
    if document.keys() - {"x"}:
        imported(document)


@PROFILE
@given(st.dictionaries(_TYPES, st.dictionaries(st.sampled_from(["a", "b_c", "_x", "main"]), _ATTRIBUTES, max_size=2), max_size=4))
def test_no_resource_makes_it_fail(resources: dict[str, Any]) -> None:
    imported({"resource": resources})


@pytest.mark.parametrize("title", DOCUMENTS)
def test_what_others_write_is_carried_or_listed_and_refers_to_nothing_that_is_not_there(title: str) -> None:
    document, expected = DOCUMENTS[title]
    done = imported(document)
    assert set(reasons(done)) == expected
    assert [one.message for one in check_references(done.config) if one.code == "reference_missing"] == []
    assert rendered_again(done) == done.config


def rendered_again(done: Imported) -> InfrastructureConfig:
    return InfrastructureConfig.model_validate(dump_stated(done.config))


def test_a_literal_count_becomes_that_many_records_and_references_follow() -> None:
    config = imported(DOCUMENTS["a web tier with count"][0]).config
    assert [server.name for server in config.servers] == ["web-0", "web-1", "web-2"]
    assert {server.plan for server in config.servers} == {"t3.small"}
    assert [server.tags for server in config.servers] == [{"Number": "1"}, {"Number": "2"}, {"Number": "3"}]
    assert [(volume.name, volume.attached_to) for volume in config.volumes] == [("logs-0", "web-0"), ("logs-1", "web-1")]


def test_every_instance_of_a_splat_is_a_reference() -> None:
    group = {"resources": "${aws_ebs_volume.a[*].arn}", "name": "n", "plan_id": "${aws_backup_plan.n.id}"}
    resources = {
        "aws_ebs_volume": {"a": {"count": 2, "availability_zone": "eu-west-1a", "size": 8}},
        "aws_backup_vault": {"n": {"name": "n"}},
        "aws_backup_plan": {"n": {"name": "n"}},
        "aws_backup_selection": {"n": group},
    }
    assert imported({"resource": resources}).config.backup_plans[0].targets == ["a-0", "a-1"]


def test_a_name_at_the_provider_is_the_records_name_and_is_written_again() -> None:
    done = imported(DOCUMENTS["buckets of a for_each and a bucket with a name of its own"][0])
    assert [bucket.name for bucket in done.config.buckets] == ["acme-prod-invoices", "acme-red", "acme-blue", "odd"]
    assert [bucket.lifecycle and bucket.lifecycle.expire_days for bucket in done.config.buckets] == [None, 7, 30, None]
    written = json.loads(export(done.config).files[FILE])["resource"]["aws_s3_bucket"]
    assert {body["bucket"] for body in written.values()} >= {"acme-prod-invoices", "acme-red", "acme-blue"}


def test_an_engine_that_we_do_not_have_never_becomes_another_one() -> None:
    done = imported(DOCUMENTS["databases of engines that we have and of one that we have not"][0])
    assert [(one.name, one.engine) for one in done.config.databases] == [("orders-prod", "postgresql")]
    assert done.config.backup_plans[0].targets == ["orders-prod"]
    assert "aurora-postgresql" in reasons(done)["resource.aws_db_instance.events"]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("aws_elasticache_replication_group", {"engine": "memcached"}),
        ("aws_lb", {"load_balancer_type": "gateway"}),
        ("google_sql_database_instance", {"database_version": "SQLSERVER_2022_STANDARD"}),
        ("aws_db_instance", {"instance_class": "db.t3.micro"}),
    ],
)
def test_another_kind_of_thing_is_listed_as_a_whole(kind: str, body: dict[str, Any]) -> None:
    done = imported({"resource": {kind: {"x": body}}})
    assert set(reasons(done)) == {f"resource.{kind}.x"}


def test_a_wrong_type_is_called_one_and_what_follows_is_told() -> None:
    listed = reasons(imported(DOCUMENTS["wrong types"][0]))
    reason = listed["resource.aws_instance.web.instance_type"]
    assert reason.startswith("plan: it is a number, and a text is expected; without it the configuration means")
    assert "it is a text, and true or false is expected" in listed["resource.aws_instance.web.monitoring"]


def test_a_document_full_of_repetitions_does_not_grow_without_end() -> None:
    done = imported({"resource": {"aws_sqs_queue": {f"q{number}": {"count": 100} for number in range(20)}}})
    assert len(done.config.queues) == MOST_IN_ALL
    assert len(done.not_carried) == 10


def test_a_record_that_is_refused_takes_no_other_with_it() -> None:
    zones = {"bad": {"name": "_"}, "good": {"name": "example.com"}, "odd": {"name": 5}}
    done = imported({"resource": {"aws_route53_zone": zones}})
    assert [zone.domain for zone in done.config.dns_zones] == ["example.com"]
    assert set(reasons(done)) == {"resource.aws_route53_zone.bad", "resource.aws_route53_zone.odd"}
    assert all("domain" in reason for reason in reasons(done).values())


def test_what_is_a_default_anyway_is_not_stated() -> None:
    before = InfrastructureConfig.model_validate({"provider": "aws", "name": "shop", "databases": [{"name": "orders"}]})
    config = import_terraform(export(before).files[FILE], FILE).config
    assert "networking" not in config.model_fields_set
    assert config.databases[0].model_fields_set <= {"name", "version", "plan", "storage_type"}
