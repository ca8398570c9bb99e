"""hvac's calls for the database engine, beside OpenBao, each on users of its own of one real PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest
from hvac import exceptions

from hvac_beside import Pair, Told
from servers import PostgresqlServer, postgresql_server

AT = {"mount_point": "db"}
CREATE = ["CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


def test_users_are_made_renewed_and_revoked_and_static_ones_rotated(both: Pair, postgresql: PostgresqlServer):
    def tale(told: Told) -> None:
        with psycopg.connect(postgresql.url(), autocommit=True) as connection:
            for statement in ("DROP ROLE IF EXISTS administrator", "DROP ROLE IF EXISTS legacy"):
                connection.execute(statement)
            connection.execute("CREATE ROLE administrator SUPERUSER LOGIN PASSWORD 'first'")
            connection.execute("CREATE ROLE legacy LOGIN PASSWORD 'old'")
        client = told.client()
        client.sys.enable_secrets_engine("database", path="db")
        database = client.secrets.database
        database.configure(
            "pg",
            plugin_name="postgresql-database-plugin",
            allowed_roles="*",
            connection_url=f"postgresql://{{{{username}}}}:{{{{password}}}}@{postgresql.host}:{postgresql.port}/postgres?sslmode=disable",
            username="administrator",
            password="first",
            **AT,
        )
        database.read_connection("pg", **AT)
        assert database.list_connections(**AT)["data"]["keys"] == ["pg"]
        database.create_role("app", db_name="pg", creation_statements=CREATE, default_ttl="1h", max_ttl="2h", **AT)
        database.read_role("app", **AT)
        assert database.list_roles(**AT)["data"]["keys"] == ["app"]
        issued = database.generate_credentials("app", **AT)
        client.sys.read_lease(issued["lease_id"])
        assert client.sys.renew_lease(issued["lease_id"], increment=1800)["lease_duration"] == 1800
        assert len(client.sys.list_leases("db/creds/app")["data"]["keys"]) == 1
        client.sys.revoke_lease(issued["lease_id"])
        with pytest.raises(exceptions.InvalidRequest):
            client.sys.read_lease(issued["lease_id"])
        database.create_static_role("kept", db_name="pg", username="legacy", rotation_statements=[], rotation_period="1h", **AT)
        first = database.get_static_credentials("kept", **AT)["data"]["password"]
        database.rotate_static_role_credentials("kept", **AT)
        assert database.get_static_credentials("kept", **AT)["data"]["password"] != first
        database.read_static_role("kept", **AT)
        assert database.list_static_roles(**AT)["data"]["keys"] == ["kept"]
        database.delete_static_role("kept", **AT)
        database.delete_role("app", **AT)
        with pytest.raises(exceptions.InvalidRequest):
            database.generate_credentials("app", **AT)
        database.reset_connection("pg", **AT)
        database.rotate_root_credentials("pg", **AT)
        database.delete_connection("pg", **AT)
        with pytest.raises(exceptions.InvalidPath):
            database.read_connection("pg", **AT)
        client.sys.disable_secrets_engine("db")

    random = "it is random"
    both.tell(
        tale,
        {
            "GET db/creds/app .data.password": random,
            "GET db/static-creds/kept .data.password": random,
            "LIST sys/leases/lookup/db/creds/app .data.keys": random,
        },
    )
