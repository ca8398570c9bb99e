"""The vault of a folder: made whole or not at all, with keys that only their owner reads."""

import asyncio
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend

from svault.embedded import KeyPlace, WorkspaceVault
from svault.errors import BadRequestError, DamagedStorageError, PermissionDeniedError, StorageError, VaultError
from vaults import ManualClock

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


class Memory(KeyringBackend):
    """A keyring that lasts as long as the test."""

    priority = 1  # type: ignore[assignment] # keyring declares a property of the class

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def system_keyring() -> Iterator[Memory]:
    before, made = keyring.get_keyring(), Memory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


async def test_a_new_vault_has_its_engines_and_a_token_for_them_alone(folder: Path):
    vault = WorkspaceVault(folder)
    made = await vault.initialize(place=KeyPlace.FILE)
    assert made.engines == ["secret/", "transit/", "pki/", "database/"]
    client = await vault.client()
    token = (await client.request("GET", "auth/token/lookup-self"))["data"]
    assert token["policies"] == ["default", "workspace"]
    for method, path in (
        ("POST", "sys/policies/acl/x"),
        ("POST", "auth/token/create"),
        ("POST", "sys/mounts/other"),
        ("PUT", "sys/seal"),
    ):
        with pytest.raises(PermissionDeniedError):
            await client.request(method, path, {"policy": "", "type": "kv"})
    await vault.aclose()
    again = WorkspaceVault(folder)
    assert (await (await again.client()).request("GET", "sys/mounts"))["data"]["secret/"]["type"] == "kv"
    with pytest.raises(BadRequestError):
        await again.initialize()
    await again.aclose()


async def test_the_keys_are_in_the_systems_keyring_where_there_is_one(folder: Path, system_keyring: Memory):
    vault = WorkspaceVault(folder)
    assert (await vault.initialize()).keys == KeyPlace.KEYRING
    assert not vault.key_store.file.exists()
    assert vault.key_store.place == KeyPlace.KEYRING
    assert len(system_keyring.kept) == 1
    await (await vault.client()).request("POST", "secret/data/a", {"data": {"b": "c"}})
    await vault.aclose()


async def test_a_folder_without_its_keyring_cannot_be_opened(folder: Path, system_keyring: Memory):
    vault = WorkspaceVault(folder)
    await vault.initialize()
    system_keyring.kept.clear()
    with pytest.raises(BadRequestError):
        await vault.client()


async def test_key_files_that_others_can_read_or_that_are_damaged_are_refused(folder: Path):
    vault = WorkspaceVault(folder)
    await vault.initialize(place=KeyPlace.FILE)
    file = vault.key_store.file
    assert [stat.S_IMODE(one.stat().st_mode) for one in (file, folder)] == [0o600, 0o700]
    file.chmod(0o640)
    with pytest.raises(StorageError):
        await vault.client()
    file.chmod(0o600)
    file.write_text(json.dumps({"unseal_key": "not base64!", "recovery_keys": [], "token": "t"}))
    with pytest.raises(DamagedStorageError):
        await vault.client()


async def test_a_vault_that_was_not_finished_is_none(folder: Path):
    """As after a crash before the keys were kept."""
    vault = WorkspaceVault(folder)
    await vault.initialize(place=KeyPlace.FILE)
    (folder / "data").rename(folder / "data.unfinished")
    again = WorkspaceVault(folder)
    assert not again.is_initialized
    with pytest.raises(BadRequestError):
        await again.client()
    await again.initialize(place=KeyPlace.FILE)
    assert not (folder / "data.unfinished").exists()
    await again.client()
    await again.aclose()


async def test_no_key_and_no_token_is_in_any_text_about_them(folder: Path):
    vault = WorkspaceVault(folder)
    await vault.initialize(place=KeyPlace.FILE)
    keys = vault.keys()
    assert keys.token not in repr(keys)
    assert not any(key in repr(keys) for key in keys.recovery_keys)


async def test_many_tasks_that_ask_at_once_share_one_opening(folder: Path):
    vault = WorkspaceVault(folder, shares_it=True)
    await vault.initialize(place=KeyPlace.FILE)
    clients = await asyncio.gather(*(vault.client() for _ in range(20)))
    assert len({id(client) for client in clients}) == 1
    assert stat.S_IMODE((folder / "vault.sock").stat().st_mode) == 0o600
    await vault.aclose()
    assert not (folder / "vault.sock").exists()


async def test_a_server_may_run_for_longer_than_its_token_lives(folder: Path):
    clock = ManualClock()
    vault = WorkspaceVault(folder, clock=clock)
    await vault.initialize(place=KeyPlace.FILE)
    for _ in range(3):
        await (await vault.client()).request("GET", "auth/token/lookup-self")
        clock.advance(29 * 86_400)
    await (await vault.client()).request("GET", "auth/token/lookup-self")
    await vault.aclose()


async def test_a_workspace_deep_in_the_tree_shares_its_vault_too(tmp_path: Path):
    """A socket's address holds 107 bytes."""
    folder = tmp_path / ("deep" * 20) / ("deeper" * 10) / "vault"
    first, second = WorkspaceVault(folder, shares_it=True), WorkspaceVault(folder)
    await first.initialize(place=KeyPlace.FILE)
    await (await first.client()).request("POST", "secret/data/a", {"data": {"b": "c"}})
    found = await (await second.client()).request("GET", "secret/data/a", {"version": 1})
    assert found["data"]["data"] == {"b": "c"}
    assert not second.has_it
    assert (await (await second.client()).request("LIST", "secret/metadata/"))["data"]["keys"] == ["a"]
    await second.aclose()
    await first.aclose()


async def test_a_vault_that_was_not_used_for_longer_than_its_token_lives_opens_again(tmp_path: Path):
    clock = ManualClock()
    vault = WorkspaceVault(tmp_path / "vault", clock=clock)
    await vault.initialize(place=KeyPlace.FILE)
    await (await vault.client()).request("POST", "secret/data/a", {"data": {"x": "1"}})
    await vault.aclose()
    clock.advance(400 * 86_400)
    again = WorkspaceVault(tmp_path / "vault", clock=clock)
    found = await (await again.client()).request("GET", "secret/data/a")
    assert found["data"]["data"] == {"x": "1"}
    await again.aclose()


async def test_of_two_processes_that_make_the_vault_one_does(tmp_path: Path):
    vaults = [WorkspaceVault(tmp_path / "vault") for _ in range(2)]
    made = await asyncio.gather(*(vault.initialize(place=KeyPlace.FILE) for vault in vaults), return_exceptions=True)
    assert sum(isinstance(one, VaultError) for one in made) == 1
    await (await vaults[0].client()).request("GET", "sys/mounts")
    await vaults[0].aclose()
