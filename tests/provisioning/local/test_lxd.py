"""What the provider makes at a real LXD, seen with LXD's own client and from inside the containers."""

import ipaddress
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from tests.provisioning.local import configurations
from tests.provisioning.local.conftest import local, made
from tests.provisioning.worlds import Journal, World

from lxd import Lxd
from provisioning.errors import ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import NoCalls
from provisioning.providers.local.provider import LocalProvider
from provisioning.resource import TAG_ADDRESS, TAG_LINEAGE

pytestmark = [pytest.mark.lxd, pytest.mark.timeout(240)]

WAIT = 30  # seconds


@pytest.fixture
def make(provider: LocalProvider) -> Iterator[Callable[..., World]]:
    """Make things of a configuration; they are deleted at the end."""
    worlds: list[World] = []

    def make(configuration: Callable[[str], Any], *addresses: str, at: LocalProvider | None = None) -> World:
        worlds.append(made(at or provider, configuration, *addresses))
        return worlds[-1]

    yield make
    for world in worlds:
        world.clear()


def text(provider: LocalProvider, name: str, *command: str) -> str:
    """What a command in a container writes."""
    ran = provider.access(name).run(command)
    assert ran.code == 0, ran.errors
    return ran.output


def test_a_server_has_its_limits_disk_address_and_marks_at_lxd(lxd: Lxd, provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.in_subnet, "vpc.main", "subnet.front", "server.web")
    server = world.made["server.web"]
    instance = lxd.client().instances.get(server.id)
    assert instance.status == "Running"
    assert instance.config["limits.cpu"] == "1"
    assert instance.config["limits.memory"] == "256MiB"
    assert instance.devices["root"]["size"] == "20GiB"
    assert instance.config["user.prov.id"] == "server.web"
    assert instance.config["user.prov.lineage"] == world.lineage
    assert instance.config["user.tag.Team"] == "web"
    address = server.outputs["private_ip"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(f"{configurations.range_of(world.word)}.0/26")
    assert address in text(provider, server.id, "ip", "address")
    (bridge,) = {instance.devices["eth0"]["network"], world.made["vpc.main"].id}
    assert lxd.client().networks.get(bridge).config["ipv4.nat"] == "false"


def test_servers_that_are_made_at_once_get_addresses_of_their_own_and_reach_each_other_across_subnets(
    provider: LocalProvider, make: Callable[..., World]
):
    world = make(configurations.in_subnet, "vpc.main", "subnet.front", "subnet.back")
    with ThreadPoolExecutor(2) as pool:
        web, other = pool.map(lambda address: provider.create(world.wanted(address), NoCalls()), ["server.web", "server.other"])
    world.keep("server.web", web)
    world.keep("server.other", other)
    assert other.values["networking.subnet"] == "back"
    text(provider, web.id, "ping", "-c", "1", "-W", "5", other.outputs["private_ip"])


def test_a_server_moves_to_another_subnet_and_gets_an_address_there(provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.in_subnet, "vpc.main", "subnet.front", "subnet.back", "server.web")
    server = world.made["server.web"]
    world.example = replace(world.example, changed=lambda word: configurations.in_subnet(word, "back"))
    wanted = world.wanted("server.web", world.changed)
    moved = provider.update(server, wanted, frozenset({"networking.subnet"}), NoCalls())
    assert moved.status == "running"
    assert moved.values["networking.subnet"] == "back"
    assert ipaddress.ip_address(moved.outputs["private_ip"]) in ipaddress.ip_network(
        f"{configurations.range_of(world.word)}.64/26"
    )
    assert moved.outputs["private_ip"] in text(provider, server.id, "ip", "address")


def test_what_a_person_changes_at_lxd_is_seen(lxd: Lxd, provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.alone, "server.web")
    instance = lxd.client().instances.get(world.main.id)
    instance.config |= {"limits.memory": "1GiB", "user.tag.Owner": "eve"}
    instance.save(wait=True)
    instance.stop(wait=True, force=True)
    read = provider.read(world.main)
    assert read is not None
    assert (read.status, read.values["spec.memory_gb"], read.values["tags.Owner"]) == ("stopped", 1, "eve")
    instance.delete(wait=True)
    assert provider.read(world.main) is None


def test_a_network_with_nat_lets_servers_get_addresses(lxd: Lxd, make: Callable[..., World]):
    world = make(configurations.in_subnet, "vpc.main", "subnet.front", "server.web", at=local(lxd.folder))
    assert world.made["vpc.main"].outputs["nat"] is True
    assert world.made["server.web"].outputs["private_ip"].startswith(configurations.range_of(world.word))
    assert lxd.client().networks.get(world.made["vpc.main"].id).config["ipv4.nat"] == "true"


def test_a_network_whose_addresses_this_machine_has_already_is_refused(lxd: Lxd, provider: LocalProvider):
    used = lxd.client().networks.get(lxd.bridge).config["ipv4.address"].rpartition(".")[0]
    world = World(provider, replace_network(used))
    with pytest.raises(ProviderError, match="overlaps") as caught:
        provider.create(world.wanted("vpc.main"), NoCalls())
    assert caught.value.is_permanent


def replace_network(start: str) -> Any:
    """A network with the given addresses."""
    from tests.provisioning.worlds import Example

    shared = {"name": "main", "vpc_cidr": f"{start}.0/24"}
    return Example("vpc.main", lambda _: {"name": "shop", "provider": "local", "networking": shared})


def test_a_network_with_servers_on_it_is_not_deleted(provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.in_subnet, "vpc.main", "subnet.front", "server.web")
    with pytest.raises(ProviderError, match="in use") as caught:
        provider.delete(world.made["vpc.main"], NoCalls())
    assert caught.value.is_permanent
    assert provider.read(world.made["vpc.main"]) is not None


def test_a_command_gets_its_input_environment_user_and_folder_and_its_code_comes_back(
    provider: LocalProvider, make: Callable[..., World]
):
    access = provider.access(make(configurations.alone, "server.web").main.id)
    script = "cat; id -u; pwd; echo $WORD; echo wrong >&2; exit 3"
    ran = access.run(["sh", "-c", script], given="secret\n", environment={"WORD": "blue"}, user=1000, folder="/tmp")
    assert (ran.code, ran.output, ran.errors) == (3, "secret\n1000\n/tmp\nblue\n", "wrong\n")
    assert access.run(["cat"], given=b"\xff\n").output == "\ufffd\n"
    assert access.run(["ls", "/run"]).output == ""
    much = "line\n" * 300_000
    assert access.run(["cat"], given=much).output == much
    assert access.run(["no-such-program"]).code == 127


def test_a_command_that_takes_too_long_is_killed(lxd: Lxd, provider: LocalProvider, make: Callable[..., World]):
    access = provider.access(make(configurations.alone, "server.web").main.id)
    with pytest.raises(ProviderSilentError, match="did not end within"):
        access.run(["sleep", "777"], limit=0.5)
    still = "for file in /proc/[0-9]*/cmdline; do cat $file; echo; done"
    assert "sleep?7" not in access.run(["sh", "-c", still]).output


def test_files_come_and_go(provider: LocalProvider, make: Callable[..., World]):
    access = provider.access(make(configurations.alone, "server.web").main.id)
    data = bytes(range(256)) * 400
    access.put("/srv/key", data, mode=0o600, user=1000, group=1000)
    assert access.get("/srv/key") == data
    assert access.run(["ls", "-ln", "/srv/key"]).output.startswith("-rw-------    1 1000     1000")
    assert access.get("/srv/none") is None


def test_nothing_runs_in_a_container_that_is_stopped_or_not_there(lxd: Lxd, provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.alone, "server.web")
    lxd.client().instances.get(world.main.id).stop(wait=True, force=True)
    with pytest.raises(ProviderBusyError, match="stopped"):
        provider.access(world.main.id).run(["id"])
    with pytest.raises(ProviderError, match="no container"):
        provider.access("nobody-0").run(["id"])


def test_a_volume_keeps_its_data_when_it_grows_and_goes_to_another_server(
    lxd: Lxd, provider: LocalProvider, make: Callable[..., World]
):
    world = make(configurations.attached, "server.web", "server.other", "volume.data")
    web, other, volume = (world.made[address] for address in ("server.web", "server.other", "volume.data"))
    assert volume.outputs["path"] == "/mnt/data"
    provider.access(web.id).put("/mnt/data/file", b"kept")
    world.example = replace(world.example, changed=lambda word: configurations.attached(word, 8, "other"))
    wanted = world.wanted("volume.data", world.changed)
    moved = provider.update(volume, wanted, frozenset({"attached_to", "size_gb"}), NoCalls())
    assert (moved.values["size_gb"], moved.values["attached_to"]) == (8, "other")
    assert provider.access(other.id).get("/mnt/data/file") == b"kept"
    assert provider.access(web.id).get("/mnt/data/file") is None
    pool, name = volume.id.split("/")
    assert lxd.client().storage_pools.get(pool).volumes.get("custom", name).config["size"] == "8GiB"


def test_a_server_is_restored_from_its_backup_after_it_was_deleted(lxd: Lxd, provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.in_subnet, "vpc.main", "subnet.front", "server.web")
    server = world.made["server.web"]
    provider.access(server.id).put("/srv/file", b"before")
    backup = provider.back_up(server, "before the upgrade", NoCalls())
    assert provider.back_up(server, "before the upgrade", NoCalls()) == backup
    provider.access(server.id).put("/srv/file", b"after")
    provider.delete(server, NoCalls())
    mine = {TAG_LINEAGE: world.lineage}
    assert {found.address for found in provider.find_by_tag(mine)} == {"vpc.main", "subnet.front"}
    restored = provider.restore(server, backup, NoCalls())
    assert (restored.id, restored.status, restored.address) == (server.id, "running", "server.web")
    assert restored.values == {**restored.values, "spec.memory_gb": 0.25, "networking.subnet": "front", "tags.Team": "web"}
    assert restored.outputs["private_ip"] == server.outputs["private_ip"]
    assert provider.access(server.id).get("/srv/file") == b"before"
    assert [one.id for one in provider.find_by_tag({**mine, TAG_ADDRESS: "server.web"})] == [server.id]
    # A backup keeps no network from being deleted.
    world.clear()
    kept = lxd.client().instances.get(backup)
    assert kept.status == "Stopped"
    assert "eth0" not in kept.devices
    kept.delete(wait=True)


def test_a_volume_is_restored_in_its_place(lxd: Lxd, provider: LocalProvider, make: Callable[..., World]):
    world = make(configurations.attached, "server.web", "volume.data")
    web, volume = world.made["server.web"], world.made["volume.data"]
    access = provider.access(web.id)
    access.put("/mnt/data/file", b"before")
    backup = provider.back_up(volume, "nightly", NoCalls())
    access.put("/mnt/data/file", b"after")
    restored = provider.restore(volume, backup, NoCalls())
    assert (restored.id, restored.values["attached_to"], restored.address) == (volume.id, "web", "volume.data")
    assert access.get("/mnt/data/file") == b"before"
    assert [one.id for one in provider.find_by_tag({TAG_LINEAGE: world.lineage}, kinds=frozenset({"volume"}))] == [volume.id]
    pool, name = backup.split("/")
    lxd.client().storage_pools.get(pool).volumes.get("custom", name).delete()


@pytest.mark.timeout(900)  # debootstrap takes minutes on a machine that does other things too
def test_a_debian_that_we_built_starts_with_systemd_an_address_keys_of_its_own_and_python(
    debian: str, provider: LocalProvider, make: Callable[..., World]
):
    spec = {"cpu": 1, "memory_gb": 0.5, "disk_gb": 20, "os": {"family": "debian", "version": "12"}}
    user_data = "#cloud-config\npackages: [nginx]\n"
    server = {"name": "deb", "spec": spec, "user_data": user_data}
    world = World(provider, replace_server(server))
    journal = Journal()
    try:
        world.keep("server.deb", provider.create(world.wanted("server.deb"), journal))
        name = world.made["server.deb"].id
        access = provider.access(name)
        deadline = time.monotonic() + WAIT
        while (state := access.run(["systemctl", "is-system-running"]).output.strip()) not in {"running", "degraded"}:
            assert time.monotonic() < deadline, state
            threading.Event().wait(0.2)
        assert text(provider, name, "systemctl", "is-active", "ssh", "systemd-networkd") == "active\nactive\n"
        assert "Python 3" in text(provider, name, "python3", "--version")
        assert text(provider, name, "hostname").strip() == name
        assert access.get("/etc/ssh/ssh_host_ed25519_key.pub") not in {None, b""}
        assert len(text(provider, name, "cat", "/etc/machine-id").strip()) == 32
        assert any("no cloud-init" in words for words in journal.reports)
        assert "debian/12" in provider.catalogue().images
    finally:
        world.clear()


def replace_server(server: dict[str, Any]) -> Any:
    """One server alone."""
    from tests.provisioning.worlds import Example

    return Example("server.deb", lambda _: {"name": "shop", "provider": "local", "servers": [server]})
