"""Database leases when the vault or the database goes away at the worst moment, on a real PostgreSQL."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import PostgresqlServer
from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.leases.registry import FIRST_RETRY_SECONDS, MAX_ATTEMPTS
from vaults import ManualClock, TestVault

from .databases import execute, rows, setup, users
from .processes import VaultProcess, filesystem, until

pytestmark = pytest.mark.anyio
LIMIT = 30  # seconds
SETTINGS = CoreSettings(mounts=[MountEntry("database/", "database")])


@pytest.fixture
def process(tmp_path: Path, postgresql: PostgresqlServer) -> Iterator[VaultProcess]:
    server = VaultProcess(tmp_path, filesystem(tmp_path / "data"))
    server.start()
    server.initialize()
    for method, path, body in setup(postgresql):
        server.ok(method, path, body)
    try:
        yield server
    finally:
        server.kill()


async def become(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(LIMIT):
        while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - nobody tells when a database has changed
            await asyncio.sleep(0.02)


def test_a_lease_whose_time_passes_while_the_vault_is_dead_is_revoked_after_unseal_and_others_live_on(
    process: VaultProcess, postgresql: PostgresqlServer
):
    process.ok("POST", "database/roles/brief", {**setup(postgresql)[1][2], "default_ttl": "1s"})
    long, short = process.ok("GET", "database/creds/app"), process.ok("GET", "database/creds/brief")
    process.kill()
    brief, lasting = short["data"]["username"], long["data"]["username"]
    assert users(postgresql) >= {brief, lasting}
    process.start()
    process.unseal()
    until(lambda: brief not in users(postgresql))
    until(lambda: process.call("LIST", "sys/leases/lookup/database/creds/brief").status == 404)
    assert lasting in users(postgresql)
    assert process.ok("POST", "sys/leases/lookup", {"lease_id": long["lease_id"]})["data"]["ttl"] > 3000
    process.ok("POST", "sys/leases/revoke", {"lease_id": long["lease_id"]})
    until(lambda: lasting not in users(postgresql))


def test_kill_9_between_create_role_and_the_activation_of_its_lease_leaves_no_user(
    process: VaultProcess, postgresql: PostgresqlServer
):
    before = users(postgresql)
    # A standby that there is not: the server commits, and answers only when this is taken back.
    execute(postgresql, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    execute(postgresql, "SELECT pg_reload_conf()")
    try:
        asking = threading.Thread(target=_asked, args=(process, "database/creds/app"))
        asking.start()
        until(lambda: rows(postgresql, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"))
        process.kill()
        asking.join()
    finally:
        execute(postgresql, "ALTER SYSTEM RESET synchronous_standby_names")
        execute(postgresql, "SELECT pg_reload_conf()")
    until(lambda: len(users(postgresql)) == len(before) + 1)
    process.start()
    process.unseal()
    until(lambda: users(postgresql) == before)
    until(lambda: process.call("LIST", "sys/leases/lookup/database/creds/app").status == 404)


def _asked(process: VaultProcess, path: str) -> None:
    try:
        process.call("GET", path)
    except OSError:
        return
    raise AssertionError("it was answered")


@pytest.fixture
async def leased(postgresql: PostgresqlServer, anyio_backend: str):
    """A vault whose time the test moves, and a lease of one hour."""
    clock = ManualClock()
    async with TestVault(settings=SETTINGS, clock=clock) as vault:
        for method, path, body in setup(postgresql):
            await vault.ok(method, path, body)
        yield vault, clock, await vault.ok("GET", "database/creds/app")


async def test_a_database_that_stays_away_makes_the_lease_irrevocable_after_six_attempts_and_listed(
    leased: tuple[TestVault, ManualClock, dict[str, Any]], postgresql: PostgresqlServer
):
    vault, clock, creds = leased
    lease = vault.core.running().leases.get(creds["lease_id"])
    assert lease is not None
    postgresql.stop()
    try:
        assert (await vault.call("GET", "database/creds/app")).status == 500
        assert [one.id for one in vault.core.running().leases if one.kind != "token"] == [lease.id]
        clock.advance(3601)
        for attempt in range(MAX_ATTEMPTS):
            await become(lambda attempt=attempt: lease.attempts == attempt + 1)
            clock.advance(FIRST_RETRY_SECONDS * 2**attempt + 1)
        listed = (await vault.ok("GET", "sys/leases", {"type": "irrevocable"}))["data"]
        assert (listed["lease_count"], listed["leases"][0]["lease_id"]) == (1, lease.id)
        assert "Connection refused" in listed["leases"][0]["error"]
        assert (await vault.call("POST", "sys/leases/lookup", {"lease_id": lease.id})).status == 400
        assert (await vault.call("POST", "sys/leases/revoke-prefix/database/")).status == 400
        assert (await vault.call("DELETE", "sys/mounts/database")).status == 500
        assert (await vault.call("GET", "database/roles/app")).status == 200
    finally:
        postgresql.start()
    assert creds["data"]["username"] in users(postgresql)
    # A person who has mended the database asks again.
    await vault.ok("POST", "sys/leases/revoke", {"lease_id": lease.id})
    await become(lambda: creds["data"]["username"] not in users(postgresql))
    assert (await vault.ok("GET", "sys/leases", {"type": "irrevocable"}))["data"]["lease_count"] == 0


async def test_a_lease_that_cannot_be_revoked_is_forgotten_by_force_alone(
    leased: tuple[TestVault, ManualClock, dict[str, Any]], postgresql: PostgresqlServer
):
    vault, _, creds = leased
    postgresql.stop()
    try:
        await vault.call("POST", "sys/leases/revoke", {"lease_id": creds["lease_id"], "sync": True})
        assert (await vault.ok("LIST", "sys/leases/lookup/database/creds/app"))["data"]["keys"]
        await vault.ok("POST", "sys/leases/revoke-force/database/creds")
        assert (await vault.call("LIST", "sys/leases/lookup/database/creds/app")).status == 404
        await vault.ok("DELETE", "sys/mounts/database")
    finally:
        postgresql.start()
    execute(postgresql, f'DROP ROLE "{creds["data"]["username"]}"')


async def test_a_database_that_comes_back_has_its_user_removed_by_the_next_attempt(
    leased: tuple[TestVault, ManualClock, dict[str, Any]], postgresql: PostgresqlServer
):
    vault, clock, creds = leased
    lease = vault.core.running().leases.get(creds["lease_id"])
    assert lease is not None
    postgresql.kill()
    try:
        clock.advance(3601)
        await become(lambda: lease.attempts == 1)
    finally:
        postgresql.start()
    clock.advance(FIRST_RETRY_SECONDS + 1)
    await become(lambda: creds["data"]["username"] not in users(postgresql))
