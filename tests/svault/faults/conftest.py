"""A real PostgreSQL for the faults of database leases and of storage."""

from collections.abc import Iterator

import pytest

from servers import PostgresqlServer, postgresql_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server
