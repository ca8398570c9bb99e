"""How servers, networks and volumes behave where things are refused, cut off, or changed by others: at a fake daemon."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from tests.provisioning.local import configurations
from tests.provisioning.local.conftest import made
from tests.provisioning.local.fake_lxd import FakeLxd
from tests.provisioning.worlds import Cut, Example, Journal, Values, World

from provisioning.errors import ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import NoCalls
from provisioning.providers.local import servers, waiting
from provisioning.providers.local.provider import LocalProvider
from provisioning.resource import Recorded


class Cancelled(NoCalls):
    """A person cancelled."""

    def is_cancelled(self) -> bool:
        return True


def test_waiting_for_an_address_ends_with_its_limit_or_a_cancellation(
    fake: FakeLxd, at_fake: LocalProvider, monkeypatch: pytest.MonkeyPatch
):
    fake.has_address = False
    monkeypatch.setattr(servers, "ADDRESS_LIMIT", 0.3)
    monkeypatch.setattr(waiting, "TELL_EVERY", 0)
    world = World(at_fake, Example("server.web", configurations.alone))
    journal = Journal()
    with pytest.raises(ProviderBusyError, match="in vain until"):
        at_fake.create(world.wanted("server.web"), journal)
    assert any("has an address, " in words for words in journal.reports)
    with pytest.raises(ProviderBusyError, match="cancelled"):
        at_fake.create(world.wanted("server.web"), Cancelled())
    fake.has_address = True
    assert at_fake.create(world.wanted("server.web"), NoCalls()).outputs["private_ip"]
    assert len(fake.instances) == 1


def updated(provider: LocalProvider, world: World, configuration: Callable[[str], Values], *paths: str) -> Any:
    """Update the world's main thing to another configuration."""
    world.example = replace(world.example, changed=configuration)
    return provider.update(world.main, world.wanted(world.address, world.changed), frozenset(paths), NoCalls())


def other_system(word: str) -> Values:
    """A server with another operating system."""
    values = configurations.alone(word)
    values["servers"][0]["spec"]["os"] = {"family": "debian", "version": "12"}
    return values


def test_what_cannot_change_in_place_is_refused(at_fake: LocalProvider):
    server = made(at_fake, lambda word: configurations.alone(word, disk=30), "server.web")
    for configuration, path in [
        (configurations.alone, "spec.disk_gb"),
        (other_system, "spec.os.family"),
        (lambda word: configurations.alone(word, disk=30, user_data="#!/bin/sh"), "user_data"),
    ]:
        with pytest.raises(ProviderError, match=r"cannot (shrink|change in place)"):
            updated(at_fake, server, configuration, path)
    volume = made(at_fake, configurations.volume, "volume.data")
    with pytest.raises(ProviderError, match="cannot shrink"):
        updated(at_fake, volume, lambda word: configurations.volume(word, 4), "size_gb")
    network = made(at_fake, configurations.network, "vpc.main", "subnet.front")
    moved = World(at_fake, Example("vpc.main", configurations.network))
    moved.made = network.made
    for address in ("vpc.main", "subnet.front"):
        wanted = replace(network.wanted(address), values={**network.things[address].values, "cidr": "198.19.250.0/26"})
        with pytest.raises(ProviderError, match="are chosen when it is made"):
            at_fake.update(network.made[address], wanted, frozenset({"cidr"}), NoCalls())


def test_a_disk_and_a_volume_grow(at_fake: LocalProvider):
    server = made(at_fake, configurations.alone, "server.web")
    grown = updated(at_fake, server, lambda word: configurations.alone(word, disk=40), "spec.disk_gb")
    assert grown.values["spec.disk_gb"] == 40
    volume = made(at_fake, configurations.volume, "volume.data")
    assert updated(at_fake, volume, lambda word: configurations.volume(word, 9), "size_gb").values["size_gb"] == 9


