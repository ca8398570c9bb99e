"""The machine's clock jumps: what was granted lasts as long as it was granted, also across a restart."""

import pytest

from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.storage.memory import MemoryStorage
from vaults import ManualClock, TestVault

pytestmark = pytest.mark.anyio
YEAR = 365 * 86400.0
SETTINGS = CoreSettings(mounts=[MountEntry("secret/", "kv", options={"version": "2"})])


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def vault(clock: ManualClock, anyio_backend: str):
    async with TestVault(clock=clock, settings=SETTINGS) as made:
        yield made


async def token_of(vault: TestVault, **more: object) -> str:
    made = await vault.ok("POST", "auth/token/create", {"policies": ["default"], "ttl": "1h", **more})
    token: str = made["auth"]["client_token"]
    return token


async def status(vault: TestVault, token: str) -> int:
    return (await vault.call("GET", "auth/token/lookup-self", token=token)).status


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
async def test_a_jump_neither_ends_nor_prolongs_a_token(vault: TestVault, clock: ManualClock, jump: float):
    token = await token_of(vault)
    clock.jump(jump)
    assert await status(vault, token) == 200
    clock.advance(3599)
    assert await status(vault, token) == 200
    clock.advance(2)
    assert await status(vault, token) == 403


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
async def test_a_jump_neither_ends_nor_prolongs_a_wrapped_answer(vault: TestVault, clock: ManualClock, jump: float):
    first, second = [(await vault.ok("POST", "sys/wrapping/wrap", {"a": 1}, wrap_ttl=60))["wrap_info"]["token"] for _ in range(2)]
    clock.jump(jump)
    answer = await vault.call("POST", "sys/wrapping/unwrap", {"token": first})
    assert answer.status == 200
    clock.advance(61)
    assert (await vault.call("POST", "sys/wrapping/unwrap", {"token": second})).status == 400


async def test_a_renewal_after_a_jump_ahead_makes_no_token_that_never_ends(vault: TestVault, clock: ManualClock):
    token = await token_of(vault)
    clock.jump(10 * YEAR)
    answer = await vault.call("POST", "auth/token/renew-self", {"increment": "1h"}, token=token)
    assert (answer.status, answer.body) == (400, {"errors": ["past the max TTL, cannot renew"]})
    clock.advance(3601)
    assert await status(vault, token) == 403


async def test_a_renewal_under_a_maximum_that_was_lowered_makes_no_token_that_never_ends(vault: TestVault, clock: ManualClock):
    token = await token_of(vault)
    clock.advance(1800)
    await vault.ok("POST", "sys/auth/token/tune", {"default_lease_ttl": "1m", "max_lease_ttl": "10m"})
    assert (await vault.call("POST", "auth/token/renew-self", {}, token=token)).status == 400
    looked = (await vault.ok("GET", "auth/token/lookup-self", token=token))["data"]
    assert 0 < looked["ttl"] <= 1800
    clock.advance(1801)
    assert await status(vault, token) == 403


async def test_a_clock_that_was_set_back_while_the_vault_was_down_prolongs_no_lease_beyond_what_was_granted():
    storage, clock = MemoryStorage(), ManualClock()
    async with TestVault(storage, clock=clock) as vault:
        token = await token_of(vault)
        keys, root = vault.keys, vault.root
        await vault.core.seal_now()
        clock.jump(-YEAR)
        await vault.core.unseal(keys[0])
        vault.root = root
        assert await status(vault, token) == 200
        clock.advance(3601)
        assert await status(vault, token) == 403


async def test_a_clock_that_was_set_ahead_while_the_vault_was_down_ends_what_is_over(clock: ManualClock, vault: TestVault):
    token = await token_of(vault)
    await vault.core.seal_now()
    clock.jump(3601)
    await vault.core.unseal(vault.keys[0])
    assert await status(vault, token) == 403
    assert await status(vault, vault.root) == 200


async def test_a_secret_id_ends_by_the_clock_of_the_machine_also_after_a_jump(vault: TestVault, clock: ManualClock):
    await vault.ok("POST", "sys/auth/approle", {"type": "approle"})
    await vault.ok("POST", "auth/approle/role/r", {"role_id": "r", "secret_id_ttl": "1h"})
    made = (await vault.ok("POST", "auth/approle/role/r/secret-id"))["data"]["secret_id"]
    login = {"role_id": "r", "secret_id": made}
    await vault.ok("POST", "auth/approle/login", login)
    clock.jump(-1800)
    await vault.ok("POST", "auth/approle/login", login)
    clock.jump(1800 + 3601)
    assert (await vault.call("POST", "auth/approle/login", login)).status == 400


async def test_versions_of_a_secret_that_delete_themselves_do_so_by_the_clock_of_the_machine(
    vault: TestVault, clock: ManualClock
):
    await vault.ok("POST", "secret/metadata/a", {"delete_version_after": "1h"})
    await vault.ok("POST", "secret/data/a", {"data": {"n": 1}})
    clock.jump(-YEAR)
    await vault.ok("GET", "secret/data/a")
    clock.jump(YEAR + 3601)
    assert (await vault.call("GET", "secret/data/a")).status == 404


@pytest.mark.parametrize("jump", [100 * YEAR, -40 * YEAR])
async def test_every_answer_has_times_that_can_be_written_whatever_the_clock_says(
    vault: TestVault, clock: ManualClock, jump: float
):
    token = await token_of(vault)
    clock.jump(jump)
    for method, path, data in (
        ("POST", "secret/data/a", {"data": {"n": 1}}),
        ("GET", "secret/metadata/a", None),
        ("POST", "auth/token/lookup", {"token": token}),
        ("POST", "auth/token/create", {"period": "24h"}),
        ("POST", "sys/mounts/pki", {"type": "pki"}),
        ("GET", "sys/health", None),
        ("PUT", "sys/rotate", None),
        ("GET", "sys/key-status", None),
    ):
        await vault.ok(method, path, data)
