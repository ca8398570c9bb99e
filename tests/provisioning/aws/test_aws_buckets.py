"""What AWS does with buckets beside the contract: strangers, contents, logs, locks, policies."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.provisioning.aws.conftest import REGION
from tests.provisioning.aws.examples import base
from tests.provisioning.worlds import Example, Journal, drift

from provisioning.errors import ProviderError
from provisioning.providers.aws.provider import AwsProvider

Values = dict[str, Any]


def test_a_bucket_of_somebody_else_is_refused(make, client):
    world = make("bucket.shop")
    name = world.things[world.address].values["name"]
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "Owner", "Value": "them"}]})
    with pytest.raises(ProviderError, match="exists") as caught:
        world.make()
    assert "mport" in caught.value.hint
    s3.delete_bucket_tagging(Bucket=name)
    s3.put_object(Bucket=name, Key="theirs", Body=b"1")
    with pytest.raises(ProviderError, match="not empty"):
        world.make()
    s3.delete_object(Bucket=name, Key="theirs")
    s3.delete_bucket(Bucket=name)


def _plain_bucket(word: str, **more: Any) -> Values:
    # The tests' own client speaks plain HTTP, which a bucket of ours refuses unless it is told otherwise.
    return base(buckets=[{"name": f"shop-{word}", "secure_transport_only": False, **more}, {"name": f"logs-{word}"}])


def test_a_bucket_that_holds_something_is_not_deleted_and_not_backed_up(make, provider: AwsProvider, client):
    world = make(Example("bucket.shop-{word}", _plain_bucket))
    world.make()
    client("s3").put_object(Bucket=world.main.id, Key="one", Body=b"1")
    with pytest.raises(ProviderError, match="not empty") as caught:
        provider.delete(world.main, Journal())
    assert caught.value.is_permanent
    with pytest.raises(ProviderError, match="snapshot") as caught:
        provider.back_up(world.main, "before", Journal())
    assert "s3 sync" in caught.value.hint
    s3 = client("s3")
    for version in s3.list_object_versions(Bucket=world.main.id)["Versions"]:
        s3.delete_object(Bucket=world.main.id, Key="one", VersionId=version["VersionId"])


def _logged_bucket(word: str) -> Values:
    return _plain_bucket(word, log_bucket=f"logs-{word}")


def test_a_buckets_logs_go_to_another_one_and_stop_again(make, provider: AwsProvider, client):
    world = make(Example("bucket.shop-{word}", _logged_bucket, _plain_bucket))
    made = world.make()
    assert drift(made, world.main.values) == {}
    assert made.values["log_bucket"] == f"logs-{world.word}"
    found, changed = world.change()
    assert drift(found, changed.values) == {}
    wanted = world.wanted(world.address, world.changed)
    after = provider.read(replace(world.main, values=wanted.values))
    assert after is not None
    assert after.values.get("log_bucket") is None
    # The sandbox writes logs for real, and no tests' client may delete what a bucket of ours holds over plain HTTP.
    s3, logs = client("s3"), f"logs-{world.word}"
    s3.delete_bucket_policy(Bucket=logs)
    for version in s3.list_object_versions(Bucket=logs).get("Versions", ()):
        s3.delete_object(Bucket=logs, Key=version["Key"], VersionId=version["VersionId"])


def test_a_bucket_is_locked_from_its_first_moment(make, provider: AwsProvider):
    def locked(word: str) -> Values:
        return base(buckets=[{"name": f"locked-{word}", "object_lock": True}])

    made = make(Example("bucket.locked-{word}", locked)).make()
    assert made.values["object_lock"] is True


def test_what_somebody_wrote_into_a_buckets_policy_stays(make, provider: AwsProvider, client):
    world = make("bucket.shop")
    world.make()
    s3 = client("s3")
    policy = s3.get_bucket_policy(Bucket=world.main.id)["Policy"]
    who = {"AWS": "arn:aws:iam::123456789012:root"}
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": who, "Action": "s3:*", "Resource": "arn:aws:s3:::*"}
    policy = {**json.loads(policy), "Statement": [*json.loads(policy)["Statement"], theirs]}
    s3.put_bucket_policy(Bucket=world.main.id, Policy=json.dumps(policy))
    wanted = world.wanted(world.address)
    shall = replace(wanted, values={**wanted.values, "secure_transport_only": False})
    provider.update(world.main, shall, frozenset({"secure_transport_only"}), Journal())
    after = s3.get_bucket_policy(Bucket=world.main.id)["Policy"]
    assert "Theirs" in after
    assert "SecureTransport" not in after