def test_a_server_that_moves_is_stopped_gets_another_interface_and_is_started_however_it_is_cut_off(
    fake: FakeLxd, at_fake: LocalProvider
):
    for number in (1, 2, 3):
        world = made(at_fake, configurations.in_subnet, "vpc.main", "subnet.front", "subnet.back", "server.web")
        world.address = "server.web"
        world.example = replace(world.example, changed=lambda word: configurations.in_subnet(word, "back"))
        wanted = world.wanted("server.web", world.changed)
        paths = frozenset({"networking.subnet"})
        journal = Journal(number)
        with pytest.raises(Cut):
            at_fake.update(world.main, wanted, paths, journal)
        assert journal.calls == ["StopInstance", "UpdateInstance", "StartInstance"][:number]
        moved = at_fake.update(world.main, wanted, paths, NoCalls())
        assert (moved.status, moved.values["networking.subnet"]) == ("running", "back")
        world.clear()


def test_a_server_leaves_its_network_for_the_default_profiles(fake: FakeLxd, at_fake: LocalProvider):
    world = made(at_fake, configurations.in_subnet, "vpc.main", "subnet.front", "server.web")
    world.address = "server.web"
    world.made.pop("vpc.main")
    world.made.pop("subnet.front")
    moved = updated(at_fake, world, configurations.alone, "networking.vpc", "networking.subnet")
    assert "eth0" not in fake.instances[moved.id]["devices"]
    assert "networking.vpc" not in moved.values


def test_a_stopped_server_stays_stopped_when_it_was_recorded_so(fake: FakeLxd, at_fake: LocalProvider):
    world = made(at_fake, configurations.alone, "server.web")
    fake.instances[world.main.id]["status"] = "Stopped"
    world.made["server.web"] = replace(world.main, status="stopped")
    assert updated(at_fake, world, configurations.changed_alone, "tags.Owner").status == "stopped"


def test_a_server_that_is_gone_is_not_updated(fake: FakeLxd, at_fake: LocalProvider):
    world = made(at_fake, configurations.alone, "server.web")
    fake.instances.clear()
    with pytest.raises(ProviderError, match="not at LXD any more"):
        updated(at_fake, world, configurations.changed_alone, "tags.Owner")


def test_a_name_that_somebody_has_already_is_not_taken_from_them(fake: FakeLxd, at_fake: LocalProvider):
    world = made(at_fake, configurations.in_subnet, "vpc.main", "subnet.front", "server.web")
    world.clear()
    again = World(at_fake, world.example)
    again.lineage = world.lineage
    first = at_fake.create(again.wanted("vpc.main"), NoCalls())
    # A server was renamed: its container keeps its name, and the address is free for another one.
    fake.networks[first.id]["config"]["user.prov.id"] = "vpc.renamed"
    fake.networks[first.id]["config"]["ipv4.address"] = "none"
    second = at_fake.create(again.wanted("vpc.main"), NoCalls())
    assert second.id != first.id


def with_networking(**own: Any) -> Callable[[str], Values]:
    """A network with other values."""
    return lambda word: configurations.network(word, **own)


@pytest.mark.parametrize(
    ("own", "address", "said"),
    [
        ({"vpc_cidr": "fd00::/64", "subnets": []}, "vpc.main", "IPv4"),
        ({"vpc_cidr": "198.19.77.0/30", "subnets": []}, "vpc.main", "at least eight"),
        ({"vpc_cidr": "198.19.77.1/24", "subnets": []}, "vpc.main", "host bits"),
        ({"vpc_cidr": "10.9.0.0/16", "subnets": []}, "vpc.main", "overlaps 10.9.9.0/24 of lxdbr0"),
        ({"subnets": [{"name": "front", "cidr": "192.0.2.0/26"}]}, "subnet.front", "not inside its network"),
    ],
)
def test_addresses_that_cannot_be_are_refused(at_fake: LocalProvider, own: Values, address: str, said: str):
    with pytest.raises(ProviderError, match=said) as caught:
        made(at_fake, with_networking(**own), *dict.fromkeys(["vpc.main", address]))
    assert caught.value.is_permanent


def test_two_subnets_cannot_overlap_and_one_without_a_network_is_refused(at_fake: LocalProvider):
    def overlapping(word: str) -> Values:
        values = configurations.network(word)
        values["networking"]["subnets"][1]["cidr"] = values["networking"]["subnets"][0]["cidr"].replace("/26", "/27")
        return values

    with pytest.raises(ProviderError, match="another subnet"):
        made(at_fake, overlapping, "vpc.main", "subnet.front", "subnet.back")
    with pytest.raises(ProviderError, match="names no network"):
        made(at_fake, configurations.network, "subnet.front")


