"""Sealing: init, unseal by shares, rekey, generate-root, a static seal; what a sealed vault says."""

import asyncio
import itertools
import os
from pathlib import Path

import pytest

from svault.core.call import Call
from svault.core.core import Core
from svault.crypto.choice import backend
from svault.errors import VaultError
from svault.seal.shamir import combine
from svault.storage.filesystem import FilesystemStorage
from svault.storage.memory import MemoryStorage
from svault.sys.generate_root import decoded_token
from vaults import TestVault

pytestmark = pytest.mark.anyio


async def call(core: Core, method: str, path: str, data=None, token: str = ""):
    return await core.handle(Call(method, path, data or {}, token, remote_address="127.0.0.1"))


@pytest.fixture
async def sealed():
    core = Core(MemoryStorage(), crypto=backend("openssl"))
    await core.open()
    made = (await call(core, "PUT", "sys/init", {"secret_shares": 5, "secret_threshold": 3})).body
    yield core, made["keys"], made["root_token"]
    await core.aclose()


async def test_a_new_vault_is_sealed_and_three_of_five_shares_open_it(sealed):
    core, keys, root = sealed
    assert (await call(core, "GET", "secret/x", token=root)).body == {"errors": ["Vault is sealed"]}
    for number, share in enumerate(keys[:2], start=1):
        status = (await call(core, "PUT", "sys/unseal", {"key": share})).body
        assert (status["sealed"], status["progress"]) == (True, number)
    assert (await call(core, "PUT", "sys/unseal", {"key": keys[1]})).body["progress"] == 2
    assert (await call(core, "PUT", "sys/unseal", {"key": keys[4]})).body["sealed"] is False
    assert (await call(core, "GET", "auth/token/lookup-self", token=root)).status == 200


async def test_whoever_is_told_that_the_vault_is_sealed_finds_it_so(sealed):
    core, keys, root = sealed
    await unsealed(core, keys)
    assert (await call(core, "PUT", "sys/seal", token=root)).status == 204
    assert (await call(core, "GET", "sys/seal-status")).body["sealed"] is True


@pytest.mark.parametrize("moments", range(12))
async def test_a_share_that_comes_while_the_vault_is_sealing_is_counted_afterwards(sealed, moments: int):
    core, keys, _ = sealed
    await unsealed(core, keys)
    core.seal_soon()
    for _ in range(moments):
        await asyncio.sleep(0)
    told = [(await call(core, "PUT", "sys/unseal", {"key": share})).body for share in keys[:3]]
    assert [(status["sealed"], status["progress"]) for status in told] == [(True, 1), (True, 2), (False, 0)]


async def test_a_share_of_another_vault_opens_nothing_and_the_attempt_starts_over(sealed):
    core, keys, _ = sealed
    foreign = Core(MemoryStorage(), crypto=backend("openssl"))
    await foreign.open()
    shares, _ = await foreign.initialize(5, 3)
    for share in (*keys[:2], shares[4].hex()):
        answer = await call(core, "PUT", "sys/unseal", {"key": share})
    assert answer.status == 400
    assert (await call(core, "GET", "sys/seal-status")).body["progress"] == 0
    assert core.is_sealed
    await foreign.aclose()


async def test_progress_can_be_thrown_away(sealed):
    core, keys, _ = sealed
    await call(core, "PUT", "sys/unseal", {"key": keys[0]})
    assert (await call(core, "PUT", "sys/unseal", {"reset": True})).body["progress"] == 0


async def test_every_combination_of_enough_shares_opens_it(sealed):
    core, keys, _ = sealed
    for chosen in itertools.combinations(keys, 3):
        for share in chosen:
            status = (await call(core, "PUT", "sys/unseal", {"key": share})).body
        assert status["sealed"] is False
        await core.seal_now()


