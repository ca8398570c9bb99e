"""What a server at UpCloud comes with, how it changes, and what goes with it."""

from dataclasses import replace

import pytest
from tests.provisioning.upcloud.examples import GROUPS, NETWORK, config, server, volume
from tests.provisioning.upcloud.fake import FakeUpCloud
from tests.provisioning.worlds import Journal, World, drift

from provisioning.errors import ProviderBusyError, ProviderError
from provisioning.providers.base import Account, NoCalls
from provisioning.providers.upcloud.cloud import Pace
from provisioning.providers.upcloud.provider import UpCloud

WEB = config(security_groups=GROUPS, servers=[server()])


def asked(fake: FakeUpCloud, number: int = 0) -> dict:
    return fake.sent("POST", "/server")[number].body["server"]


def test_a_server_is_made_whole_in_one_call(fake, build):
    world = build(WEB)
    body = asked(fake)
    assert body["plan"] == "2xCPU-4GB"
    assert body["zone"] == "de-fra1"
    assert body["firewall"] == "on"
    (disk,) = body["storage_devices"]["storage_device"]
    assert (disk["action"], disk["size"], disk["tier"], disk["encrypted"]) == ("clone", 50, "maxiops", "yes")
    assert {one["key"] for one in disk["labels"]} == {"Team", "prov-id", "prov-lineage", "prov-part"}
    subnet = world.made["subnet.front"].id
    assert [(one["type"], one.get("network")) for one in body["networking"]["interfaces"]["interface"]] == [
        ("public", None), ("private", subnet),
    ]  # fmt: skip
    made = world.made["server.web"]
    assert made.outputs["public_ip"].startswith("94.237.")
    assert made.outputs["private_ip"].startswith("172.17.")
    assert made.parts["network"] == subnet


def test_the_answer_s_password_is_a_secret_output_and_with_keys_there_is_none(account: Account, provider: UpCloud, build):
    world = build(config())
    wanted = build(config(servers=[server(networking={}, backup=None)])).wanted("server.web")
    first = provider.create(replace(wanted, address="server.one", tags={**wanted.tags, "prov:id": "server.one"}), NoCalls())
    assert dict(first.secret_outputs) == {"password": "made-for-this-server"}
    assert "made-for-this-server" not in repr(first)
    with_keys = UpCloud(
        replace(account, options={"ssh_keys": "ssh-ed25519 AAAA one\n\nssh-ed25519 BBBB two\n"}), pace=Pace(0.001, 20)
    )
    second = with_keys.create(replace(wanted, address="server.two", tags={**wanted.tags, "prov:id": "server.two"}), NoCalls())
    assert dict(second.secret_outputs) == {}
    assert world.made
    with_keys.close()


def test_user_data_has_the_values_of_its_handles(fake: FakeUpCloud, provider: UpCloud, build):
    wanted = build(config(servers=[server(networking={}, user_data="#cloud-config\npassword: vault:secret/app#pw")])).wanted(
        "server.web"
    )
    wanted = replace(
        wanted, address="server.x", tags={**wanted.tags, "prov:id": "server.x"}, secrets={"vault:secret/app#pw": "opened-value"}
    )
    provider.create(wanted, NoCalls())
    assert asked(fake, 1)["user_data"] == "#cloud-config\npassword: opened-value"
    assert "opened-value" not in repr(wanted)


