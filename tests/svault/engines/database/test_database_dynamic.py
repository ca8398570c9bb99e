"""Users made on demand, on a real PostgreSQL."""

import asyncio
import json
import re
from dataclasses import replace

import psycopg
import pytest

from mounted import DAY, START
from svault.engines.database import DatabaseEngine
from svault.engines.database.failures import RefusedError, UnreachableError
from svault.logical import Identity

pytestmark = pytest.mark.anyio


async def issue(database, role="app"):
    """A user's name and password, and the lease."""
    answer = await database.handle("GET", f"creds/{role}", identity=Identity(display_name="token-ops"))
    return answer.data["username"], answer.data["password"], answer.lease


async def test_a_user_is_made_with_what_its_role_grants(database, postgresql):
    username, password, lease = await issue(database)
    assert re.fullmatch(r"v-token-op-app-[A-Za-z0-9]{20}-1800000000", username)
    assert re.fullmatch(r"[A-Za-z0-9-]{20}", password)
    postgresql.rows("INSERT INTO app.orders VALUES (1)", user=username, password=password)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        postgresql.rows("DELETE FROM app.orders", user=username, password=password)
    assert (lease.kind, lease.ttl, lease.max_ttl, lease.renewable) == ("creds", 3600, DAY, True)


async def test_the_lease_is_written_down_before_the_user_is_made_and_holds_no_password(database, postgresql):
    username, password, lease = await issue(database)
    assert lease.id in database.leases.intended
    assert lease.internal["username"] == username
    assert password not in json.dumps(dict(lease.internal))
    assert not any(password.encode() in value for value in database.entries.values.values())


async def test_the_database_itself_ends_the_user_with_the_lease(database, postgresql):
    username, *_ = await issue(database)
    [(until,)] = postgresql.rows("SELECT extract(epoch FROM rolvaliduntil)::bigint FROM pg_roles WHERE rolname = %s", username)
    assert until == START + 3600 + 5


async def test_a_renewal_moves_the_end_up_to_the_longest_lease(database, postgresql):
    username, _, lease = await issue(database)
    record = database.record(lease)

    def until():
        rows = postgresql.rows("SELECT extract(epoch FROM rolvaliduntil)::bigint FROM pg_roles WHERE rolname = %s", username)
        return rows[0][0] - START

    database.clock.now += 1800
    assert await database.engine.renew(record, 7200) == (7200, DAY)
    assert until() == 1800 + 7200 + 5
    database.clock.now = START + DAY - 600
    assert await database.engine.renew(record, 0) == (3600, DAY)
    assert until() == DAY + 5


async def test_revoking_removes_the_user_its_privileges_and_its_sessions(database, postgresql):
    username, password, lease = await issue(database)
    session = psycopg.connect(postgresql.server.url(), user=username, password=password)
    with session:
        session.execute("SELECT 1 FROM app.orders")
        await database.engine.revoke(database.record(lease))
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1 FROM app.orders")
    assert not postgresql.has(username)


async def test_revoking_again_is_no_error(database, postgresql):
    username, _, lease = await issue(database)
    for _ in range(2):
        await database.engine.revoke(database.record(lease))
    assert not postgresql.has(username)


async def test_a_lease_is_revoked_after_a_restart_from_what_was_written_down(database, postgresql):
    username, _, lease = await issue(database)
    await database.call("DELETE", "roles/app")
    restarted = await database.restarted(DatabaseEngine)
    await restarted.engine.revoke(restarted.record(lease))
    assert not postgresql.has(username)
    await restarted.engine.stop()


async def test_privileges_on_every_kind_of_object_are_taken_before_the_user_is_dropped(database, postgresql):
    postgresql.rows(
        'CREATE SCHEMA IF NOT EXISTS "Odd \'schema"; CREATE TABLE IF NOT EXISTS "Odd \'schema".t (a int, b int);'
        "CREATE SEQUENCE IF NOT EXISTS app.numbers;"
        "CREATE OR REPLACE FUNCTION app.one() RETURNS int LANGUAGE sql AS 'SELECT 1'"
    )
    grants = [
        "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'",
        'GRANT SELECT (a) ON "Odd \'schema".t TO "{{name}}"; GRANT ALL ON SEQUENCE app.numbers TO "{{name}}"',
        'GRANT ALL ON FUNCTION app.one() TO "{{name}}"; GRANT CREATE ON DATABASE postgres TO "{{name}}"',
        'GRANT pg_read_all_data TO "{{name}}" WITH ADMIN OPTION',
    ]
    await database.call("POST", "roles/wide", {"db_name": "pg", "creation_statements": grants})
    username, _, lease = await issue(database, "wide")
    await database.engine.revoke(database.record(lease))
    assert not postgresql.has(username)