def test_a_subnet_whose_addresses_are_all_taken_says_so(at_fake: LocalProvider):
    def small(word: str) -> Values:
        values = configurations.network(word)
        values["networking"]["subnets"][0]["cidr"] = f"{configurations.range_of(word)}.0/29"
        names = [f"web{number}" for number in range(4)]
        return values | {"servers": [configurations.server(networking={"subnet": "front"}) | {"name": name} for name in names]}

    world = made(at_fake, small, "vpc.main", "subnet.front", "server.web0", "server.web1", "server.web2")
    assert len({one.outputs["private_ip"] for address, one in world.made.items() if "web" in address}) == 3
    with pytest.raises(ProviderError, match="are taken"):
        at_fake.create(world.wanted("server.web3"), NoCalls())


def test_an_isolated_subnet_is_told_to_be_a_note_only(at_fake: LocalProvider):
    def isolated(word: str) -> Values:
        values = configurations.network(word)
        values["networking"]["subnets"][0]["tier"] = "isolated"
        return values

    journal = Journal()
    made(at_fake, isolated, "vpc.main", "subnet.front", journal=journal)
    assert any("noted only" in words for words in journal.reports)


def test_what_a_person_wrote_over_a_subnets_note_is_no_error(fake: FakeLxd, at_fake: LocalProvider):
    world = made(at_fake, configurations.network, "vpc.main", "subnet.front")
    config = fake.networks[world.made["vpc.main"].id]["config"]
    (key,) = [key for key in config if ".subnet." in key]
    for words in ("not json", "[1]"):
        config[key] = words
        read = at_fake.read(world.made["subnet.front"])
        assert read is not None
        assert (read.address, dict(read.values)) == ("", {})


def test_what_others_made_is_found_too(fake: FakeLxd, at_fake: LocalProvider):
    fake.networks["lxdbr0"]["config"]["ipv4.address"] = "none"
    fake.instances["theirs"] = {
        "name": "theirs", "type": "container", "status": "Frozen", "devices": {}, "profiles": ["default"],
        "config": {"image.os": "Ubuntu", "image.release": "noble", "limits.memory": "50%", "limits.cpu": "0-3"},
    }  # fmt: skip
    fake.volumes["default/theirs"] = {"name": "theirs", "config": {"size": "20GB"}}
    found = {one.id: one for one in at_fake.find_by_tag({})}
    assert {one.address for one in found.values()} == {""}
    assert "cidr" not in found["lxdbr0"].values
    theirs = found["theirs"]
    assert theirs.status == "stopped"
    assert (theirs.values["spec.os.family"], theirs.values["spec.memory_gb"], theirs.values["spec.cpu"]) == ("ubuntu", None, None)
    assert found["default/theirs"].values["size_gb"] == pytest.approx(18.626, abs=0.001)


@pytest.mark.parametrize(
    ("text", "size"), [("512MiB", 0.5), ("4GiB", 4), ("2TiB", 2048), ("1073741824", 1), ("10%", None), ("", None), ("2XiB", None)]
)
def test_sizes_are_read_as_lxd_writes_them(text: str, size: float | None):
    assert servers.gibibytes(text) == size


def test_user_data_goes_into_the_container_with_its_secrets_and_it_is_said_when_nothing_runs_it(
    fake: FakeLxd, at_fake: LocalProvider
):
    fake.code = 127
    handle = "vault:kv/app#token"
    example = Example(
        "server.web", lambda word: configurations.alone(word, user_data=f"#!/bin/sh\necho {handle}\n"), secrets={handle: "canary"}
    )
    world, journal = World(at_fake, example), Journal()
    found = world.make(journal)
    assert fake.instances[found.id]["config"]["cloud-init.user-data"] == "#!/bin/sh\necho canary\n"
    assert any("no cloud-init" in words for words in journal.reports)
    assert "canary" not in f"{found}{journal.reports}{journal.calls}"
    fake.code = 0
    quiet = Journal()
    at_fake.create(world.wanted("server.web"), quiet)
    assert not any("cloud-init" in words for words in quiet.reports)


