"""One contract over both databases: SQLite in a folder, and a real PostgreSQL."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from provisioning.state.store import StateStore, open_store
from servers import PostgresqlServer, postgresql_server

from .states import Told


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def shared_database(postgresql: PostgresqlServer) -> str:
    """The URL of a PostgreSQL database in which every test has a state of its own."""
    return _created(postgresql)


@pytest.fixture
def database(postgresql: PostgresqlServer) -> str:
    """The URL of a PostgreSQL database of the test's own."""
    return _created(postgresql)


def _created(postgresql: PostgresqlServer) -> str:
    name = f"d{uuid.uuid4().hex}"
    with psycopg.connect(postgresql.url(), autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgresql.url(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Where a state may lie (a folder, or a URL), and its name."""
    if request.param == "sqlite":
        return str(tmp_path / "state"), "default"
    return request.getfixturevalue("shared_database"), uuid.uuid4().hex


@pytest.fixture
def stores(place: tuple[str, str]) -> Iterator[Callable[..., StateStore]]:
    """Opens the state of `place`, as often as a test likes."""
    opened: list[StateStore] = []

    def opens(**more: object) -> StateStore:
        opened.append(open_store(place[0], name=place[1], **more))  # type: ignore[arg-type] # options by name
        return opened[-1]

    yield opens
    for one in opened:
        one.close()


@pytest.fixture
def store(stores: Callable[..., StateStore]) -> StateStore:
    return stores()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a state in a file lies."""
    return tmp_path / "state"


@pytest.fixture
def told() -> Told:
    return Told()
