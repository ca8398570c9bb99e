"""Database users and their leases through a whole vault: expiry, renewal, failures, and kill -9."""

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from svault.storage.filesystem import FilesystemStorage
from vaults import ManualClock, TestVault

pytestmark = pytest.mark.anyio

LIMIT = 20.0  # seconds
SEAL_KEY = bytes(range(32))
ROOT = Path(__file__).resolve().parents[4]
CHILD = """
import asyncio, json, sys
sys.path.insert(0, "tests")
from svault.storage.filesystem import FilesystemStorage
from vaults import TestVault

async def main(folder, config, statements):
    async with TestVault(FilesystemStorage(folder), static_key=bytes(range(32))) as vault:
        await vault.ok("POST", "sys/mounts/database", {"type": "database"})
        await vault.ok("POST", "database/config/pg", config)
        role = {"db_name": "pg", "creation_statements": statements, "default_ttl": "2s"}
        await vault.ok("POST", "database/roles/app", role)
        print(json.dumps({"token": vault.root}), flush=True)
        answer = await vault.ok("GET", "database/creds/app")
        print(json.dumps(answer["data"]), flush=True)
        await asyncio.sleep(60)

asyncio.run(main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])))
"""


async def until(condition, limit=LIMIT):
    """Wait until a condition of the database holds."""
    deadline = time.monotonic() + limit
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, "it did not come about"
        await asyncio.sleep(0.05)


async def connect(vault, config, **role):
    """Mount the engine, with a connection and a role."""
    create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
    await vault.ok("POST", "sys/mounts/database", {"type": "database"})
    await vault.ok("POST", "database/config/pg", config)
    await vault.ok("POST", "database/roles/app", {"db_name": "pg", "creation_statements": create, **role})


async def test_a_user_is_gone_when_its_lease_has_ended(vault, postgresql, config):
    await connect(vault, config, default_ttl="1s")
    answer = await vault.ok("GET", "database/creds/app")
    assert (answer["renewable"], answer["lease_duration"]) == (True, 1)
    assert answer["lease_id"].startswith("database/creds/app/")
    username = answer["data"]["username"]
    assert username.startswith("v-root-app-")
    await until(lambda: not postgresql.has(username))


async def test_a_renewal_is_cut_by_the_roles_longest_time_and_says_so(vault, postgresql, config):
    await connect(vault, config, default_ttl="1h", max_ttl="2h")
    lease = (await vault.ok("GET", "database/creds/app"))["lease_id"]
    answer = await vault.ok("POST", "sys/leases/renew", {"lease_id": lease, "increment": "90m"})
    assert (answer["lease_duration"], answer["warnings"]) == (5400, None)
    answer = await vault.ok("POST", "sys/leases/renew", {"lease_id": lease, "increment": "9h"})
    assert 7195 <= answer["lease_duration"] <= 7200
    assert "capped" in answer["warnings"][0]


async def test_revoking_a_lease_removes_the_user(vault, postgresql, config):
    await connect(vault, config)
    answer = await vault.ok("GET", "database/creds/app")
    assert postgresql.has(answer["data"]["username"])
    await vault.ok("POST", "sys/leases/revoke", {"lease_id": answer["lease_id"]})
    await until(lambda: not postgresql.has(answer["data"]["username"]))


async def test_unmounting_removes_every_user(vault, postgresql, config):
    await connect(vault, config)
    names = [(await vault.ok("GET", "database/creds/app"))["data"]["username"] for _ in range(3)]
    await vault.ok("DELETE", "sys/mounts/database")
    await until(lambda: not any(map(postgresql.has, names)))


async def test_a_database_that_is_away_when_credentials_are_asked_leases_nothing(vault, postgresql, config):
    await connect(vault, config)
    postgresql.server.stop()
    try:
        answer = await vault.call("GET", "database/creds/app")
    finally:
        postgresql.server.start()
    assert answer.status == 500
    assert [lease for lease in vault.core.running().leases if lease.kind == "creds"] == []


async def test_statements_that_fail_leave_no_lease(vault, postgresql, config):
    await connect(vault, config, creation_statements=['CREATE ROLE "{{name}}"; GRANT SELECT ON nothere TO "{{name}}"'])
    assert (await vault.call("GET", "database/creds/app")).status == 500
    assert [lease for lease in vault.core.running().leases if lease.kind == "creds"] == []
    assert postgresql.rows("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-root-app-%' AND NOT rolcanlogin") == []


async def test_a_database_that_is_away_at_revocation_is_asked_again(postgresql, config):
    clock = ManualClock()
    async with TestVault(clock=clock) as vault:
        await connect(vault, config, default_ttl="1m")
        username = (await vault.ok("GET", "database/creds/app"))["data"]["username"]
        postgresql.server.stop()
        try:
            clock.advance(61)
            leases = vault.core.running().leases
            await until(lambda: any(lease.attempts for lease in leases))
        finally:
            postgresql.server.start()
        assert postgresql.has(username)
        clock.advance(10)
        await until(lambda: not postgresql.has(username))


@pytest.fixture
def killed(tmp_path, config):
    """`killed(statements, when)`: run a vault that makes a user, end it with kill -9, and return what it told."""

    def run(statements, when):
        arguments = [str(tmp_path / "vault"), json.dumps(config), json.dumps(statements)]
        program = [sys.executable, "-c", textwrap.dedent(CHILD), *arguments]
        with subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            lines = [json.loads(process.stdout.readline())]
            try:
                when(process, lines)
            finally:
                process.send_signal(signal.SIGKILL)
        return lines

    return run


async def test_after_kill_9_a_user_whose_lease_has_ended_is_removed(killed, postgresql, tmp_path):
    create = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'"]
    _, credentials = killed(create, lambda process, lines: lines.append(json.loads(process.stdout.readline())))
    assert postgresql.has(credentials["username"])
    async with TestVault(FilesystemStorage(tmp_path / "vault"), static_key=SEAL_KEY):
        await until(lambda: not postgresql.has(credentials["username"]))


@pytest.mark.parametrize("sleeps", ["before", "behind"])
async def test_after_kill_9_in_the_middle_of_a_creation_nobody_is_left(killed, postgresql, tmp_path, sleeps):
    create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'"
    sleep = "SELECT pg_sleep(2)"
    statements = [sleep, create] if sleeps == "before" else [create, sleep]
    running = "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(2)' AND state = 'active'"

    def when(_process, _lines):
        deadline = time.monotonic() + LIMIT
        while postgresql.rows(running) == [(0,)]:
            assert time.monotonic() < deadline, "the creation did not begin"
            time.sleep(0.02)

    before = set(postgresql.rows("SELECT rolname FROM pg_roles"))
    [told] = killed(statements, when)
    async with TestVault(FilesystemStorage(tmp_path / "vault"), static_key=SEAL_KEY) as vault:
        vault.root = told["token"]
        leases = vault.core.running().leases
        await until(lambda: not [lease for lease in leases if lease.kind == "creds"])
        assert set(postgresql.rows("SELECT rolname FROM pg_roles")) == before
        assert (await vault.call("LIST", "sys/leases/lookup/database/creds/app")).status == 404
