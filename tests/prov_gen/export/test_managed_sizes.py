"""A size of a managed service is exported as the machine that it is priced as."""

import json
from typing import Any

import pytest

from prov_corpus.catalogue import SIZES
from prov_corpus.catalogue.managed_sizes import managed_sku
from prov_gen.export import cloudformation, terraform
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.estimate import estimate
from prov_judge.prices.book import PriceBook

# Where Terraform says the machine: type of the resource, and the attribute's steps.
WRITTEN = {
    ("aws", "databases"): ("aws_db_instance", ("instance_class",)),
    ("aws", "caches"): ("aws_elasticache_replication_group", ("node_type",)),
    ("gcp", "databases"): ("google_sql_database_instance", ("settings", "tier")),
}
KINDS = {"databases": "database", "caches": "cache"}
ENGINES = {"databases": "mysql", "caches": "redis"}


def sized(provider: str, field: str, size: str, **more: Any) -> InfrastructureConfig:
    record = {"name": "one", "engine": ENGINES[field], "plan": size, **more}
    return InfrastructureConfig.model_validate({"provider": provider, field: [record]})


def written(config: InfrastructureConfig, provider: str, field: str) -> str:
    kind, steps = WRITTEN[provider, field]
    value = json.loads(terraform.export(config).files[terraform.FILE])["resource"][kind]["one"]
    for step in steps:
        value = value[step]
    return str(value)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("provider", "field"), WRITTEN)
def test_terraform_has_the_machine_that_the_estimate_is_for(provider: str, field: str, size: str) -> None:
    config = sized(provider, field, size)
    machine = written(config, provider, field)
    assert machine == managed_sku(provider, KINDS[field], size)  # type: ignore[arg-type]  # a kind of the table above
    (cost,) = estimate(config, book=PriceBook.shipped()).resources
    assert cost.parts[0].name.endswith(f"({machine})")
    assert cost.parts[0].price is not None


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("field", "kind", "name"), [
    ("databases", "RDS::DBInstance", "DBInstanceClass"), ("caches", "ElastiCache::ReplicationGroup", "CacheNodeType"),
])  # fmt: skip
def test_cloudformation_has_the_machine_that_terraform_has(field: str, kind: str, name: str, size: str) -> None:
    config = sized("aws", field, size)
    document = json.loads(cloudformation.export(config).files[cloudformation.FILE])
    (found,) = [one for one in document["Resources"].values() if one["Type"] == f"AWS::{kind}"]
    assert found["Properties"][name] == written(config, "aws", field)


def test_a_read_replica_is_the_same_machine() -> None:
    config = sized("aws", "databases", "large", replicas=1)
    resources = json.loads(terraform.export(config).files[terraform.FILE])["resource"]["aws_db_instance"]
    assert resources["one_replica_1"]["instance_class"] == resources["one"]["instance_class"]


@pytest.mark.parametrize(
    ("size", "tier"),
    [
        ("small", "db-g1-small"),
        ("medium", "db-custom-1-3840"),
        ("large", "db-custom-2-7680"),
        ("xlarge", "db-custom-4-15360"),
        ("db-n1-standard-8", "db-custom-8-30720"),
    ],
)
def test_google_calls_the_same_machine_otherwise_for_postgresql(size: str, tier: str) -> None:
    assert written(sized("gcp", "databases", size, engine="postgresql"), "gcp", "databases") == tier


@pytest.mark.parametrize("plan", ["medium", "db.m6g.large"])
def test_sql_server_is_never_put_on_an_arm_machine_and_that_is_told(plan: str) -> None:
    config = sized("aws", "databases", plan, engine="sqlserver")
    for done in (terraform.export(config), cloudformation.export(config)):
        assert ("databases", 0, "plan") in [entry.path for entry in done.not_carried]
    document = json.loads(cloudformation.export(config).files[cloudformation.FILE])
    assert document["Resources"]["OneDatabase"]["Properties"]["DBInstanceClass"] == {"Ref": "ClassOfOne"}
    assert written(config, "aws", "databases") == "${var.class_of_one}"
    assert "class_of_one" in json.loads(terraform.export(config).files[terraform.FILE])["variable"]


def test_sql_server_keeps_a_class_that_it_runs_on() -> None:
    config = sized("aws", "databases", "db.m5.large", engine="sqlserver")
    assert written(config, "aws", "databases") == "db.m5.large"
