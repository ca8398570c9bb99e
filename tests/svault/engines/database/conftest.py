"""A real PostgreSQL, and a database mount that is connected to it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from mounted import Mounted, mounted
from servers import PostgresqlServer, postgresql_server
from svault.engines.database import DatabaseEngine

CREATE = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'",
    'GRANT SELECT, INSERT ON app.orders TO "{{name}}"; GRANT USAGE ON SCHEMA app TO "{{name}}"',
]


@dataclass
class Postgresql:
    """The server, asked as its administrator or as somebody else."""

    server: PostgresqlServer

    @property
    def template(self) -> str:
        """The address with Vault's placeholders."""
        return f"postgresql://{{{{username}}}}:{{{{password}}}}@{self.server.host}:{self.server.port}/postgres"

    def rows(self, statement: str, *values: Any, user: str = "", password: str = "") -> list[tuple[Any, ...]]:
        """What a statement gives."""
        conninfo = f"host={self.server.host} port={self.server.port} dbname=postgres connect_timeout=5"
        user, password = user or self.server.superuser, password or self.server.password
        with psycopg.connect(conninfo, user=user, password=password, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def lets_in(self, user: str, password: str) -> bool:
        """Whether a user can log in."""
        try:
            self.rows("SELECT 1", user=user, password=password)
        except psycopg.OperationalError:
            return False
        return True

    def has(self, user: str) -> bool:
        """Whether there is such a user."""
        return bool(self.rows("SELECT 1 FROM pg_roles WHERE rolname = %s", user))

    async def waits_for_lock(self) -> None:
        """Return when some session waits for an advisory lock."""
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND wait_event = 'advisory'"
        async with asyncio.timeout(20):
            while not await asyncio.to_thread(self.rows, waiting):
                continue

    @contextmanager
    def logged_statements(self) -> Iterator[list[str]]:
        """The server's log of every statement that runs meanwhile, one text."""
        self.rows("ALTER SYSTEM SET log_statement = 'all'")
        self.rows("SELECT pg_reload_conf()")
        log: list[str] = []
        try:
            yield log
        finally:
            self.rows("ALTER SYSTEM RESET log_statement")
            self.rows("SELECT pg_reload_conf()")
            log.append((self.server.folder / "log").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """A server with one table, `app.orders`."""
    with postgresql_server() as server:
        postgresql = Postgresql(server)
        postgresql.rows("CREATE SCHEMA app; CREATE TABLE app.orders (id int)")
        yield postgresql


@pytest.fixture
def administrator(postgresql: Postgresql) -> str:
    """The name of a superuser of its own for a test, with the password `first`."""
    postgresql.rows("DROP ROLE IF EXISTS administrator; CREATE ROLE administrator SUPERUSER LOGIN PASSWORD 'first'")
    return "administrator"


@pytest.fixture
def config(postgresql: Postgresql, administrator: str) -> dict[str, Any]:
    """What a client sends to connect."""
    return {
        "plugin_name": "postgresql-database-plugin",
        "connection_url": postgresql.template,
        "username": administrator,
        "password": "first",
        "allowed_roles": "*",
    }


@pytest.fixture
async def database(config: dict[str, Any]) -> AsyncIterator[Mounted]:
    """A mount with the connection `pg` and the role `app`."""
    mount = await mounted(DatabaseEngine)
    assert await mount.call("POST", "config/pg", config) == (204, None)
    role = {"db_name": "pg", "creation_statements": CREATE, "default_ttl": "1h", "max_ttl": "24h"}
    assert await mount.call("POST", "roles/app", role) == (204, None)
    yield mount
    await mount.engine.stop()


@pytest.fixture
def user(postgresql: Postgresql) -> str:
    """The name of a user who exists already, with quotes in it."""
    name = 'o\'neil "app"'
    quoted = psycopg.sql.Identifier(name).as_string()
    postgresql.rows(f"DROP ROLE IF EXISTS {quoted}; CREATE ROLE {quoted} LOGIN PASSWORD 'old'")
    return name
