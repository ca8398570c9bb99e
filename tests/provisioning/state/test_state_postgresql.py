"""What is PostgreSQL's own: a server that goes away, a password that is never told, many who open it at once."""

import threading
import traceback

import pytest
from sqlalchemy import inspect, text

from provisioning.errors import StateTooNewError
from provisioning.state import postgresql as implementation
from provisioning.state.database import Database
from provisioning.state.sql import SqlStore
from provisioning.state.store import StateStore, open_store
from provisioning.state.tables import METADATA
from servers import postgresql_server
from stratumops.errors import InvalidInputError, UnavailableError

from .states import WRITE, server

SECRET = "hunter2-and-more"


def test_a_server_that_goes_away_is_told_and_used_again_when_it_is_back():
    with postgresql_server() as own:
        store = open_store(own.url())
        store.put(server("before"), WRITE)
        own.kill()
        with pytest.raises(UnavailableError) as caught:
            store.put(server("lost"), WRITE)
        with pytest.raises(UnavailableError):
            store.head()
        assert f"127.0.0.1:{own.port}" in caught.value.message
        shown = "".join(traceback.format_exception(caught.value))
        assert own.password not in shown + str(caught.value.as_dict())
        own.start()
        assert store.put(server("after"), WRITE).serial == 2
        assert store.verify_history() == []
        store.close()


def test_a_connection_that_is_cut_within_a_transaction_writes_nothing(database: str):
    store = open_store(database)
    assert isinstance(store, SqlStore)
    with pytest.raises(UnavailableError):
        _cut_off(store.database)
    assert store.head().serial == 0
    store.close()


def _cut_off(database: Database) -> None:
    with database.write() as tx:
        tx.change(serial=99)
        backend = tx.connection.execute(text("SELECT pg_backend_pid()")).scalar()
        with database.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
        tx.change(hash="x")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://ana:{SECRET}@127.0.0.1:1/none",
        f"postgresql://ana:{SECRET}@{SECRET}@127.0.0.1:1/none",
        f"postgresql://ana:{SECRET}@127.0.0.1:port/none",
        f"postgresql://ana:{SECRET}@127.0.0.1:1/none?connect_timeout=x",
        f"postgresql://ana:{SECRET}@127.0.0.1:1/none?{SECRET}=1",
        f"mysql://ana:{SECRET}@127.0.0.1/none",
        f"postgresql://ana:x@{SECRET}@127.0.0.1:1/a@b",
    ],
)
def test_no_error_holds_the_password(url: str):
    with pytest.raises((UnavailableError, InvalidInputError)) as caught:
        open_store(url)
    assert SECRET not in str(caught.value.as_dict())
    assert caught.value.hint


def test_a_wrong_password_is_told_and_not_shown(database: str):
    user, _, rest = database.partition("@")
    with pytest.raises(UnavailableError, match="password authentication failed") as caught:
        open_store(f"{user.rpartition(':')[0]}:{SECRET}@{rest}")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_many_who_open_a_new_database_at_once_find_one_state(database: str):
    stores: list[StateStore] = []

    def opens() -> None:
        stores.append(open_store(database))

    threads = [threading.Thread(target=opens) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len({store.head().lineage for store in stores}) == 1
    assert len(stores) == 6
    for store in stores:
        store.close()


def test_a_newer_schema_is_not_touched(database: str):
    store = open_store(database)
    assert isinstance(store, SqlStore)
    with store.database.write() as tx:
        tx.connection.execute(text("UPDATE prov_state_version SET version_num = '0042'"))
    store.close()
    with pytest.raises(StateTooNewError, match="0042"):
        open_store(database)


def test_the_migrations_make_the_tables_as_they_are_declared(store: StateStore):
    assert isinstance(store, SqlStore)
    found = inspect(store.database.engine)
    for table in METADATA.tables.values():
        columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
        assert columns == {column.name: bool(column.nullable) for column in table.columns}
        indexes = {index["name"] for index in found.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= indexes
    assert set(METADATA.tables) == set(found.get_table_names()) - {"prov_state_version"}


def test_words_about_the_server_leave_out_the_user():
    url = implementation.parse(f"postgres://ana:{SECRET}@db.example/states")
    assert implementation.where(url) == "the PostgreSQL database states at db.example:5432"