def test_a_size_without_a_plan_is_a_custom_one(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(config(servers=[server(networking={})]))
    wanted = world.wanted("server.web")
    values = {**wanted.values, "plan": None, "spec": {**wanted.values["spec"], "cpu": 3, "memory_gb": 5}}
    wanted = replace(wanted, values=values, tags={**wanted.tags, "prov:id": "server.odd"})
    found = provider.create(wanted, NoCalls())
    assert found.values["spec.cpu"] == 3
    assert found.values["spec.memory_gb"] == 5
    assert asked(fake, 1)["plan"] == "custom"
    with pytest.raises(ProviderError, match="neither a plan nor cores"):
        provider.create(
            replace(
                wanted, tags={**wanted.tags, "prov:id": "server.no"}, values={**values, "spec": {**values["spec"], "cpu": None}}
            ),
            NoCalls(),
        )


@pytest.mark.parametrize(
    ("version", "uuid"), [("24.04.1", "01000000-0000-4000-8000-000030240200"), ("24.04", "01000000-0000-4000-8000-000030240200")]
)
def test_the_template_is_that_of_the_release(fake: FakeUpCloud, build, version, uuid):
    build(config(servers=[server(networking={}, spec={"os": {"family": "ubuntu", "version": version}})]))
    assert asked(fake)["storage_devices"]["storage_device"][0]["storage"] == uuid


def test_a_private_template_is_taken_where_there_is_no_public_one(fake: FakeUpCloud, build):
    build(config(servers=[server(networking={}, spec={"os": {"family": "alpine", "version": "3.22"}})]))
    assert asked(fake)["storage_devices"]["storage_device"][0]["storage"].startswith("01b")


def test_a_release_without_a_template_is_refused_and_the_others_are_named(build):
    with pytest.raises(ProviderError) as caught:
        build(config(servers=[server(networking={}, spec={"os": {"family": "ubuntu", "version": "18.04"}})]))
    assert caught.value.is_permanent
    assert "ubuntu-24.04" in caught.value.hint
    assert "debian-13" in caught.value.hint


def test_a_backup_that_upcloud_cannot_make_is_refused_before_anything_is_made(fake: FakeUpCloud, build):
    with pytest.raises(ProviderError, match="'@hourly'"):
        build(config(servers=[server(networking={}, backup={"schedule": "@hourly"})]))
    assert fake.sent("POST", "/server") == []


def test_a_plan_is_changed_while_the_server_is_off_and_it_runs_afterwards(build, change):
    world = build(WEB)
    found, journal = change(world, "server.web", config(security_groups=GROUPS, servers=[server(plan="4xCPU-8GB")]))
    assert journal.calls == ["StopServer", "ModifyServer", "StartServer"]
    assert found.status == "running"
    assert any("waiting for server" in words and "'started'" in words for words in journal.reports)


def test_a_disk_grows_while_the_server_is_off(build, change):
    world = build(WEB)
    spec = {"disk_gb": 80, "os": {"family": "debian", "version": "12"}}
    found, journal = change(world, "server.web", config(security_groups=GROUPS, servers=[server(spec=spec)]))
    assert journal.calls == ["StopServer", "ModifyStorage", "StartServer"]
    assert found.values["spec.disk_gb"] == 80


def test_a_server_moves_to_another_subnet(build, change):
    world = build(WEB)
    moved = server(networking={**server()["networking"], "subnet": "back"})
    found, journal = change(world, "server.web", config(security_groups=GROUPS, servers=[moved]))
    assert journal.calls == ["StopServer", "DeleteNetworkInterface", "CreateNetworkInterface", "StartServer"]
    assert found.parts["network"] == world.made["subnet.back"].id


def test_a_server_that_names_no_subnet_is_in_its_vpc_s_own_network(build):
    world = build(config(servers=[server(networking={})]))
    assert world.made["server.web"].parts["network"] == world.made["vpc.main"].parts["network"]


def test_a_server_without_any_network_has_the_utility_interface(fake: FakeUpCloud, build):
    alone = {**config(servers=[server(networking={})]), "networking": None}
    world = build(alone)
    assert [one["type"] for one in asked(fake)["networking"]["interfaces"]["interface"]] == ["utility"]
    assert "public_ip" not in world.made["server.web"].outputs


def test_a_name_changes_without_a_restart(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    wanted = world.wanted("server.web")
    renamed = replace(wanted, values={**wanted.values, "name": "www"})
    journal = Journal()
    found = provider.update(world.made["server.web"], renamed, frozenset({"name"}), journal)
    assert journal.calls == ["ModifyServer"]
    assert found.values["name"] == "www"
    assert fake.store.servers[found.id]["hostname"] == "www"


def test_a_server_without_groups_any_more_has_its_firewall_off(fake: FakeUpCloud, build, change):
    world = build(WEB)
    open_one = server(networking={**server()["networking"], "security_groups": []})
    found, _ = change(world, "server.web", config(security_groups=GROUPS, servers=[open_one]))
    assert fake.store.servers[found.id]["firewall"] == "off"
    assert fake.store.firewalls[found.id] == []


def test_a_public_server_without_a_firewall_is_told_of(provider: UpCloud, build):
    world = build(config(servers=[server(networking={"public_ip": True})]))
    journal = Journal()
    provider.create(world.wanted("server.web"), journal)
    assert any("every port of it is open" in words for words in journal.reports)


def test_of_two_with_the_same_labels_every_attempt_takes_the_older(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(config(servers=[server()], security_groups=GROUPS))
    one = world.made["server.web"]
    younger = {**fake.store.servers[one.id], "uuid": "00000000-0000-4000-8000-000000000000", "created": 1_900_000_000}
    fake.store.servers = {younger["uuid"]: younger, **fake.store.servers}
    assert provider.create(world.wanted("server.web"), Journal()).id == one.id


def test_volumes_survive_their_server(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(volume(""))
    journal = Journal()
    provider.delete(world.made["server.web"], journal)
    assert journal.calls == ["StopServer", "DetachStorage", "DeleteServer"]
    left = provider.read(world.made["volume.data"])
    assert left is not None
    assert left.values["attached_to"] is None
    assert fake.objects(world.lineage)["storages"] == 2  # the volume, and the disk of the other server


def test_a_disk_that_was_left_behind_is_deleted_with_its_server(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    one = world.made["server.web"]
    row = fake.store.servers.pop(one.id)
    fake.store.storages[row["storage_devices"]["storage_device"][0]["storage"]]["servers"]["server"] = []
    assert provider.read(one) is None
    journal = Journal()
    provider.delete(one, journal)
    assert journal.calls == ["DeleteStorage"]
    assert fake.objects(world.lineage)["storages"] == 0


def test_what_is_gone_cannot_be_updated(fake: FakeUpCloud, provider: UpCloud, build):
    world = build(WEB)
    one = world.made["server.web"]
    fake.store.servers.clear()
    with pytest.raises(ProviderError, match="gone") as caught:
        provider.update(one, world.wanted(one.address), frozenset({"plan"}), NoCalls())
    assert caught.value.is_permanent


def test_a_server_in_error_is_waited_for_and_then_left_for_later(fake: FakeUpCloud, account: Account, build):
    world = build(WEB)
    one = world.made["server.web"]
    fake.store.servers[one.id]["state"] = "error"
    hasty = UpCloud(account, pace=Pace(0.001, 0.02))
    with pytest.raises(ProviderBusyError, match="'error'"):
        hasty.update(one, world.wanted(one.address), frozenset({"plan"}), NoCalls())
    read = hasty.read(one)
    assert read is not None
    assert read.status == "failed"
    hasty.close()


@pytest.mark.parametrize("address", ["server.web", "volume.data"])
def test_a_backup_is_made_once(fake: FakeUpCloud, provider: UpCloud, build, address):
    world = build(volume(""))
    one = world.made[address]
    first = provider.back_up(one, "before change 7", Journal())
    assert provider.back_up(one, "before change 7", Journal()) == first
    assert provider.back_up(one, "before change 8", Journal()) != first
    assert fake.store.storages[first]["origin"] == (one.id if address == "volume.data" else one.parts["disk"])


def test_what_has_no_data_cannot_be_backed_up(provider: UpCloud, build):
    world = build(config())
    with pytest.raises(ProviderError, match="nothing that UpCloud could back up"):
        provider.back_up(world.made["vpc.main"], "x", NoCalls())


def test_a_volume_grows_while_it_is_taken_off(build, change):
    world = build(volume(""))
    larger = {**volume(""), "volumes": [{"name": "data", "size_gb": 40, "type": "gp3", "attached_to": "db", "backup": {}}]}
    found, journal = change(world, "volume.data", larger)
    assert journal.calls == ["DetachStorage", "ModifyStorage", "AttachStorage"]
    assert found.values["size_gb"] == 40
    assert found.outputs["server"] == world.made["server.db"].id


def test_two_subnets_that_overlap_are_refused_in_upcloud_s_words(build):
    overlapping = {**NETWORK, "subnets": [{"name": "one", "cidr": "10.0.1.0/24"}, {"name": "two", "cidr": "10.0.1.128/25"}]}
    with pytest.raises(ProviderError, match="NETWORKS_OVERLAP") as caught:
        build(config(networking=overlapping))
    assert caught.value.is_permanent


def test_a_vpc_whose_own_network_was_deleted_shows_it_and_gets_another(fake: FakeUpCloud, provider: UpCloud, build):
    world: World = build(config())
    one = world.made["vpc.main"]
    del fake.store.networks[one.parts["network"]]
    read = provider.read(one)
    assert read is not None
    assert drift(read, one.values) == {"cidr": ("10.0.0.0/16", None)}
    provider.update(one, world.wanted(one.address), frozenset({"cidr"}), NoCalls())
    again = provider.read(one)
    assert again is not None
    assert drift(again, one.values) == {}
