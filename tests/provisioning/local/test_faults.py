"""What goes wrong at LXD, and what the provider says of it: at a fake daemon, so on every machine."""

import os
import socket
import threading
from contextlib import closing
from pathlib import Path

import pytest
from tests.provisioning.local import configurations
from tests.provisioning.local.conftest import local, made
from tests.provisioning.local.fake_lxd import FakeLxd

from provisioning.errors import ProviderAccountError, ProviderBusyError, ProviderError, ProviderSilentError
from provisioning.providers.base import Account, Check
from provisioning.providers.local import daemon as daemon_module
from provisioning.providers.local.daemon import Daemon, socket_of
from provisioning.providers.local.provider import LocalProvider

GET_SERVER = ("GET", "/1.0/networks")


def read_networks(provider: LocalProvider) -> None:
    """One request."""
    provider.find_by_tag({}, kinds=frozenset({"vpc"}))


def by_name(checks: list[Check]) -> dict[str, Check]:
    """Checks by name."""
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("status", "words", "kind"),
    [
        (400, "Invalid devices", ProviderError),
        (400, 'Instance is busy running a "stop" operation', ProviderBusyError),
        (400, "database is locked", ProviderBusyError),
        (403, "not authorized", ProviderAccountError),
        (409, "already exists", ProviderError),
        (429, "slow down", ProviderBusyError),
        (500, "boom", ProviderBusyError),
        (503, "LXD daemon is shutting down", ProviderBusyError),
    ],
)
def test_an_answer_becomes_the_error_that_says_whether_to_try_again(
    fake: FakeLxd, at_fake: LocalProvider, status: int, words: str, kind: type[ProviderError]
):
    fake.script[GET_SERVER] = [(status, words)]
    with pytest.raises(ProviderError, match=words) as caught:
        read_networks(at_fake)
    assert type(caught.value) is kind
    assert caught.value.hint
    read_networks(at_fake)


def test_a_connection_that_ends_without_an_answer_is_silence(fake: FakeLxd, at_fake: LocalProvider):
    fake.script[GET_SERVER] = ["close"]
    with pytest.raises(ProviderSilentError, match="closed the connection"):
        read_networks(at_fake)


def test_no_answer_in_time_is_silence(fake: FakeLxd, tmp_path: Path):
    fake.script[GET_SERVER] = ["silent"]
    with pytest.raises(ProviderSilentError, match="in time"):
        Daemon(tmp_path / "unix.socket", answer_limit=0.2).get("networks")


def test_an_operation_that_failed_says_why(fake: FakeLxd, at_fake: LocalProvider):
    fake.script["POST", "/1.0/instances"] = [fake.operation(400, "no space left on device")]
    with pytest.raises(ProviderError, match="no space left") as caught:
        made(at_fake, configurations.alone, "server.web")
    assert caught.value.is_permanent


def test_an_operation_that_takes_long_is_waited_for_until_its_limit(fake: FakeLxd, tmp_path: Path):
    daemon = Daemon(tmp_path / "unix.socket", answer_limit=0.5)
    status, name = fake.operation(103)
    fake.script["POST", "/1.0/instances"] = [(status, name), (status, name)]
    with pytest.raises(ProviderSilentError, match="did not finish"):
        daemon.post("instances", {})
    fake.operations[name]["metadata"] = {"download_progress": "40%", "other": 1}
    told: list[str] = []

    def end_it(words: str) -> None:
        told.append(words)
        fake.operations[name].update(status_code=200, metadata={"done": 1})

    assert daemon.post("instances", {}, tell=end_it) == {"done": 1}
    assert told == ["LXD: 40%"]


def test_a_record_that_somebody_else_changed_meanwhile_is_read_again(fake: FakeLxd, at_fake: LocalProvider):
    fake.script["PUT", "/1.0/networks/lxdbr0"] = [(412, "Precondition failed")] * 2
    at_fake.daemon.edit("networks/lxdbr0", lambda record: record["config"].update(word="new"))
    assert fake.networks["lxdbr0"]["config"]["word"] == "new"
    fake.script["PUT", "/1.0/networks/lxdbr0"] = [(412, "Precondition failed")] * 100
    with pytest.raises(ProviderBusyError, match="all the time"):
        at_fake.daemon.edit("networks/lxdbr0", lambda _: None)
    fake.script["PUT", "/1.0/networks/lxdbr0"] = [(400, "bad config")]
    with pytest.raises(ProviderError, match="bad config"):
        at_fake.daemon.edit("networks/lxdbr0", lambda _: None)


def test_what_is_not_lxd_is_said_to_be_none(tmp_path: Path):
    path = tmp_path / "unix.socket"
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
        server.listen()
        asked = threading.Event()

        def answer() -> None:
            # Whether somebody listens is tried first.
            while not asked.is_set():
                with server.accept()[0] as connection:
                    if connection.recv(4096):
                        asked.set()
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")

        thread = threading.Thread(target=answer)
        thread.start()
        checks = by_name(list(local(tmp_path).test()))
        thread.join(10)
    assert checks["daemon"].verdict == "failed"
    assert "does not answer like LXD" in checks["daemon"].said


