"""Tokens: their ends, their trees, their uses; and leases that survive a restart and a clock that jumps."""

import asyncio
from pathlib import Path

import pytest

from svault.core.settings import CoreSettings
from svault.storage.filesystem import FilesystemStorage
from svault.storage.memory import MemoryStorage
from vaults import ManualClock, TestVault

pytestmark = pytest.mark.anyio
HOUR = 3600


async def until(condition, seconds: float = 10.0):
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition has no event
            await asyncio.sleep(0.01)


async def made(vault: TestVault, data=None, token=None) -> str:
    return (await vault.ok("POST", "auth/token/create", data or {"policies": ["default"]}, token=token))["auth"]["client_token"]


async def lives(vault: TestVault, token: str) -> bool:
    return (await vault.call("GET", "auth/token/lookup-self", token=token)).status == 200


async def test_a_token_ends_with_its_ttl_and_leaves_nothing_behind():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        token = await made(vault, {"policies": ["default"], "ttl": "1h"})
        clock.advance(HOUR - 1)
        assert await lives(vault, token)
        clock.advance(2)
        assert not await lives(vault, token)

        async def nothing_is_left() -> bool:
            return len(await vault.core.running().root.list("sys/token/id/")) == 1 and not len(vault.core.running().leases)

        await until(nothing_is_left)


@pytest.mark.parametrize("jump", [-400 * 24 * HOUR, 400 * 24 * HOUR])
async def test_a_clock_that_jumps_neither_ends_nor_extends_a_token(jump: int):
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        token = await made(vault, {"policies": ["default"], "ttl": "1h"})
        clock.jump(jump)
        assert await lives(vault, token)
        clock.advance(HOUR + 1)
        assert not await lives(vault, token)


async def test_a_token_that_ended_while_the_vault_was_down_is_dead_after_the_restart(tmp_path: Path):
    clock = ManualClock()
    async with TestVault(FilesystemStorage(tmp_path / "data"), clock=clock) as vault:
        short, long = [await made(vault, {"policies": ["default"], "ttl": ttl}) for ttl in ("1h", "3h")]
        keys = vault.keys
    clock.advance(2 * HOUR)
    async with TestVault(FilesystemStorage(tmp_path / "data"), clock=clock) as vault:
        await vault.core.unseal(keys[0])
        assert not await lives(vault, short)
        assert await lives(vault, long)


async def test_revoking_a_token_revokes_its_descendants_but_not_orphans(vault: TestVault):
    await vault.ok("PUT", "sys/policies/acl/maker", {"policy": 'path "auth/token/*" { capabilities = ["update", "sudo"] }'})
    parent = await made(vault, {"policies": ["maker", "default"]})
    child = await made(vault, {"policies": ["maker", "default"]}, parent)
    grandchild = await made(vault, {"policies": ["default"]}, child)
    orphan = (await vault.ok("POST", "auth/token/create-orphan", {"policies": ["default"]}, token=parent))["auth"]["client_token"]
    await vault.ok("POST", "auth/token/revoke", {"token": parent})
    assert [await lives(vault, token) for token in (parent, child, grandchild, orphan)] == [False, False, False, True]


async def test_revoke_orphan_leaves_the_children_alive_as_orphans(vault: TestVault):
    await vault.ok("PUT", "sys/policies/acl/maker", {"policy": 'path "auth/token/create" { capabilities = ["update"] }'})
    parent = await made(vault, {"policies": ["maker", "default"]})
    child = await made(vault, {"policies": ["default"]}, parent)
    await vault.ok("POST", "auth/token/revoke-orphan", {"token": parent})
    assert not await lives(vault, parent)
    assert (await vault.ok("GET", "auth/token/lookup-self", token=child))["data"]["orphan"] is True


async def test_a_token_with_two_uses_works_twice_also_when_asked_at_the_same_time(vault: TestVault):
    token = await made(vault, {"policies": ["default"], "num_uses": 2})
    answers = await asyncio.gather(*(vault.call("GET", "auth/token/lookup-self", token=token) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] * 2 + [403] * 18


async def test_a_token_is_renewed_up_to_its_maximum_and_told_so():
    clock = ManualClock()
    settings = CoreSettings(default_lease_ttl=HOUR, max_lease_ttl=3 * HOUR)
    async with TestVault(clock=clock, settings=settings) as vault:
        token = await made(vault)
        clock.advance(HOUR - 60)
        body = await vault.ok("POST", "auth/token/renew-self", {"increment": "10h"}, token=token)
        assert body["auth"]["lease_duration"] == 2 * HOUR + 60
        assert "capped" in body["warnings"][0]
        clock.advance(2 * HOUR + 61)
        assert not await lives(vault, token)


async def test_a_periodic_token_lives_as_long_as_it_is_renewed():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        token = await made(vault, {"policies": ["default"], "period": "1h"})
        for _ in range(1000):
            clock.advance(HOUR - 1)
            await vault.ok("POST", "auth/token/renew-self", token=token)
        clock.advance(HOUR + 1)
        assert not await lives(vault, token)


async def test_an_explicit_maximum_ends_even_a_periodic_token():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        token = await made(vault, {"policies": ["default"], "period": "1h", "explicit_max_ttl": "90m"})
        clock.advance(HOUR - 1)
        assert (await vault.ok("POST", "auth/token/renew-self", token=token))["auth"]["lease_duration"] <= HOUR / 2 + 1
        clock.advance(HOUR / 2 + 2)
        assert not await lives(vault, token)


async def test_a_child_cannot_have_more_than_its_parent(vault: TestVault):
    await vault.ok("PUT", "sys/policies/acl/maker", {"policy": 'path "auth/token/create*" { capabilities = ["update"] }'})
    parent = await made(vault, {"policies": ["maker"]})
    for data in ({"policies": ["root"]}, {"policies": ["other"]}, {"period": "1h"}, {"id": "chosen"}, {"no_parent": True}):
        answer = await vault.call("POST", "auth/token/create", data, token=parent)
        assert answer.status == 400, data
    assert (await vault.call("POST", "auth/token/create-orphan", token=parent)).status == 403


async def test_a_token_bound_to_a_network_is_refused_from_elsewhere(vault: TestVault):
    await vault.ok("POST", "auth/token/roles/near", {"token_bound_cidrs": ["10.0.0.0/8"]})
    token = (await vault.ok("POST", "auth/token/create/near", {"policies": ["default"]}))["auth"]["client_token"]
    assert (await vault.call("GET", "auth/token/lookup-self", token=token)).status == 403
    assert (await vault.call("GET", "auth/token/lookup-self", token=token, remote_address="10.1.2.3")).status == 200


@pytest.mark.parametrize("token", ["", "hvs.wrong", "x" * 5000, "hvs.\x00", "ä" * 30, "root"])
async def test_what_is_no_token_is_refused_alike(vault: TestVault, token: str):
    answer = await vault.call("GET", "auth/token/lookup-self", token=token)
    assert (answer.status, answer.body) == (403, {"errors": ["permission denied"]})


async def test_nothing_stored_or_shown_holds_the_token_itself():
    storage = MemoryStorage()
    async with TestVault(storage) as vault:
        token = await made(vault)
        shown = str((await vault.call("LIST", "auth/token/accessors")).body)
        keys = []

        async def walk(prefix: str) -> None:
            for name in await storage.list(prefix):
                if name.endswith("/"):
                    await walk(prefix + name)
                else:
                    keys.append(prefix + name)

        await walk("")
        values = b"".join([(await storage.get(key)).value for key in keys])
        assert token not in shown
        assert token not in " ".join(keys)
        assert token.encode() not in values