async def test_init_twice_is_refused_and_impossible_counts_too(sealed):
    core, _, _ = sealed
    assert (await call(core, "PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})).body == {
        "errors": ["Vault is already initialized"]
    }
    empty = Core(MemoryStorage(), crypto=backend("openssl"))
    await empty.open()
    for shares, threshold in ((0, 0), (5, 1), (2, 3), (256, 3)):
        answer = await call(empty, "PUT", "sys/init", {"secret_shares": shares, "secret_threshold": threshold})
        assert answer.status == 400
    assert not await empty.is_initialized()
    await empty.aclose()


async def unsealed(core: Core, keys: list[str], count: int = 3) -> None:
    for share in keys[:count]:
        await call(core, "PUT", "sys/unseal", {"key": share})
    assert not core.is_sealed


async def test_after_a_rekey_only_the_new_shares_open_it(sealed):
    core, keys, root = sealed
    await unsealed(core, keys)
    begun = (await call(core, "PUT", "sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})).body
    assert (begun["started"], begun["required"]) == (True, 3)
    assert (await call(core, "PUT", "sys/rekey/update", {"key": keys[0], "nonce": "other"})).status == 400
    for share in keys[:3]:
        answer = await call(core, "PUT", "sys/rekey/update", {"key": share, "nonce": begun["nonce"]})
    new = answer.body["keys"]
    assert answer.body["complete"]
    await core.seal_now()
    for share in keys[:3]:
        answer = await call(core, "PUT", "sys/unseal", {"key": share})
    assert core.is_sealed
    await call(core, "PUT", "sys/unseal", {"reset": True})
    await unsealed(core, new, 2)
    assert (await call(core, "GET", "auth/token/lookup-self", token=root)).status == 200


async def test_a_rekey_that_is_verified_changes_nothing_before_the_new_shares_were_given_back(sealed):
    core, keys, _ = sealed
    await unsealed(core, keys)
    wanted = {"secret_shares": 3, "secret_threshold": 2, "require_verification": True}
    begun = (await call(core, "PUT", "sys/rekey/init", wanted)).body
    for share in keys[:3]:
        answer = await call(core, "PUT", "sys/rekey/update", {"key": share, "nonce": begun["nonce"]})
    new, nonce = answer.body["keys"], answer.body["verification_nonce"]
    assert await core.seal.is_proven_by(combine([bytes.fromhex(share) for share in keys[:3]]))
    for share in new[:2]:
        answer = await call(core, "PUT", "sys/rekey/verify", {"key": share, "nonce": nonce})
    assert answer.body["complete"]
    await core.seal_now()
    await unsealed(core, new, 2)


async def test_wrong_shares_rekey_nothing(sealed):
    core, keys, _ = sealed
    await unsealed(core, keys)
    begun = (await call(core, "PUT", "sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1})).body
    for number in range(3):
        share = (os.urandom(32) + bytes([number + 1])).hex()
        answer = await call(core, "PUT", "sys/rekey/update", {"key": share, "nonce": begun["nonce"]})
    assert answer.status == 400
    assert (await call(core, "DELETE", "sys/rekey/init")).status == 204
    assert (await call(core, "GET", "sys/rekey/init")).body["started"] is False


async def test_enough_people_make_a_root_token_that_only_the_holder_of_the_pad_can_read(sealed):
    core, keys, _ = sealed
    await unsealed(core, keys)
    begun = (await call(core, "PUT", "sys/generate-root/attempt")).body
    assert len(begun["otp"]) == begun["otp_length"]
    for share in keys[2:5]:
        answer = await call(core, "PUT", "sys/generate-root/update", {"key": share, "nonce": begun["nonce"]})
    token = decoded_token(answer.body["encoded_root_token"], begun["otp"])
    assert (await call(core, "GET", "auth/token/lookup-self", token=token)).body["data"]["policies"] == ["root"]
    assert (await call(core, "GET", "sys/generate-root/attempt")).body["started"] is False


async def test_a_static_seal_opens_itself_after_a_restart_and_its_shares_only_recover(tmp_path: Path):
    key = os.urandom(32)
    async with TestVault(FilesystemStorage(tmp_path / "data"), static_key=key) as vault:
        assert (await vault.call("GET", "sys/seal-status")).body["type"] == "static"
        await vault.ok("POST", "sys/mounts/secret", {"type": "kv"})
        await vault.ok("POST", "secret/a", {"x": "y"})
        share = vault.keys[0].hex()
        answer = await vault.call("PUT", "sys/unseal", {"key": share})
        assert answer.status == 400
        root = vault.root
    again = Core(FilesystemStorage(tmp_path / "data"), crypto=backend("openssl"), static_key=key)
    await again.open()
    assert (await call(again, "GET", "secret/a", token=root)).body["data"] == {"x": "y"}
    begun = (await call(again, "PUT", "sys/generate-root/attempt")).body
    made = (await call(again, "PUT", "sys/generate-root/update", {"key": share, "nonce": begun["nonce"]})).body
    assert made["complete"]
    await again.aclose()


async def test_the_key_of_another_machine_does_not_open_a_static_seal(tmp_path: Path):
    async with TestVault(FilesystemStorage(tmp_path / "data"), static_key=os.urandom(32)):
        pass
    other = Core(FilesystemStorage(tmp_path / "data"), crypto=backend("openssl"), static_key=os.urandom(32))
    with pytest.raises(Exception, match="does not open"):
        await other.open()
    assert other.is_sealed
    await other.aclose()


async def test_rotating_keeps_what_is_stored_readable_also_after_a_restart(vault: TestVault):
    await vault.ok("POST", "sys/mounts/secret", {"type": "kv"})
    await vault.ok("POST", "secret/old", {"x": "1"})
    await vault.ok("PUT", "sys/rotate")
    await vault.ok("POST", "secret/new", {"x": "2"})
    assert (await vault.ok("GET", "sys/key-status"))["term"] == 2
    await vault.core.seal_now()
    await vault.core.unseal(vault.keys[0])
    for name, value in (("old", "1"), ("new", "2")):
        assert (await vault.ok("GET", f"secret/{name}"))["data"] == {"x": value}


async def test_sealing_forgets_a_rekey_that_was_under_way(sealed):
    core, keys, _ = sealed
    await unsealed(core, keys)
    await call(core, "PUT", "sys/rekey/init", {"secret_shares": 3, "secret_threshold": 2})
    await core.seal_now()
    await unsealed(core, keys)
    assert (await call(core, "GET", "sys/rekey/init")).body["started"] is False


async def test_of_two_servers_that_initialise_one_storage_one_wins_and_its_shares_open_it():
    storage = MemoryStorage()
    servers = [Core(storage, crypto=backend("openssl")) for _ in range(2)]
    await storage.open()
    found = await asyncio.gather(*(server.initialize(1, 1) for server in servers), return_exceptions=True)
    (made,) = (one for one in found if isinstance(one, tuple))
    assert sum(isinstance(one, VaultError) for one in found) == 1
    await servers[0].unseal(made[0][0])
    assert not servers[0].is_sealed
    await servers[0].seal_now()


async def test_what_is_written_while_keys_are_rotated_stays_readable(vault: TestVault):
    await vault.ok("POST", "sys/mounts/secret", {"type": "kv"})

    async def write(number: int) -> None:
        await vault.ok("POST", f"secret/{number}", {"n": number})

    rotations = [vault.ok("PUT", "sys/rotate") for _ in range(4)]
    counts = [vault.core.barrier.save_count() for _ in range(4)]
    await asyncio.gather(*rotations, *(write(number) for number in range(60)), *counts)
    await vault.core.seal_now()
    await vault.core.unseal(vault.keys[0])
    for number in range(60):
        assert (await vault.ok("GET", f"secret/{number}"))["data"] == {"n": number}
    assert (await vault.ok("GET", "sys/key-status"))["term"] == 5


async def test_an_engine_that_fails_to_stop_does_not_keep_the_vault_open(vault: TestVault):
    await vault.ok("POST", "sys/mounts/secret", {"type": "kv"})
    mounted = vault.core.running().mounts.at("secret/")

    class Stuck:
        async def stop(self) -> None:
            raise RuntimeError

    mounted.engine = Stuck()
    vault.core.running().leases.stop = Stuck().stop
    await vault.core.seal_now()
    assert vault.core.is_sealed
    assert (await vault.call("GET", "secret/a")).status == 503


async def test_openbao_s_name_of_the_root_generation_works_too(sealed):
    core, keys, _ = sealed
    await unsealed(core, keys)
    begun = (await call(core, "PUT", "sys/generate-root-token/attempt")).body
    for share in keys[:3]:
        answer = await call(core, "PUT", "sys/generate-root-token/update", {"key": share, "nonce": begun["nonce"]})
    assert answer.body["complete"]