def test_without_a_socket_the_test_says_how_to_install_lxd(tmp_path: Path):
    checks = by_name(list(local(tmp_path / "unix.socket").test()))
    assert checks["socket"].verdict == "failed"
    assert "no LXD daemon listens at" in checks["socket"].said
    assert "apt-get install lxd" in checks["socket"].hint
    assert checks["images"].said
    with pytest.raises(ProviderError) as caught:
        read_networks(local(tmp_path))
    assert caught.value.is_permanent


def test_a_socket_that_nobody_listens_at_says_how_to_start_the_daemon(tmp_path: Path):
    with closing(socket.socket(socket.AF_UNIX)) as left:
        left.bind(str(tmp_path / "unix.socket"))
        checks = by_name(list(local(tmp_path).test()))
    assert checks["socket"].verdict == "failed"
    assert "systemctl start lxd" in checks["socket"].hint
    with pytest.raises(ProviderBusyError):
        read_networks(local(tmp_path))


def test_a_socket_that_is_not_for_this_user_says_which_group(fake: FakeLxd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    checks = by_name(list(local(tmp_path).test()))
    assert checks["socket"].verdict == "failed"
    assert "usermod -aG lxd" in checks["socket"].hint
    with pytest.raises(ProviderAccountError):
        read_networks(local(tmp_path))


def test_a_daemon_that_does_not_trust_this_user_says_so(fake: FakeLxd, at_fake: LocalProvider):
    fake.auth = "untrusted"
    checks = by_name(list(at_fake.test()))
    assert checks["daemon"].verdict == "failed"
    assert "does not trust" in checks["daemon"].said


def test_without_the_library_it_is_said_which_extra_is_missing(tmp_path: Path, fake: FakeLxd, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "pylxd.client", None)
    checks = by_name(list(local(tmp_path).test()))
    assert "stratumops[local]" in checks["daemon"].hint


@pytest.mark.parametrize(
    ("pools", "option", "said"),
    [
        ({}, "", "no storage pool"),
        ({"fast": "zfs", "slow": "dir"}, "", "several storage pools: fast, slow"),
        ({"fast": "zfs"}, "other", "no storage pool other"),
    ],
)
def test_the_storage_pool_must_be_clear(fake: FakeLxd, tmp_path: Path, pools: dict[str, str], option: str, said: str):
    fake.pools = pools
    del fake.profile["devices"]["root"]
    fake.volumes.clear()
    provider = local(tmp_path, pool=option)
    check = by_name(list(provider.test()))["storage"]
    assert check.verdict == "failed"
    assert said in check.said
    assert check.hint
    with pytest.raises(ProviderError, match=said):
        made(provider, configurations.volume, "volume.data")


def test_the_only_pool_is_taken_and_one_that_enforces_sizes_is_not_warned_of(fake: FakeLxd, tmp_path: Path):
    fake.pools = {"fast": "zfs"}
    del fake.profile["devices"]["root"]
    checks = by_name(list(local(tmp_path).test()))
    assert "fast (zfs)" in checks["storage"].said
    assert "disk sizes" not in checks


def test_a_default_profile_without_an_interface_is_warned_of(fake: FakeLxd, at_fake: LocalProvider):
    del fake.profile["devices"]["eth0"]
    check = by_name(list(at_fake.test()))["network"]
    assert check.verdict == "warning"
    assert "lxc profile device add default eth0 nic network=lxdbr0" in check.hint
    # Then a server is ready without an address.
    assert "private_ip" not in made(at_fake, configurations.alone, "server.web").main.outputs


@pytest.mark.parametrize("path", ["/1.0/profiles/default", "/1.0/images/aliases", "/1.0/storage-pools"])
def test_a_part_that_cannot_be_asked_is_a_failed_check_and_no_error(fake: FakeLxd, at_fake: LocalProvider, path: str):
    fake.script["GET", path] = [(500, "boom")] * 9
    assert "failed" in {check.verdict for check in at_fake.test()}


def test_a_kernel_without_control_groups_is_warned_of(fake: FakeLxd, at_fake: LocalProvider):
    environment = {"server_version": "4", "kernel_version": "4"}
    fake.script["GET", "/1.0"] = [(200, {"auth": "trusted", "environment": environment})] * 3
    assert by_name(list(at_fake.test()))["limits"].verdict == "warning"


def test_the_socket_is_the_accounts_or_lxd_dirs_or_where_packages_put_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LXD_DIR", str(tmp_path))
    assert socket_of("") == tmp_path / "unix.socket"
    assert socket_of("unix:///run/lxd.sock") == Path("/run/lxd.sock")
    assert socket_of(str(tmp_path)) == tmp_path / "unix.socket"
    monkeypatch.delenv("LXD_DIR")
    monkeypatch.setattr(daemon_module, "SOCKETS", (tmp_path / "snap", tmp_path / "package"))
    assert socket_of() == tmp_path / "package"
    (tmp_path / "snap").touch()
    assert socket_of() == tmp_path / "snap"


def test_an_account_works_in_its_project(fake: FakeLxd, tmp_path: Path):
    provider = LocalProvider(Account("here", "local", endpoint=str(tmp_path), options={"project": "play"}))
    with pytest.raises(ProviderError):
        # The fake, like an LXD that is very old, has no projects.
        read_networks(provider)
