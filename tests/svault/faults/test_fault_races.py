"""Requests that meet in the same moment: what may happen once happens once, and nothing is left over."""

import asyncio
import itertools
from collections import Counter
from pathlib import Path

import pytest

from disks import no_file_grows
from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.errors import VaultError
from svault.storage.filesystem import FilesystemStorage
from vaults import TestVault

from .invariants import broken

pytestmark = pytest.mark.anyio
CLIENTS = 50
SETTINGS = CoreSettings(mounts=[MountEntry("secret/", "kv", options={"version": "2"})])


@pytest.fixture
async def vault(tmp_path: Path, anyio_backend: str):
    async with TestVault(FilesystemStorage(tmp_path / "data"), settings=SETTINGS) as made:
        yield made
        if not made.core.is_sealed:
            assert await broken(made.core) == []


async def created(vault: TestVault, **body: object) -> str:
    made = await vault.ok("POST", "auth/token/create", {"policies": ["root"], "ttl": "1h", **body})
    token: str = made["auth"]["client_token"]
    return token


async def test_a_token_of_three_uses_is_used_three_times(vault: TestVault):
    token = await created(vault, num_uses=3)
    answers = await asyncio.gather(*(vault.call("GET", "sys/mounts", token=token) for _ in range(CLIENTS)))
    assert Counter(answer.status for answer in answers) == {200: 3, 403: CLIENTS - 3}