def test_nothing_runs_in_a_container_that_is_stopped_or_gone_at_the_fake(fake: FakeLxd, at_fake: LocalProvider):
    name = made(at_fake, configurations.alone, "server.web").main.id
    fake.instances[name]["status"] = "Stopped"
    with pytest.raises(ProviderBusyError, match="is stopped"):
        at_fake.access(name).run(["id"])
    with pytest.raises(ProviderError, match="no container"):
        at_fake.access("none").run(["id"])


def test_a_command_answers_and_its_input_does_not_stay(fake: FakeLxd, at_fake: LocalProvider):
    access = at_fake.access(made(at_fake, configurations.alone, "server.web").main.id)
    ran = access.run(["cat"], given="secret", environment={"A": "b"}, user=7, folder="/srv")
    assert (ran.code, ran.output, ran.errors) == (0, "out", "err")
    assert fake.given == [b"secret"]
    assert fake.files == {}
    (asked,) = fake.ran
    assert "secret" not in str(asked)
    assert (asked["user"], asked["cwd"], asked["environment"]) == (7, "/srv", {"A": "b"})
    fake.code = 124
    with pytest.raises(ProviderSilentError):
        access.run(["sleep", "9"], limit=0)
    fake.script["POST", f"/1.0/instances/{access._name}/exec"] = [fake.operation(400, "no such container")]
    with pytest.raises(ProviderError, match="no such container"):
        access.run(["id"])
    with pytest.raises(ProviderError, match="absolute"):
        access.put("etc/motd", b"")
    access.put("/etc/motd", b"hello")
    assert access.get("/etc/motd") == b"hello"
    assert access.get("/etc/none") is None


@pytest.mark.parametrize("address", ["server.web", "volume.data"])
def test_a_backup_that_was_cut_off_at_any_call_is_completed_and_is_one(fake: FakeLxd, at_fake: LocalProvider, address: str):
    kept = fake.instances if address == "server.web" else fake.volumes
    world = made(at_fake, configurations.attached, "server.web", "volume.data")
    one = world.made[address]
    journal = Journal()
    backup = at_fake.back_up(one, "whole", journal)
    for number in range(1, len(journal.calls) + 1):
        before = len(kept)
        with pytest.raises(Cut):
            at_fake.back_up(one, f"cut {number}", Journal(number))
        at_fake.back_up(one, f"cut {number}", NoCalls())
        assert len(kept) == before + 1
        assert fake.snapshots == {}
    assert {found.id for found in at_fake.find_by_tag({})} >= {one.id}
    assert backup not in {found.id for found in at_fake.find_by_tag({})}
    steps = Journal()
    assert at_fake.restore(one, backup, steps).address == address
    for number in range(1, len(steps.calls) + 1):
        with pytest.raises(Cut):
            at_fake.restore(one, backup, Journal(number))
        restored = at_fake.restore(one, backup, NoCalls())
        assert (restored.id, restored.address) == (one.id, address)
    read = at_fake.read(world.made["volume.data"])
    assert read is not None
    assert read.values["attached_to"] == "web"


def test_what_holds_no_data_has_no_backup_and_what_is_no_backup_is_not_restored(at_fake: LocalProvider):
    network = made(at_fake, configurations.network, "vpc.main")
    with pytest.raises(ProviderError, match="holds no data"):
        at_fake.back_up(network.main, "x", NoCalls())
    world = made(at_fake, configurations.attached, "server.web", "server.other", "volume.data")
    for one, backup in ((world.made["server.web"], "nothing"), (world.made["server.web"], world.made["server.other"].id)):
        with pytest.raises(ProviderError, match="no backup"):
            at_fake.restore(one, backup, NoCalls())
    with pytest.raises(ProviderError, match="no backup"):
        at_fake.restore(world.made["volume.data"], "default/nothing", NoCalls())


def test_other_kinds_are_refused_wherever_they_turn_up(at_fake: LocalProvider):
    one = Recorded("database.main", "database", "local", "", "x", {}, {}, "", ())
    world = World(at_fake, Example("server.web", configurations.alone))
    for call in (
        lambda: at_fake.read(one),
        lambda: at_fake.delete(one, NoCalls()),
        lambda: at_fake.update(one, world.wanted("server.web"), frozenset(), NoCalls()),
    ):
        with pytest.raises(ProviderError, match="makes no database"):
            call()
