"""No password in any log line, error, lease or repr."""

import asyncio
import json
import logging

import psycopg
import pytest

from svault.engines.database.config import ConnectionConfig
from svault.engines.database.roles import StaticRole

pytestmark = pytest.mark.anyio


def stored(database, name):
    """An entry of the mount's storage."""
    [value] = [value for key, value in database.entries.values.items() if key.endswith(name)]
    return json.loads(value)


async def test_no_log_line_and_no_lease_holds_a_password(database, postgresql, user, caplog):
    caplog.set_level(logging.DEBUG)
    static = {"db_name": "pg", "username": user, "rotation_period": "1h"}
    await database.call("POST", "static-roles/legacy", static)
    await database.call("POST", "rotate-root/pg")
    issued = await database.handle("GET", "creds/app")
    await database.call("POST", "roles/bad", {"db_name": "pg", "creation_statements": ["SELEC '{{password}}'"]})
    told = [await database.call("GET", "creds/bad")]
    postgresql.server.stop()
    try:
        told += [await database.call(*request) for request in (("GET", "creds/app"), ("POST", "rotate-role/legacy"))]
    finally:
        postgresql.server.start()
    passwords = {
        "first",
        issued.data["password"],
        stored(database, "config/pg")["password"],
        stored(database, "static-roles/legacy")["password"],
    }
    leases = json.dumps([dict(lease.internal) for lease in database.leases.intended.values()])
    assert [status for status, _ in told] == [500, 500, 500]
    assert len(passwords) == 4
    for password in passwords:
        assert password not in caplog.text + leases + str(told) + repr(issued)


async def test_the_server_never_sees_the_passwords_that_the_vault_sets_itself(database, postgresql, user):
    with postgresql.logged_statements() as log:
        await database.call("POST", "static-roles/legacy", {"db_name": "pg", "username": user, "rotation_period": "1h"})
        await database.call("POST", "rotate-root/pg")
    assert log[0].count("SCRAM-SHA-256$") >= 2
    for name in ("config/pg", "static-roles/legacy"):
        assert stored(database, name)["password"] not in log[0]


@pytest.mark.parametrize(("rotate", "name"), [("rotate-root/pg", "config/pg"), ("rotate-role/legacy", "static-roles/legacy")])
async def test_a_new_password_is_written_down_before_the_database_is_told(database, postgresql, user, rotate, name):
    statements = ["SELECT pg_advisory_xact_lock(7)", "ALTER ROLE \"{{name}}\" PASSWORD '{{password}}'"]
    await database.call("POST", "config/pg", {"root_rotation_statements": statements})
    await database.call("POST", "static-roles/legacy", {"db_name": "pg", "username": user, "rotation_period": "1h"})
    await database.call("POST", "static-roles/legacy", {"rotation_statements": statements})
    with psycopg.connect(postgresql.server.url()) as session:
        session.execute("SELECT pg_advisory_xact_lock(7)")
        rotation = asyncio.create_task(database.call("POST", rotate))
        await postgresql.waits_for_lock()
        before = stored(database, name)
    assert await rotation == (204, None)
    after = stored(database, name)
    assert before["pending"] not in {"", before["password"]}
    assert (after["password"], after["pending"]) == (before["pending"], "")


async def test_a_password_that_statements_make_a_name_is_not_told(database):
    statements = ['GRANT "{{password}}" TO CURRENT_USER']
    await database.call("POST", "roles/bad", {"db_name": "pg", "creation_statements": statements})
    told = (500, ["failed to execute query: the statements use the password as a name"])
    assert await database.call("GET", "creds/bad") == told
    await database.call("POST", "config/pg", {"root_rotation_statements": statements})
    assert await database.call("POST", "rotate-root/pg") == told


def test_what_holds_a_password_does_not_show_it():
    shown = repr([ConnectionConfig("u", "n", "s3cret", "s3cret"), StaticRole("d", "u", password="s3cret", pending="s3cret")])
    assert "s3cret" not in shown
