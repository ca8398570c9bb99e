"""Connections: their configuration, and the rotation of their own password."""

import json
import subprocess
import sys

import pytest

from mounted import mounted
from svault.engines.database import DatabaseEngine

pytestmark = pytest.mark.anyio
WITHOUT_DRIVER = """
import asyncio, sys
sys.modules["psycopg"] = None
sys.path.insert(0, "tests")
from mounted import mounted
from svault.engines.database import DatabaseEngine

async def main():
    mount = await mounted(DatabaseEngine)
    body = {"plugin_name": "postgresql-database-plugin", "connection_url": "postgresql://localhost/postgres"}
    print(await mount.call("POST", "config/pg", body))

asyncio.run(main())
"""


async def test_a_connection_is_shown_without_its_password(database, postgresql):
    assert await database.call("GET", "config/pg") == (
        200,
        {
            "allowed_roles": ["*"],
            "connection_details": {
                "connection_url": postgresql.template,
                "username": "administrator",
            },
            "password_policy": "",
            "plugin_name": "postgresql-database-plugin",
            "plugin_version": "",
            "root_credentials_rotate_statements": [],
        },
    )
    assert await database.call("LIST", "config") == (200, {"keys": ["pg"]})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://u:s3cret@h/d?sslmode=require",
        "host=h password=s3cret user=u",
        "password='s3cret x' host=h",
    ],
)
async def test_a_password_inside_the_address_is_hidden(database, config, url):
    assert await database.call("POST", "config/hidden", {**config, "connection_url": url, "verify_connection": False}) == (
        204,
        None,
    )
    shown = json.dumps((await database.call("GET", "config/hidden"))[1])
    assert "s3cret" not in shown
    assert "*****" in shown


async def test_a_connection_that_does_not_work_is_not_kept(database, config):
    wrong = {**config, "password": "wr0ng"}
    status, [error] = await database.call("POST", "config/new", wrong)
    assert status == 400
    assert error.startswith("error creating database object: error verifying connection: failed to connect to the database: pass")
    assert await database.call("GET", "config/new") == (404, [])
    assert await database.call("POST", "config/pg", {"password": "wr0ng"}) == (400, [error])
    assert (await database.call("GET", "creds/app"))[0] == 200
    assert await database.call("POST", "config/new", {**wrong, "verify_connection": False}) == (204, None)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"plugin_name": ""}, "empty plugin name"),
        (
            {"plugin_name": "mysql"},
            "error creating database object: plugin not found in the catalog: mysql; there is postgresql-database-plugin",
        ),
        ({"connection_url": ""}, "error creating database object: connection_url cannot be empty"),
        (
            {"connection_url": "s3cret"},
            "error creating database object: connection_url is neither a URL nor key=value that libpq reads",
        ),
        ({"password_policy": "p"}, "password policies are not supported; passwords are 20 letters, digits and '-'"),
        ({"password_authentication": "md5"}, "password_authentication is one of password, scram-sha-256"),
        ({"max_open_connections": 0}, "max_open_connections is a number from 1 to 100"),
        ({"username_template": "{{random 4}}"}, "username_template: {{random N}} with N of at least 8 is needed"),
    ],
)
async def test_a_connection_that_cannot_be_used_is_refused(database, config, change, error):
    assert await database.call("POST", "config/new", {**config, **change}) == (400, [error])


async def test_a_field_that_nothing_is_done_with_is_named_in_a_warning(database):
    answer = await database.handle("POST", "config/pg", {"bogus": 1})
    assert answer.warnings == ["Endpoint ignored these unrecognized parameters: [bogus]"]


@pytest.mark.parametrize("password", ["p@ss:w/ord?#", 'it\'s \\ "quoted"', "100% ünï"])
@pytest.mark.parametrize("form", ["url", "keys"])
async def test_a_password_of_any_characters_gets_through_the_address(database, postgresql, config, password, form):
    postgresql.rows("ALTER ROLE administrator PASSWORD '" + password.replace("'", "''") + "'")
    server = postgresql.server
    keys = f"host={server.host} port={server.port} dbname=postgres user={{{{username}}}} password={{{{password}}}}"
    url = config["connection_url"] if form == "url" else keys
    assert await database.call("POST", "config/odd", {**config, "connection_url": url, "password": password}) == (204, None)


async def test_the_connections_own_password_is_rotated_and_only_the_vault_knows_it(database, postgresql):
    assert await database.call("POST", "rotate-root/pg") == (204, None)
    assert not postgresql.lets_in("administrator", "first")
    assert (await database.call("GET", "creds/app"))[0] == 200
    restarted = await database.restarted(DatabaseEngine)
    assert (await restarted.call("GET", "creds/app"))[0] == 200
    await restarted.engine.stop()


