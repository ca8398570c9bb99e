"""Static roles: a user's password, rotated by the vault."""

import psycopg
import pytest

from mounted import START
from svault.engines.database import DatabaseEngine

pytestmark = pytest.mark.anyio


@pytest.fixture
async def static(database, user):
    """The database mount with the static role `legacy`."""
    role = {"db_name": "pg", "username": user, "rotation_period": "1h"}
    assert await database.call("POST", "static-roles/legacy", role) == (204, None)
    return database


async def password(database) -> str:
    return (await database.call("GET", "static-creds/legacy"))[1]["password"]


async def settle(database) -> None:
    """Run what the engine began in the background."""
    await database.engine.tick()
    while database.leases.spawned:
        await database.leases.spawned.pop()


async def test_a_new_static_role_rotates_its_users_password_at_once(static, postgresql, user):
    assert not postgresql.lets_in(user, "old")
    assert postgresql.lets_in(user, await password(static))
    assert await static.call("GET", "static-roles/legacy") == (
        200,
        {
            "credential_type": "password",
            "db_name": "pg",
            "last_vault_rotation": "2027-01-15T08:00:00.000000Z",
            "rotation_period": 3600,
            "rotation_statements": [],
            "username": user,
        },
    )
    assert await static.call("LIST", "static-roles") == (200, {"keys": ["legacy"]})


async def test_a_password_is_rotated_when_its_time_has_come(static, postgresql, user):
    first = await password(static)
    static.clock.now = START + 3599
    await settle(static)
    assert (await static.call("GET", "static-creds/legacy"))[1]["ttl"] == 1
    assert await password(static) == first
    static.clock.now = START + 3600
    await settle(static)
    assert await password(static) != first
    assert postgresql.lets_in(user, await password(static))
    assert not postgresql.lets_in(user, first)


async def test_the_time_of_a_rotation_outlives_a_restart(static):
    first = await password(static)
    restarted = await static.restarted(DatabaseEngine)
    await settle(restarted)
    assert await password(restarted) == first
    restarted.clock.now += 3600
    await settle(restarted)
    assert await password(restarted) != first
    await restarted.engine.stop()


async def test_a_clock_that_was_set_back_does_not_stop_the_rotation(static):
    first = await password(static)
    static.clock.now = START - 30 * 86400
    await settle(static)
    assert await password(static) != first


async def test_a_rotation_that_failed_is_tried_again_later(static, postgresql, user):
    static.clock.now += 3600
    postgresql.server.stop()
    try:
        await settle(static)
    finally:
        postgresql.server.start()
    assert postgresql.lets_in(user, await password(static))
    first = await password(static)
    await settle(static)
    assert await password(static) == first
    static.clock.now += 10
    await settle(static)
    assert await password(static) != first
    assert postgresql.lets_in(user, await password(static))


@pytest.mark.parametrize("was_set", [True, False])
async def test_a_crash_in_a_rotation_leaves_a_password_that_works(static, postgresql, user, was_set):
    entries = static.entries.values
    (key,) = [key for key in entries if key.endswith("static-roles/legacy")]
    entries[key] = entries[key].replace(b'"pending":""', b'"pending":"half-done"')
    if was_set:
        postgresql.rows(f"ALTER ROLE {psycopg.sql.Identifier(user).as_string()} PASSWORD 'half-done'")
    restarted = await static.restarted(DatabaseEngine)
    assert postgresql.lets_in(user, await password(restarted))
    await restarted.engine.stop()


async def test_a_rotation_by_hand(static, postgresql, user):
    first = await password(static)
    assert await static.call("POST", "rotate-role/legacy") == (204, None)
    assert not postgresql.lets_in(user, first)
    assert postgresql.lets_in(user, await password(static))


async def test_a_roles_own_statements_rotate(static, postgresql, user):
    statements = ["ALTER ROLE \"{{name}}\" PASSWORD '{{password}}' CONNECTION LIMIT 5"]
    assert await static.call("POST", "static-roles/legacy", {"rotation_statements": statements}) == (204, None)
    await static.call("POST", "rotate-role/legacy")
    assert postgresql.lets_in(user, await password(static))
    assert postgresql.rows("SELECT rolconnlimit FROM pg_roles WHERE rolname = %s", user) == [(5,)]


async def test_statements_that_are_refused_leave_the_old_password(static, postgresql, user):
    first = await password(static)
    await static.call("POST", "static-roles/legacy", {"rotation_statements": ["ALTER ROLE nobody PASSWORD '{{password}}'"]})
    assert await static.call("POST", "rotate-role/legacy") == (
        500,
        ['failed to execute query: ERROR: role "nobody" does not exist (SQLSTATE 42704)'],
    )
    assert await password(static) == first
    assert postgresql.lets_in(user, first)


async def test_a_user_who_is_not_there_makes_no_static_role(database):
    role = {"db_name": "pg", "username": "nobody", "rotation_period": "1h"}
    assert await database.call("POST", "static-roles/new", role) == (
        500,
        ['error setting credentials: failed to execute query: ERROR: role "nobody" does not exist (SQLSTATE 42704)'],
    )
    assert await database.call("GET", "static-roles/new") == (404, [])
    assert await database.call("GET", "static-creds/new") == (400, ["unknown role: new"])
    assert await database.call("POST", "rotate-role/new") == (400, ["no static role found for role name"])


async def test_a_removed_static_role_is_not_rotated_any_more(static, postgresql, user):
    last = await password(static)
    assert await static.call("DELETE", "static-roles/legacy") == (204, None)
    static.clock.now += 10**6
    await settle(static)
    assert postgresql.lets_in(user, last)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"db_name": ""}, "database name is a required field"),
        ({"username": ""}, "username is a required field to create a static account"),
        ({"username": "x" * 64}, "username is printable text of at most 63 bytes"),
        ({"rotation_period": 0}, "rotation_period is required to create static accounts"),
        ({"rotation_period": 4}, "rotation_period must be 5 seconds or more"),
        ({"rotation_schedule": "0 * * * *"}, "rotation_schedule and rotation_window are not supported; give a rotation_period"),
        ({"username": "administrator"}, "the connection itself uses this user: rotate its password with rotate-root"),
    ],
)
async def test_a_static_role_that_cannot_be_used_is_refused(database, change, error):
    role = {"db_name": "pg", "username": "someone", "rotation_period": "1h", **change}
    assert await database.call("POST", "static-roles/new", role) == (400, [error])


async def test_names_of_both_kinds_of_roles_differ_and_users_stay(static):
    unique = (400, ["Role and Static Role names must be unique"])
    assert await static.call("POST", "roles/legacy", {"db_name": "pg"}) == unique
    assert await static.call("POST", "static-roles/app", {"db_name": "pg", "username": "x", "rotation_period": 60}) == unique
    assert await static.call("POST", "static-roles/legacy", {"username": "other"}) == (
        400,
        ["cannot update static account username"],
    )