async def test_a_user_who_owns_a_table_is_locked_out_and_the_table_stays(database, postgresql):
    create = 'CREATE ROLE "{{name}}" LOGIN PASSWORD \'{{password}}\'; GRANT CREATE ON SCHEMA app TO "{{name}}"'
    await database.call("POST", "roles/owner", {"db_name": "pg", "creation_statements": create})
    username, password, lease = await issue(database, "owner")
    postgresql.rows("GRANT USAGE ON SCHEMA app TO PUBLIC")
    postgresql.rows("CREATE TABLE app.owned (id int)", user=username, password=password)
    with pytest.raises(RefusedError, match="cannot be dropped because some objects depend on it"):
        await database.engine.revoke(database.record(lease))
    assert not postgresql.lets_in(username, password)
    postgresql.rows("DROP TABLE app.owned; REVOKE USAGE ON SCHEMA app FROM PUBLIC")
    await database.engine.revoke(database.record(lease))
    assert not postgresql.has(username)


async def test_a_roles_own_revocation_statements_run_instead(database, postgresql):
    postgresql.rows("CREATE TABLE IF NOT EXISTS app.revoked (name text)")
    statements = [
        "INSERT INTO app.revoked VALUES ('{{username}}')",
        "DO $$ BEGIN EXECUTE format('REVOKE ALL ON app.orders FROM %I', '{{name}}'); END $$",
        'REVOKE ALL ON SCHEMA app FROM "{{name}}"; DROP ROLE {{name}}',
    ]
    await database.call("POST", "roles/app", {"revocation_statements": statements})
    username, _, lease = await issue(database)
    for _ in range(2):
        await database.engine.revoke(database.record(lease))
    assert not postgresql.has(username)
    assert postgresql.rows("SELECT name FROM app.revoked WHERE name = %s", username) == [(username,)]


async def test_a_roles_own_renewal_statements_run_instead(database, postgresql):
    await database.call("POST", "roles/app", {"renew_statements": 'ALTER ROLE "{{name}}" CONNECTION LIMIT 7'})
    username, _, lease = await issue(database)
    await database.engine.renew(database.record(lease), 60)
    assert postgresql.rows("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", username) == [(7,)]


async def test_statements_that_fail_half_way_leave_no_user(database, postgresql):
    statements = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'", 'GRANT SELECT ON nothere TO "{{name}}"']
    await database.call("POST", "roles/bad", {"db_name": "pg", "creation_statements": statements})
    status, errors = await database.call("GET", "creds/bad")
    assert (status, errors) == (500, ['failed to execute query: ERROR: relation "nothere" does not exist (SQLSTATE 42P01)'])
    (lease,) = database.leases.intended.values()
    assert not postgresql.has(lease.internal["username"])
    await database.engine.revoke(database.record(lease))


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE {{name}} PASSWORD 'Canary-0-Word' 'Canary-0-Word'",
        "SELECT 'Canary-0-Word'::int",
        "SELEC 'Canary-0-Word'",
        "SELECT Canary-0-Word",
        "DO $$ BEGIN RAISE EXCEPTION 'leak: %', 'Canary-0-Word'; END $$",
        "SELECT 'unterminated Canary-0-Word",
    ],
)
async def test_no_error_of_the_database_quotes_the_statement(database, postgresql, statement):
    await database.call("POST", "roles/bad", {"db_name": "pg", "creation_statements": [statement]})
    with pytest.raises(RefusedError) as caught:
        await database.handle("GET", "creds/bad")
    told = f"{caught.value} {caught.value.errors} {caught.value.details}"
    assert not re.search("canary|word", told, re.IGNORECASE)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_database_that_is_away_leases_nothing(database, postgresql):
    postgresql.server.stop()
    try:
        status, errors = await database.call("GET", "creds/app")
    finally:
        postgresql.server.start()
    assert (status, errors) == (500, ["failed to connect to the database: Connection refused"])
    assert database.leases.intended == {}
    assert (await database.call("GET", "creds/app"))[0] == 200


@pytest.mark.parametrize("ending", ["stop", "kill"])
async def test_a_database_that_was_away_is_used_again(database, postgresql, ending):
    username, _, lease = await issue(database)
    getattr(postgresql.server, ending)()
    try:
        with pytest.raises(UnreachableError):
            await database.engine.revoke(database.record(lease))
        with pytest.raises(UnreachableError):
            await database.engine.renew(database.record(lease), 60)
    finally:
        postgresql.server.start()
    await database.engine.revoke(database.record(lease))
    assert not postgresql.has(username)