async def test_the_connections_own_statements_rotate_it(database, postgresql):
    statements = "ALTER USER \"{{username}}\" WITH PASSWORD '{{password}}'"
    await database.call("POST", "config/pg", {"root_rotation_statements": statements})
    assert await database.call("POST", "rotate-root/pg") == (204, None)
    assert not postgresql.lets_in("administrator", "first")
    assert (await database.call("GET", "creds/app"))[0] == 200


@pytest.mark.parametrize("was_set", [True, False])
async def test_a_crash_in_a_root_rotation_leaves_a_password_that_works(database, postgresql, was_set):
    entries = database.entries.values
    (key,) = [key for key in entries if key.endswith("config/pg")]
    entries[key] = entries[key].replace(b'"pending":""', b'"pending":"half-done"')
    if was_set:
        postgresql.rows("ALTER ROLE administrator PASSWORD 'half-done'")
    restarted = await database.restarted(DatabaseEngine)
    assert (await restarted.call("GET", "creds/app"))[0] == 200
    stored = json.loads(entries[key])
    assert (stored["password"], stored["pending"]) == ("half-done" if was_set else "first", "")
    await restarted.engine.stop()


async def test_a_root_rotation_that_is_refused_leaves_the_old_password(database, postgresql):
    await database.call("POST", "config/pg", {"root_rotation_statements": ["ALTER ROLE nobody PASSWORD '{{password}}'"]})
    assert (await database.call("POST", "rotate-root/pg"))[0] == 500
    assert (await database.call("GET", "creds/app"))[0] == 200
    assert postgresql.lets_in("administrator", "first")


async def test_a_root_rotation_with_the_database_away_changes_nothing(database, postgresql):
    postgresql.server.stop()
    try:
        assert (await database.call("POST", "rotate-root/pg"))[0] == 500
    finally:
        postgresql.server.start()
    assert (await database.call("GET", "creds/app"))[0] == 200


async def test_users_are_made_while_the_root_password_is_rotated(database):
    import anyio

    refused = []

    async def issue() -> None:
        status, answer = await database.call("GET", "creds/app")
        if status != 200:
            refused.append(answer)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(issue)
            if number % 7 == 3:
                group.start_soon(database.call, "POST", "rotate-root/pg")
    assert refused == []


async def test_no_more_connections_are_open_than_allowed(database, postgresql):
    import anyio

    await database.call("POST", "config/pg", {"max_open_connections": 2})
    async with anyio.create_task_group() as group:
        for _ in range(12):
            group.start_soon(database.call, "GET", "creds/app")
    rows = postgresql.rows("SELECT count(*) FROM pg_stat_activity WHERE usename = 'administrator'")
    assert rows == [(2,)]


async def test_a_password_that_is_part_of_the_address_cannot_be_rotated(database, config, postgresql):
    url = config["connection_url"].replace("{{username}}:{{password}}", "administrator:first")
    await database.call("POST", "config/pg", {"connection_url": url})
    assert await database.call("POST", "rotate-root/pg") == (
        400,
        ["unable to rotate root credentials: connection_url needs {{username}} and {{password}}"],
    )


@pytest.mark.parametrize("path", ["reset/none", "rotate-root/none"])
async def test_a_connection_that_is_not_there_is_named(database, path):
    assert await database.call("POST", path) == (500, ['failed to find entry for connection with name: "none"'])


async def test_a_reset_connection_is_opened_anew(database, postgresql):
    async def backend() -> list[tuple[int]]:
        await database.call("GET", "creds/app")
        return postgresql.rows("SELECT pid FROM pg_stat_activity WHERE usename = 'administrator'")

    first = await backend()
    assert await backend() == first
    assert await database.call("POST", "reset/pg") == (204, None)
    assert await backend() != first


async def test_a_deleted_connection_is_gone(database):
    assert await database.call("DELETE", "config/pg") == (204, None)
    assert await database.call("GET", "config/pg") == (404, [])
    assert await database.call("GET", "creds/app") == (500, ['failed to find entry for connection with name: "pg"'])


def test_without_the_driver_the_answer_says_how_to_install_it():
    done = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str((400, ["the PostgreSQL driver is not installed: pip install 'stratumops[postgresql]'"])), (
        done.stderr
    )


async def test_nothing_is_configured_in_a_new_mount():
    database = await mounted(DatabaseEngine)
    for path in ("config", "roles", "static-roles"):
        assert await database.call("LIST", path) == (404, [])
        assert await database.call("GET", f"{path}/none") == (404, [])
        assert await database.call("DELETE", f"{path}/none") == (204, None)
