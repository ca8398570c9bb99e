"""Who fails to log in too often is locked out for a while, at userpass and approle, and nothing tells who exists."""

import asyncio
from pathlib import Path

import pytest

from svault.auth import lockout
from svault.storage.filesystem import FilesystemStorage
from vaults import ManualClock, TestVault

pytestmark = pytest.mark.anyio
MINUTES = 60


async def with_ann(vault: TestVault) -> None:
    await vault.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    await vault.ok("POST", "auth/userpass/users/ann", {"password": "right"})


async def login(vault: TestVault, password: str, name: str = "ann") -> int:
    return (await vault.call("POST", f"auth/userpass/login/{name}", {"password": password}, token="")).status


async def fail(vault: TestVault, times: int, name: str = "ann") -> list[int]:
    return [await login(vault, "wrong", name) for _ in range(times)]


async def test_five_failures_lock_a_user_out_for_a_quarter_of_an_hour():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        await with_ann(vault)
        assert await fail(vault, 6) == [400] * 5 + [403]
        assert await login(vault, "right") == 403
        assert await login(vault, "right", "ANN") == 403
        clock.advance(15 * MINUTES - 1)
        assert await login(vault, "right") == 403
        clock.advance(1)
        assert await login(vault, "right") == 200
        assert await fail(vault, 4) == [400] * 4
        assert await login(vault, "right") == 200


async def test_another_lock_takes_as_many_failures_again_once_one_has_ended():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        await with_ann(vault)
        await fail(vault, 5)
        clock.advance(15 * MINUTES)
        assert await fail(vault, 4) == [400] * 4
        assert await login(vault, "right") == 200


async def test_a_pause_begins_the_count_anew():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        await with_ann(vault)
        await fail(vault, 4)
        clock.advance(15 * MINUTES + 1)
        await fail(vault, 4)
        assert await login(vault, "right") == 200


async def test_failures_made_at_once_learn_no_more_than_those_made_one_by_one():
    async with TestVault(clock=ManualClock()) as vault:
        await with_ann(vault)
        found = await asyncio.gather(*(login(vault, "wrong") for _ in range(12)), login(vault, "right"))
        assert found.count(400) == 5
        assert found.count(403) == 8


async def test_a_name_that_nobody_has_is_answered_alike_and_is_free_for_who_gets_it(monkeypatch):
    monkeypatch.setattr(lockout, "MAX_UNKNOWN", 2)
    async with TestVault(clock=ManualClock()) as vault:
        await with_ann(vault)
        assert await fail(vault, 6, "nobody") == [400] * 5 + [403]
        assert (await vault.ok("GET", "sys/locked-users"))["data"]["total"] == 0
        await vault.ok("POST", "auth/userpass/users/nobody", {"password": "right"})
        assert await login(vault, "right", "nobody") == 200
        await fail(vault, 5, "first")
        await fail(vault, 1, "second")
        await fail(vault, 1, "third")
        assert await login(vault, "wrong", "first") == 400, "only so many names are kept"


async def test_a_lock_survives_a_restart_and_an_operator_ends_it(tmp_path: Path):
    clock = ManualClock()
    async with TestVault(FilesystemStorage(tmp_path / "data"), clock=clock) as vault:
        await with_ann(vault)
        await fail(vault, 5)
        keys, root = vault.keys, vault.root
    async with TestVault(FilesystemStorage(tmp_path / "data"), clock=clock) as vault:
        await vault.core.unseal(keys[0])
        vault.root = root
        assert await login(vault, "right") == 403
        accessor = (await vault.ok("GET", "sys/auth/userpass"))["data"]["accessor"]
        listed = (await vault.ok("GET", "sys/locked-users", {"mount_accessor": accessor}))["data"]
        assert listed["by_namespace"][0]["mount_accessors"][0]["alias_identifiers"] == ["ann"]
        assert (await vault.ok("GET", "sys/locked-users", {"mount_accessor": "other"}))["data"]["total"] == 0
        for _ in range(2):
            assert (await vault.call("POST", f"sys/locked-users/{accessor}/unlock/ann")).status == 204
        assert await login(vault, "right") == 200
        assert (await vault.call("GET", "sys/locked-users", token="")).status == 403


async def test_a_user_who_is_made_anew_is_not_locked_out():
    async with TestVault(clock=ManualClock()) as vault:
        await with_ann(vault)
        await fail(vault, 5)
        await vault.ok("DELETE", "auth/userpass/users/ann")
        await vault.ok("POST", "auth/userpass/users/ann", {"password": "right"})
        assert await login(vault, "right") == 200


async def test_a_role_is_locked_out_by_wrong_secret_ids():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        await vault.ok("POST", "sys/auth/approle", {"type": "approle"})
        await vault.ok("POST", "auth/approle/role/r", {})
        role = (await vault.ok("GET", "auth/approle/role/r/role-id"))["data"]["role_id"]
        secret = (await vault.ok("POST", "auth/approle/role/r/secret-id"))["data"]["secret_id"]

        async def enter(secret_id: str) -> int:
            asked = {"role_id": role, "secret_id": secret_id}
            return (await vault.call("POST", "auth/approle/login", asked, token="")).status

        assert [await enter("wrong") for _ in range(6)] == [400] * 5 + [403]
        assert await enter(secret) == 403
        found = (await vault.ok("GET", "sys/locked-users"))["data"]["by_namespace"][0]["mount_accessors"]
        assert found[0]["alias_identifiers"] == [role]
        clock.advance(15 * MINUTES)
        assert await enter(secret) == 200
        assert [await enter("wrong") for _ in range(6)] == [400] * 5 + [403]
        await vault.ok("DELETE", "auth/approle/role/r")
        assert (await vault.ok("GET", "sys/locked-users"))["data"]["total"] == 0


async def test_the_limits_are_tuned_and_can_be_switched_off():
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        await with_ann(vault)
        limits = {"lockout_threshold": "2", "lockout_duration": "1m", "lockout_counter_reset_duration": "30s"}
        await vault.ok("POST", "sys/auth/userpass/tune", {"user_lockout_config": limits})
        assert await fail(vault, 3) == [400, 400, 403]
        clock.advance(MINUTES)
        assert await fail(vault, 1) == [400]
        clock.advance(31)
        assert await fail(vault, 1) == [400]
        assert await login(vault, "right") == 200
        await vault.ok("POST", "sys/auth/userpass/tune", {"user_lockout_config": {"lockout_disable": True}})
        assert await fail(vault, 7) == [400] * 7


@pytest.mark.parametrize(
    "limits", [{"lockout_threshold": 0}, {"lockout_duration": "-5m"}, {"lockout_threshold": "x"}, {"lockout_disable": "x"}]
)
async def test_limits_that_make_no_sense_change_nothing(limits):
    async with TestVault(clock=ManualClock()) as vault:
        await with_ann(vault)
        assert (await vault.call("POST", "sys/auth/userpass/tune", {"user_lockout_config": limits})).status == 400
        assert "user_lockout_threshold" not in (await vault.ok("GET", "sys/auth/userpass/tune"))["data"]


async def test_only_auth_methods_that_lock_have_limits():
    async with TestVault() as vault:
        for path in ("sys/auth/token/tune", "sys/mounts/cubbyhole/tune"):
            answer = await vault.call("POST", path, {"user_lockout_config": {"lockout_threshold": 3}})
            assert answer.status == 400
