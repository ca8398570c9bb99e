"""What AWS does beside the contract: accounts, catalogue, circles, strangers, protection, backups, many at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.provisioning.aws.conftest import REGION, account
from tests.provisioning.aws.examples import BY_NAME, base
from tests.provisioning.worlds import Example, Journal, World, drift

from provisioning.errors import ProviderAccountError, ProviderError
from provisioning.providers.aws.client import Clients, token_of
from provisioning.providers.aws.provider import AwsProvider
from provisioning.providers.base import Account, NoCalls
from provisioning.resource import Recorded

Values = dict[str, Any]


def test_the_catalogue_names_what_the_region_has(provider: AwsProvider):
    found = provider.catalogue()
    assert REGION in found.regions
    assert f"{REGION}a" in found.zones
    assert "t3.small" in found.plans
    assert "ubuntu" in found.images
    assert all(zone.startswith("eu-west-3") for zone in provider.catalogue("eu-west-3").zones)


def test_an_account_without_credentials_says_how_to_give_them(endpoint: str):
    provider = AwsProvider(Account("bare", "aws", REGION, endpoint))
    (check,) = provider.test()
    assert check.verdict == "failed"
    assert "access_key_id" in check.hint
    with pytest.raises(ProviderAccountError):
        provider.catalogue()


def test_credentials_come_from_a_profile_or_the_environment(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "config"
    file.write_text("[profile shop]\naws_access_key_id = a\naws_secret_access_key = b\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(file))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    by_profile = AwsProvider(Account("p", "aws", REGION, endpoint, options={"profile": "shop"}))
    assert by_profile.test()[0].verdict == "ok"
    by_profile.close()
    unknown = AwsProvider(Account("p", "aws", REGION, endpoint, options={"profile": "nobody"}))
    assert unknown.test()[0].verdict == "failed"
    from_nothing = AwsProvider(Account("e", "aws", REGION, endpoint, options={"credentials": "environment"}))
    assert from_nothing.test()[0].verdict == "failed"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    from_environment = AwsProvider(Account("e", "aws", REGION, endpoint, options={"credentials": "environment"}))
    assert from_environment.test()[0].verdict == "ok"
    from_environment.close()


def test_threads_share_one_client_of_a_service(endpoint: str):
    clients = Clients(account(endpoint))
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: id(clients.get("ec2", REGION)), range(32)))
    assert len(made) == 1
    clients.close()


def test_a_token_is_the_same_for_a_step_and_another_for_each_part():
    assert token_of("step") == token_of("step")
    assert token_of("step") != token_of("step", "part")
    assert len(token_of("step", "part")) == 64


def _circle(_: str) -> Values:
    rules = {name: [{"from_port": 5432, "groups": [other]}] for name, other in (("web", "db"), ("db", "web"))}
    return base(security_groups=[{"name": name, "rules": rules[name]} for name in ("web", "db")])


def test_groups_that_name_each_other_are_made_first_and_joined_afterwards(provider: AwsProvider):
    world = World(provider, Example("security_group.web", _circle))
    world.keep("vpc.main", provider.create(world.wanted("vpc.main"), Journal()))
    first = world.make()
    values = world.things["security_group.web"].values
    missing = drift(first, values)
    assert [path for path in missing if path.startswith("rules[")]
    second = provider.create(world.wanted("security_group.db"), Journal())
    world.keep("security_group.db", second)
    assert drift(second, world.things["security_group.db"].values) == {}
    joined = provider.update(world.main, world.wanted(world.address), frozenset(missing), Journal())
    assert drift(joined, values) == {}
    world.clear()


def test_a_rule_that_somebody_added_is_drift_and_stays_until_a_plan_names_it(make, provider: AwsProvider, client):
    world = make("security_group.web")
    world.make()
    client("ec2").authorize_security_group_ingress(
        GroupId=world.main.id,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}],
    )
    found = provider.read(world.main)
    assert found is not None
    (path,) = drift(found, world.main.values)
    assert "22 22 0.0.0.0/0" in path
    wanted = world.wanted(world.address)
    kept = provider.update(world.main, wanted, frozenset({"rules[another]"}), Journal())
    assert path in drift(kept, world.main.values)
    assert drift(provider.update(world.main, wanted, frozenset({path}), Journal()), world.main.values) == {}


def test_tags_that_somebody_changed_are_drift(make, provider: AwsProvider, client):
    world = make("server.web-1")
    world.make()
    ec2 = client("ec2")
    ec2.delete_tags(Resources=[world.main.id], Tags=[{"Key": "Team"}])
    ec2.create_tags(Resources=[world.main.id], Tags=[{"Key": "Stage", "Value": "hacked"}, {"Key": "aws-theirs", "Value": "x"}])
    found = provider.read(world.main)
    assert found is not None
    differing = drift(found, world.main.values)
    assert differing == {"tags.Team": ("shop", None), "tags.Stage": (None, "hacked"), "tags.aws-theirs": (None, "x")}
    back = provider.update(world.main, world.wanted(world.address), frozenset(differing), Journal())
    assert drift(back, world.main.values) == {}


def test_a_stopped_server_is_told_and_started_again_by_a_resize(make, provider: AwsProvider, client):
    world = make("server.web-1")
    world.make()
    client("ec2").stop_instances(InstanceIds=[world.main.id])
    found = provider.read(world.main)
    assert found is not None
    assert found.status == "stopped"
    assert "networking.public_ip" not in found.values
    assert provider.update(world.main, world.wanted(world.address), frozenset({"plan"}), Journal()).status == "running"


def test_a_profile_is_given_exchanged_and_taken(make, provider: AwsProvider, client):
    iam = client("iam")
    for name in ("reader", "writer"):
        iam.create_instance_profile(InstanceProfileName=name)
    world = make("server.web-1")
    world.make()
    wanted = world.wanted(world.address)
    key = "IamInstanceProfileAssociations"
    for profile in ("reader", "writer", None):
        shall = replace(wanted, values={**wanted.values, "instance_profile": profile})
        found = provider.update(world.main, shall, frozenset({"instance_profile"}), Journal())
        # moto exchanges the association and goes on telling the old profile of the instance.
        assert profile == "writer" or drift(found, shall.values) == {}
        joined = client("ec2").describe_iam_instance_profile_associations()[key]
        names = [one["IamInstanceProfile"]["Arn"].rpartition("/")[2] for one in joined if one["InstanceId"] == found.id]
        assert names == ([profile] if profile else [])
    for name in ("reader", "writer"):
        iam.delete_instance_profile(InstanceProfileName=name)


def _bare_server(_: str) -> Values:
    return {"provider": "aws", "region": REGION, "servers": [{"name": "alone", "zone": f"{REGION}b", "plan": "t4g.small"}]}


def test_a_server_without_a_network_stands_in_the_default_one_on_its_own_kind_of_processor(make, client):
    world = make(Example("server.alone", _bare_server))
    made = world.make()
    assert made.outputs["zone"] == f"{REGION}b"
    image = client("ec2").describe_images(ImageIds=[made.outputs["image"]])["Images"][0]
    assert image["Architecture"] == "arm64"
    assert "24.04" in image["Name"]


def _unknown_release(_: str) -> Values:
    return {"provider": "aws", "region": REGION, "servers": [{"name": "old", "spec": {"os": {"version": "6.06"}}}]}


def test_a_release_without_an_image_is_refused_with_what_to_do(make):
    with pytest.raises(ProviderError, match=r"6\.06") as caught:
        make(Example("server.old", _unknown_release)).make()
    assert caught.value.is_permanent
    assert caught.value.hint


@pytest.mark.parametrize("name", ["database.shop", "load_balancer.shop"])
def test_what_is_protected_is_not_deleted_unless_the_state_says_that_it_is_unprotected(make, provider: AwsProvider, name: str):
    world = make(name)
    wanted = world.wanted(world.address)
    protected = replace(wanted, values={**wanted.values, "deletion_protection": True})
    found = provider.create(protected, Journal())
    assert drift(found, protected.values) == {}
    one = Recorded(
        wanted.address, wanted.kind, "aws", REGION, found.id, protected.values, {}, "", (), parts=found.parts, tags=wanted.tags
    )
    with pytest.raises(ProviderError, match="protected") as caught:
        provider.delete(one, Journal())
    assert "deletion_protection" in caught.value.hint
    assert provider.read(one) is not None
    provider.delete(replace(one, values={**one.values, "deletion_protection": False}), Journal())
    assert provider.read(one) is None


@pytest.mark.parametrize("name", ["server.web-1", "volume.data", "database.shop"])
def test_a_backup_is_made_once_for_a_label_and_outlives_its_resource(make, provider: AwsProvider, client, name: str):
    world = make(name)
    world.make()
    first = provider.back_up(world.main, "before plan-1", Journal())
    assert provider.back_up(world.main, "before plan-1", Journal()) == first
    assert provider.back_up(world.main, "before plan-2", Journal()) != first
    provider.delete(world.main, Journal())
    if name.startswith("database"):
        assert client("rds").describe_db_snapshots(DBSnapshotIdentifier=first)["DBSnapshots"]
    else:
        assert client("ec2").describe_snapshots(SnapshotIds=first.split(","))["Snapshots"]


def test_a_database_without_a_password_gets_one_that_aws_keeps(make):
    def plain(word: str) -> Values:
        return {"provider": "aws", "region": REGION, "databases": [{"name": f"own-{word}", "deletion_protection": False}]}

    made = make(Example("database.own-{word}", plain)).make()
    assert made.outputs["password_secret"].startswith("arn:aws:secretsmanager:")
    assert not made.secret_outputs


def test_a_database_whose_handle_was_not_resolved_is_not_made(make):
    example = replace(BY_NAME["database.shop"], secrets={})
    with pytest.raises(ProviderError, match="not resolved"):
        make(example).make()


def test_a_database_is_renamed_in_place(make, provider: AwsProvider):
    world = make("database.shop")
    made = world.make()
    wanted = world.wanted(world.address)
    name = f"{wanted.values['name']}-new"
    renamed = replace(wanted, address=f"database.{name}", values={**wanted.values, "name": name})
    found = provider.update(world.main, renamed, frozenset({"name"}), Journal())
    assert found.id == name != made.id
    again = provider.update(world.main, renamed, frozenset({"name"}), Journal())
    assert again.id == name
    provider.delete(replace(world.main, id=name, parts=found.parts), Journal())


@pytest.mark.parametrize(
    ("field", "values", "words"),
    [
        ("databases", {"name": "d", "engine": "mongodb"}, "mongodb"),
        ("clusters", {"name": "c", "managed": False}, "not managed"),
        ("load_balancers", {"name": "l", "waf": True}, "firewall"),
        ("dns_zones", {"domain": "example.org", "dnssec": True}, "DNSSEC"),
        ("buckets", {"name": "b-copied", "replicate_to": "eu-west-1"}, "copy"),
        ("volumes", {"name": "v", "kms_key": "shop"}, "alias/shop"),
    ],
)
def test_what_this_provider_does_not_do_is_refused_in_words(provider: AwsProvider, field: str, values: Values, words: str):
    kind = {"databases": "database", "clusters": "kubernetes", "load_balancers": "load_balancer", "dns_zones": "dns"}
    name = values.get("name") or values["domain"]
    address = f"{kind.get(field, field[:-1])}.{name}"
    world = World(provider, Example(address, lambda _: {"provider": "aws", "region": REGION, field: [values]}))
    with pytest.raises(ProviderError, match=words) as caught:
        world.make()
    assert caught.value.is_permanent
    assert caught.value.hint
    for found in provider.find_by_tag(world.wanted(address).tags, REGION):
        provider.delete(replace_id(world, found.id), NoCalls())


def replace_id(world: World, id_: str) -> Recorded:
    wanted = world.wanted(world.address)
    return Recorded(wanted.address, wanted.kind, "aws", wanted.region, id_, wanted.values, {}, "", (), tags=wanted.tags)


def test_a_listener_that_is_secure_takes_its_certificate_by_its_name(provider: AwsProvider, client):
    acm = client("acm")
    arn = acm.request_certificate(DomainName="shop.example", Tags=[{"Key": "Name", "Value": "shop"}])["CertificateArn"]

    def secure(word: str) -> Values:
        configuration = BY_NAME["load_balancer.shop"].configuration(word)
        listener = {"port": 443, "protocol": "https", "target_port": 8080, "certificate": "shop"}
        configuration["load_balancers"][0] |= {"listeners": [listener], "tls_policy": "1.3"}
        configuration["certificates"] = [{"name": "shop", "domain": "shop.example"}]
        return configuration

    world = World(provider, Example("load_balancer.shop-{word}", secure))
    for address in list(world.things):
        if address.partition(".")[0] in ("vpc", "subnet", "security_group", "server"):
            world.keep(address, world.provider.create(world.wanted(address), Journal()))
    made = world.make()
    assert drift(made, world.main.values) == {}
    listener = client("elbv2").describe_listeners(LoadBalancerArn=made.id)["Listeners"][0]
    assert listener["Certificates"][0]["CertificateArn"] == arn
    assert "1-3" in listener["SslPolicy"]
    world.clear()
    acm.delete_certificate(CertificateArn=arn)


def test_a_private_zone_is_seen_by_the_configurations_networks(make, client):
    def private(word: str) -> Values:
        return base(dns_zones=[{"domain": f"inner-{word}.example", "private": True}])

    world = make(Example("dns.inner-{word}.example", private, besides=("vpc.main",)))
    made = world.make()
    assert made.values["private"] is True
    vpcs = client("route53").get_hosted_zone(Id=made.id)["VPCs"]
    assert [vpc["VPCId"] for vpc in vpcs] == [world.made["vpc.main"].id]


def test_a_record_that_somebody_else_made_is_not_overwritten(make, client):
    example = BY_NAME["dns_record.*.example.com/TXT"]
    world = make(example)
    zone = world.made[f"dns.example-{world.word}.com"].id
    theirs = {"Name": f"*.example-{world.word}.com", "Type": "TXT", "TTL": 5, "ResourceRecords": [{"Value": '"theirs"'}]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": theirs}]}
    client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    with pytest.raises(ProviderError, match="already"):
        world.make()
    with pytest.raises(ProviderError, match="not this configuration's"):
        world.provider.delete(world.made[f"dns.example-{world.word}.com"], Journal())
    change["Changes"][0]["Action"] = "DELETE"
    client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)


def test_a_thousand_resources_are_read_with_few_requests(provider: AwsProvider):
    region = "eu-north-1"  # where no other test pays for what moto remembers of them
    ec2 = provider._clients.get("ec2", region)
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/17")["Subnet"]["SubnetId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    started = ec2.run_instances(ImageId=image, MinCount=800, MaxCount=800, InstanceType="t3.small", SubnetId=subnet)
    servers = [one["InstanceId"] for one in started["Instances"]]
    volumes = [ec2.create_volume(AvailabilityZone=f"{region}a", Size=8)["VolumeId"] for _ in range(200)]
    values = {"networking": {"security_groups": []}, "spec": {}, "tags": {}, "plan": "t3.small", "size_gb": 8}
    ones = [
        Recorded(f"{kind}.{number}", kind, "aws", region, id_, values, {}, "", ())
        for kind, ids in (("server", servers), ("volume", volumes))
        for number, id_ in enumerate(ids)
    ]
    asked: list[str] = []
    ec2.meta.events.register("before-call.ec2", lambda model, **_: asked.append(model.name))
    begun = time.monotonic()
    found = provider.read_all(ones)
    print(f"1,000 resources in {time.monotonic() - begun:.1f} s with {len(asked)} requests")  # noqa: T201 - a figure for the report
    assert len(found) == 1000
    assert all(one is not None for one in found.values())
    assert len(asked) < 40