async def test_a_crash_between_intent_and_creation_is_cleaned_up_by_the_intent_alone(database, postgresql):
    _, _, lease = await issue(database)
    never_made = replace(lease, internal={**lease.internal, "username": "v-never-made-1"})
    await database.engine.revoke(database.record(never_made))
    postgresql.rows('CREATE ROLE "v-half-made-1"')
    half_made = replace(lease, internal={**lease.internal, "username": "v-half-made-1"})
    await database.engine.revoke(database.record(half_made))
    assert not postgresql.has("v-half-made-1")
    await database.engine.revoke(database.record(lease))


async def test_a_connection_that_is_no_superuser_revokes_what_it_granted(database, postgresql, config):
    postgresql.rows(
        "DROP SCHEMA IF EXISTS small CASCADE; DROP ROLE IF EXISTS small; CREATE ROLE small LOGIN CREATEROLE PASSWORD 'small';"
        "CREATE SCHEMA small AUTHORIZATION small"
    )
    postgresql.rows("CREATE TABLE small.t (id int)", user="small", password="small")
    assert await database.call("POST", "config/small", {**config, "username": "small", "password": "small"}) == (204, None)
    statements = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'", 'GRANT SELECT ON small.t TO "{{name}}"']
    await database.call("POST", "roles/small", {"db_name": "small", "creation_statements": statements})
    username, _, lease = await issue(database, "small")
    await database.engine.revoke(database.record(lease))
    assert not postgresql.has(username)


async def test_only_the_hash_of_a_password_is_sent_when_it_is_asked_for(database, postgresql):
    await database.call("POST", "config/pg", {"password_authentication": "scram-sha-256"})
    with postgresql.logged_statements() as log:
        username, password, _ = await issue(database)
    assert f'CREATE ROLE "{username}"' in log[0]
    assert password not in log[0]
    assert postgresql.lets_in(username, password)


async def test_a_revocation_waits_for_a_creation_that_goes_on_after_its_client_is_gone(database, postgresql):
    _, _, lease = await issue(database)
    late = replace(lease, internal={**lease.internal, "username": "v-late-1"})
    with psycopg.connect(postgresql.server.url()) as session:
        session.execute("SELECT pg_advisory_xact_lock(hashtextextended('v-late-1', 0))")
        session.execute('CREATE ROLE "v-late-1"')
        revocation = asyncio.create_task(database.engine.revoke(database.record(late)))
        await postgresql.waits_for_lock()
        session.commit()
    await revocation
    assert not postgresql.has("v-late-1")


async def test_a_creation_holds_the_lock_that_a_revocation_waits_for(database, postgresql):
    statements = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'", "SELECT pg_advisory_xact_lock(7)"]
    await database.call("POST", "roles/slow", {"db_name": "pg", "creation_statements": statements})
    with psycopg.connect(postgresql.server.url()) as session:
        session.execute("SELECT pg_advisory_xact_lock(7)")
        creation = asyncio.create_task(issue(database, "slow"))
        await postgresql.waits_for_lock()
        (lease,) = database.leases.intended.values()
        is_free = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))"
        assert session.execute(is_free, (lease.internal["username"],)).fetchone() == (False,)
    assert (await creation)[0] == lease.internal["username"]


async def test_a_role_is_shown_as_it_was_written(database):
    assert (await database.call("GET", "roles/app"))[1]["creation_statements"][0].startswith("CREATE ROLE")
    assert await database.call("LIST", "roles") == (200, {"keys": ["app"]})
    await database.call("DELETE", "roles/app")
    assert await database.call("GET", "roles/app") == (404, [])
    assert await database.call("LIST", "roles") == (404, [])


@pytest.mark.parametrize(
    ("role", "errors"),
    [
        ({}, ["database name is required"]),
        (
            {"db_name": "pg", "credential_type": "rsa_private_key"},
            ["the only credential_type is password, without a credential_config"],
        ),
        ({"db_name": "pg", "default_ttl": -1}, ["default_ttl and max_ttl cannot be negative"]),
    ],
)
async def test_a_role_that_cannot_be_used_is_refused(database, role, errors):
    assert await database.call("POST", "roles/new", role) == (400, errors)


async def test_a_role_must_be_known_and_allowed(database):
    assert await database.call("GET", "creds/none") == (400, ["unknown role: none"])
    await database.call("POST", "config/pg", {"allowed_roles": ["other", "ap?", "[a]pp"]})
    assert await database.call("GET", "creds/app") == (500, ['"app" is not an allowed role'])
    await database.call("POST", "config/pg", {"allowed_roles": "a*"})
    assert (await database.call("GET", "creds/app"))[0] == 200
