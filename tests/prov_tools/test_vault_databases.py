"""Database credentials over a real PostgreSQL: made, used, rotated, ended."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from prov_server import compose
from prov_server.compose import Application
from servers import PostgresqlServer, postgresql_server
from stratumops.errors import StratumError
from stratumops.principal import LOCAL
from stratumops.schema import compact_dump
from stratumops.settings import load
from stratumops.workspace import Workspace
from svault.embedded import KeyPlace

pytestmark = pytest.mark.anyio

CREATION = "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"


@pytest.fixture(scope="module")
def database() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture
async def app(tmp_path: Path, database: PostgresqlServer, anyio_backend: str) -> AsyncIterator[Application]:
    made = compose.build(Workspace.at(tmp_path), load(None, mcp={"toolsets": ["vault"]}))
    await made.vault.initialize(KeyPlace.FILE)
    with psycopg.connect(database.url(), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS vault_root")
        connection.execute("CREATE ROLE vault_root SUPERUSER LOGIN PASSWORD 'first-password'")
    client = await made.vault.client()
    address = f"postgresql://{{{{username}}}}:{{{{password}}}}@{database.host}:{database.port}/postgres"
    config = {
        "plugin_name": "postgresql-database-plugin",
        "connection_url": address,
        "username": "vault_root",
        "password": "first-password",
        "allowed_roles": "*",
    }
    await client.request("POST", "database/config/main", config)
    role = {"db_name": "main", "creation_statements": [CREATION], "default_ttl": "1h", "max_ttl": "24h"}
    await client.request("POST", "database/roles/app", role)
    yield made
    await made.aclose()


async def call(app: Application, name: str, **arguments: Any) -> dict[str, Any]:
    return compact_dump(await app.call(name, arguments, principal=LOCAL, face="mcp"))


async def logs_in(app: Application, database: PostgresqlServer, made: dict[str, Any]) -> str:
    user, password = await app.vault.resolve(made["username"]), await app.vault.resolve(made["password"])
    with psycopg.connect(host=database.host, port=database.port, user=user, password=password, dbname="postgres") as connection:
        row = connection.execute("SELECT current_user").fetchone()
    assert row is not None
    return str(row[0])


async def test_credentials_are_handles_of_a_user_who_can_log_in(app: Application, database: PostgresqlServer):
    made = await call(app, "database_credentials", role="app")
    assert made["ttl"] == 3600
    assert made["password"] == "vault:secret/database/app?version=1#password"
    assert await logs_in(app, database, made) == await app.vault.resolve(made["username"])
    assert await app.vault.resolve(made["password"]) not in json.dumps([made, await call(app, "vault_list")])
    other = await call(app, "database_credentials", role="app")
    assert await logs_in(app, database, other) != await logs_in(app, database, made)


async def test_rotating_them_makes_another_user(app: Application, database: PostgresqlServer):
    made = await call(app, "database_credentials", role="app")
    rotated = await call(app, "vault_rotate", handle="vault:secret/database/app#password")
    assert rotated["handle"] == "vault:secret/database/app?version=2#password"
    assert await app.vault.resolve(rotated["handle"]) != await app.vault.resolve(made["password"])


async def test_the_roots_password_is_rotated_and_only_the_vault_knows_it(app: Application, database: PostgresqlServer):
    assert "only the vault knows" in (await call(app, "vault_rotate", handle="database/config/main"))["notes"][0]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(
            host=database.host, port=database.port, user="vault_root", password="first-password", dbname="postgres"
        ).close()
    await logs_in(app, database, await call(app, "database_credentials", role="app"))


async def test_a_role_that_there_is_not_is_told(app: Application):
    with pytest.raises(StratumError) as caught:
        await call(app, "database_credentials", role="none")
    assert caught.value.hint


async def test_a_user_whose_password_cannot_be_kept_does_not_live_on(app: Application, database: PostgresqlServer):
    def users() -> int:
        with psycopg.connect(database.url()) as connection:
            row = connection.execute("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-%app%'").fetchone()
        assert row is not None
        return int(row[0])

    before = users()
    await (await app.vault.client()).request("POST", "secret/config", {"metadata_cas_required": True})
    with pytest.raises(StratumError):
        await call(app, "database_credentials", role="app")
    assert users() == before