async def test_an_answer_is_unwrapped_once(vault: TestVault):
    token = (await vault.ok("POST", "sys/wrapping/wrap", {"a": 1}, wrap_ttl=60))["wrap_info"]["token"]
    asked = [vault.call("POST", "sys/wrapping/unwrap", {"token": token}) for _ in range(CLIENTS // 2)]
    asked += [vault.call("POST", "sys/wrapping/unwrap", token=token) for _ in range(CLIENTS // 4)]
    asked += [vault.call("POST", "sys/wrapping/rewrap", {"token": token}) for _ in range(CLIENTS // 4)]
    answers = await asyncio.gather(*asked)
    assert Counter(answer.status < 300 for answer in answers)[True] == 1


async def test_a_secret_id_of_one_use_logs_in_once(vault: TestVault):
    await vault.ok("POST", "sys/auth/approle", {"type": "approle"})
    await vault.ok("POST", "auth/approle/role/r", {"role_id": "r", "secret_id_num_uses": 1})
    secret_id = (await vault.ok("POST", "auth/approle/role/r/secret-id"))["data"]["secret_id"]
    login = {"role_id": "r", "secret_id": secret_id}
    answers = await asyncio.gather(*(vault.call("POST", "auth/approle/login", login) for _ in range(CLIENTS)))
    # Five that are too late are told so; then the role is locked out.
    assert Counter(answer.status for answer in answers) == {200: 1, 400: 5, 403: CLIENTS - 6}


async def test_a_token_that_is_revoked_while_it_makes_children_leaves_none(vault: TestVault):
    parent = await created(vault)
    children: list[str] = []

    async def make() -> None:
        while True:
            answer = await vault.call("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h"}, token=parent)
            if answer.status != 200 or answer.body is None:
                assert answer.status == 403
                return
            children.append(answer.body["auth"]["client_token"])

    makers = [asyncio.create_task(make()) for _ in range(16)]
    async with asyncio.timeout(30):
        while len(children) < 40:  # noqa: ASYNC110 - the makers tell nobody
            await asyncio.sleep(0)
    assert (await vault.call("POST", "auth/token/revoke", {"token": parent})).status == 204
    await asyncio.gather(*makers)
    for token in children:
        assert (await vault.call("GET", "auth/token/lookup-self", token=token)).status == 403


async def test_a_token_id_that_two_ask_for_is_made_once(vault: TestVault):
    body = {"id": "chosen", "policies": ["default"], "ttl": "1h"}
    answers = await asyncio.gather(*(vault.call("POST", "auth/token/create", body) for _ in range(CLIENTS)))
    assert Counter(answer.status for answer in answers) == {200: 1, 400: CLIENTS - 1}


async def test_engines_that_are_mounted_moved_and_removed_at_once_are_where_one_of_them_put_them(vault: TestVault):
    numbers = itertools.count()

    async def move() -> None:
        for _ in range(5):
            here, there = f"m{next(numbers) % 3}", f"m{next(numbers) % 3}"
            for method, path, data in (
                ("POST", f"sys/mounts/{here}", {"type": "kv"}),
                ("POST", "sys/remount", {"from": here, "to": there}),
                ("POST", f"sys/mounts/{there}/tune", {"description": "tuned"}),
                ("DELETE", f"sys/mounts/{there}", None),
            ):
                answer = await vault.call(method, path, data)
                assert answer.status in {200, 204, 400}, (method, path, answer.status, answer.body)

    await asyncio.gather(*(move() for _ in range(8)))
    shown = set((await vault.ok("GET", "sys/mounts"))["data"])
    keys, root = vault.keys[0], vault.root
    await vault.core.seal_now()
    await vault.core.unseal(keys)
    vault.root = root
    assert set((await vault.ok("GET", "sys/mounts"))["data"]) == shown
    for path in shown & {"m0/", "m1/", "m2/"}:
        await vault.ok("POST", f"{path}a", {"n": 1})


async def test_sealing_under_load_loses_nothing_acknowledged_and_answers_503(vault: TestVault):
    written: dict[int, int] = {}
    keys, root = vault.keys[0], vault.root

    async def write(number: int) -> None:
        while True:
            count = written.get(number, 0) + 1
            answer = await vault.call("POST", f"secret/data/w{number}", {"data": {"n": count}})
            if answer.status != 200:
                assert answer.status == 503, (answer.status, answer.body)
                return
            written[number] = count

    for _ in range(3):
        writers = [asyncio.create_task(write(number)) for number in range(16)]
        goal = sum(written.values()) + 100
        async with asyncio.timeout(30):
            while sum(written.values()) < goal:  # noqa: ASYNC110 - the writers tell nobody
                await asyncio.sleep(0)
        await vault.core.seal_now()
        await asyncio.gather(*writers)
        await vault.core.unseal(keys)
        vault.root = root
        for number, count in written.items():
            found = (await vault.ok("GET", f"secret/data/w{number}"))["data"]
            assert found["data"]["n"] in {count, count + 1}
            assert found["metadata"]["version"] >= count


async def test_an_init_that_the_disk_refuses_leaves_the_vault_sealed(tmp_path: Path):
    vault = TestVault(FilesystemStorage(tmp_path / "full"))
    await vault.core.open()
    try:
        with no_file_grows(), pytest.raises(VaultError):
            await vault.core.initialize(1, 1)
        assert vault.core.is_sealed
        assert not await vault.core.is_initialized()
        await vault.core.initialize(1, 1)
    finally:
        await vault.core.aclose()


async def test_rotations_of_one_key_at_once_all_count(vault: TestVault):
    await vault.ok("POST", "sys/mounts/transit", {"type": "transit"})
    await vault.ok("POST", "transit/keys/k")
    sent = [vault.ok("POST", "transit/encrypt/k", {"plaintext": "YQ=="}) for _ in range(CLIENTS)]
    answers = await asyncio.gather(*(vault.ok("POST", "transit/keys/k/rotate") for _ in range(CLIENTS)), *sent)
    assert (await vault.ok("GET", "transit/keys/k"))["data"]["latest_version"] == CLIENTS + 1
    for answer in answers[CLIENTS:]:
        body = {"ciphertext": answer["data"]["ciphertext"]}
        assert (await vault.ok("POST", "transit/decrypt/k", body))["data"]["plaintext"] == "YQ=="


async def test_first_logins_of_somebody_at_once_make_one_entity(vault: TestVault):
    await vault.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    await vault.ok("POST", "auth/userpass/users/ann", {"password": "a password"})
    login = {"password": "a password"}
    answers = await asyncio.gather(*(vault.ok("POST", "auth/userpass/login/ann", login) for _ in range(8)))
    assert len({answer["auth"]["entity_id"] for answer in answers}) == 1
    assert len((await vault.ok("LIST", "identity/entity/id"))["data"]["keys"]) == 1


async def test_a_role_that_is_removed_and_made_again_knows_none_of_its_old_secret_ids(vault: TestVault):
    await vault.ok("POST", "sys/auth/approle", {"type": "approle"})
    await vault.ok("POST", "sys/auth/approle/tune", {"user_lockout_config": {"lockout_disable": True}})
    role, place = {"role_id": "r", "token_policies": "default"}, "auth/approle/role/r"
    await vault.ok("POST", place, role)
    made: list[str] = []

    async def make() -> None:
        while (answer := await vault.call("POST", f"{place}/secret-id")).status == 200:
            assert answer.body is not None
            made.append(answer.body["data"]["secret_id"])
        assert answer.status == 404

    makers = [asyncio.create_task(make()) for _ in range(8)]
    async with asyncio.timeout(30):
        while len(made) < 16:  # noqa: ASYNC110 - the makers tell nobody
            await asyncio.sleep(0)
    await vault.ok("DELETE", place)
    await asyncio.gather(*makers)
    await vault.ok("POST", place, role)
    assert (await vault.call("LIST", f"{place}/secret-id")).status == 404
    for secret_id in made:
        login = {"role_id": "r", "secret_id": secret_id}
        assert (await vault.call("POST", "auth/approle/login", login)).status == 400


async def test_a_mount_that_is_removed_while_it_is_written_leaves_no_entries(vault: TestVault):
    await vault.ok("POST", "sys/mounts/gone", {"type": "kv"})
    written = itertools.count()

    async def write() -> None:
        while (answer := await vault.call("POST", f"gone/{next(written)}", {"n": 1})).status == 204:
            pass
        assert answer.status == 404, (answer.status, answer.body)

    writers = [asyncio.create_task(write()) for _ in range(16)]
    async with asyncio.timeout(30):
        while next(written) < 100:  # noqa: ASYNC110 - the writers tell nobody
            await asyncio.sleep(0)
    await vault.ok("DELETE", "sys/mounts/gone")
    await asyncio.gather(*writers)
