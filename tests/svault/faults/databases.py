"""A database mount on a PostgreSQL, seen from the vault's API and from the database's side."""

from typing import Any

import psycopg

from servers import PostgresqlServer

CREATE = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"


def setup(server: PostgresqlServer, **role: Any) -> list[tuple[str, str, dict[str, Any]]]:
    """The requests that configure a connection `pg` and a role `app`."""
    config = {
        "plugin_name": "postgresql-database-plugin",
        "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@{server.host}:{server.port}/postgres",
        "username": server.superuser,
        "password": server.password,
        "allowed_roles": "*",
    }
    made = {"db_name": "pg", "creation_statements": [CREATE], "default_ttl": "1h", "max_ttl": "24h", **role}
    return [("POST", "database/config/pg", config), ("POST", "database/roles/app", made)]


def users(server: PostgresqlServer) -> set[str]:
    """The users that a vault made."""
    with psycopg.connect(server.url()) as connection:
        return {name for (name,) in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'v-%'")}


def execute(server: PostgresqlServer, statement: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(statement.encode())


def rows(server: PostgresqlServer, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(server.url()) as connection:
        return connection.execute(statement.encode()).fetchall()
