"""The PostgreSQL storage on a real server."""

import asyncio
import contextlib
import itertools
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from tests.svault.storage.storage_contract import DurableContract

from servers import PostgresqlServer, postgresql_server
from svault.errors import StorageError
from svault.storage.base import ABSENT, CommitConflictError, Write
from svault.storage.postgresql import PostgresqlStorage
from svault.storage.postgresql.entries import LEADER

pytestmark = pytest.mark.anyio
TABLES = (f"entries_{number}" for number in itertools.count())


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    with postgresql_server() as running:
        yield running


@pytest.fixture
def connect(server: PostgresqlServer) -> Callable[[], PostgresqlStorage]:
    table = next(TABLES)
    return lambda: PostgresqlStorage(server.url(), table=table)


@pytest.fixture
async def storage(connect: Callable[[], PostgresqlStorage]) -> AsyncIterator[PostgresqlStorage]:
    made = connect()
    await made.open()
    yield made
    await made.aclose()


class TestPostgresql(DurableContract):
    pass


async def test_of_200_commits_by_several_servers_that_expect_the_same_version_one_wins(
    storage: PostgresqlStorage, connect: Callable[[], PostgresqlStorage]
):
    others = [connect() for _ in range(3)]
    for other in others:
        await other.open()
    everybody = [storage, *others]

    async def try_it(number: int) -> bool:
        try:
            await everybody[number % 4].commit([Write("a", b"%d" % number), Write(f"by/{number}", b"")], {"a": ABSENT})
        except CommitConflictError:
            return False
        return True

    won = [number for number, has_won in enumerate(await asyncio.gather(*map(try_it, range(200)))) if has_won]
    entry = await storage.get("a")
    assert entry is not None
    assert [entry.value] == [b"%d" % number for number in won]
    assert await storage.list("by/") == [str(number) for number in won]
    for other in others:
        await other.aclose()


async def test_a_server_that_was_stopped_and_started_is_used_again_at_once(server: PostgresqlServer, storage: PostgresqlStorage):
    await asyncio.gather(*(storage.commit([Write(f"k/{number}", b"1")]) for number in range(20)))
    server.stop()
    with pytest.raises(StorageError, match="refused"):
        await storage.get("k/1")
    with pytest.raises(StorageError):
        await storage.commit([Write("k/1", b"2")])
    server.start()
    assert len(await storage.list("k/")) == 20
    await asyncio.gather(*(storage.commit([Write(f"k/{number}", b"2")]) for number in range(20)))


async def test_nothing_acknowledged_is_lost_when_the_server_crashes_in_the_middle_of_writes(
    server: PostgresqlServer, storage: PostgresqlStorage
):
    acknowledged: list[int] = []
    enough = asyncio.Event()

    async def write(numbers: range) -> None:
        for number in numbers:
            await storage.commit([Write(f"n/{number}", b"1"), Write(f"m/{number}", b"1")])
            acknowledged.append(number)
            if len(acknowledged) == 40:
                enough.set()

    writers = [asyncio.create_task(write(range(start, start + 1_000_000))) for start in range(0, 8_000_000, 1_000_000)]
    await enough.wait()
    server.kill()
    failures = await asyncio.gather(*writers, return_exceptions=True)
    assert {type(failure) for failure in failures} == {StorageError}
    server.start()
    kept = await storage.list("n/")
    assert {str(number) for number in acknowledged} <= set(kept)
    assert kept == await storage.list("m/")


async def test_a_server_that_does_not_answer_is_given_up_after_the_time_limit(server: PostgresqlServer):
    storage = PostgresqlStorage(server.url(), table=next(TABLES), timeout=2)
    await storage.open()
    await storage.commit([Write("a", b"1")])
    with _frozen(server), pytest.raises(StorageError):
        await storage.get("a")
    assert await storage.get("a") is not None
    await storage.aclose()


async def test_a_commit_that_a_frozen_leader_never_finishes_does_not_hold_up_the_next_leader(server: PostgresqlServer):
    storage = PostgresqlStorage(server.url(), table=next(TABLES), timeout=2)
    await storage.open()
    # What the database sees of a leader that stops between two messages of a commit; its lease has run out.
    frozen = await psycopg.AsyncConnection.connect(server.url())
    await frozen.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [storage._space, LEADER])
    election = storage.election()
    async with asyncio.timeout(30):
        await election.campaign("next")
    with pytest.raises(psycopg.OperationalError, match="terminating"):
        await frozen.execute("SELECT 1")
    await frozen.close()
    await storage.commit([Write("a", b"1")])
    await election.resign()
    await storage.aclose()


@contextlib.contextmanager
def _frozen(server: PostgresqlServer) -> Iterator[None]:
    assert server.process is not None
    parent = server.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    processes = [parent, *map(int, children)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


async def test_a_wrong_password_is_refused_and_not_told(server: PostgresqlServer):
    storage = PostgresqlStorage(server.url().replace(server.password, "canary-password"))
    with pytest.raises(StorageError, match="password authentication failed") as refused:
        await storage.open()
    assert "canary" not in _everything_about(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:canary-password@[::1/db",
        "postgresql://u:canary-password@h/db?no=such",
        "postgresql://u:pa@canary@h/db",
        "canary-password",
    ],
)
async def test_an_address_that_cannot_be_read_is_refused_without_the_password(url: str):
    with pytest.raises(StorageError, match="cannot be read") as refused:
        PostgresqlStorage(url)
    assert "canary" not in _everything_about(refused.value)


def _everything_about(error: BaseException) -> str:
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{error!r} {error} {getattr(error, 'as_dict', dict)()} {_everything_about(cause) if cause else ''}"


async def test_a_user_who_may_not_create_uses_a_table_that_is_there(server: PostgresqlServer):
    owner = PostgresqlStorage(server.url(), schema='the "vault"', table="kept entries")
    await owner.open()
    await owner.commit([Write("a", b"1")])
    await owner.aclose()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE narrow LOGIN PASSWORD 'narrow'")
        connection.execute('GRANT USAGE ON SCHEMA "the ""vault""" TO narrow')
        connection.execute('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "the ""vault""" TO narrow')
        connection.execute('GRANT USAGE ON ALL SEQUENCES IN SCHEMA "the ""vault""" TO narrow')
    url = f"postgresql://narrow:narrow@{server.host}:{server.port}/postgres"
    storage = PostgresqlStorage(url, schema='the "vault"', table="kept entries")
    await storage.open()
    await storage.commit([Write("b", b"2")])
    assert await storage.list("") == ["a", "b"]
    await storage.aclose()
    refused = PostgresqlStorage(url, schema="another")
    with pytest.raises(StorageError, match="permission denied"):
        await refused.open()
    await refused.aclose()


async def test_a_user_who_may_create_tables_but_no_schemas_gets_a_table(server: PostgresqlServer):
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE tenant LOGIN PASSWORD 'tenant'")
        connection.execute("CREATE SCHEMA tenant")
        connection.execute("GRANT USAGE, CREATE ON SCHEMA tenant TO tenant")
    storage = PostgresqlStorage(f"postgresql://tenant:tenant@{server.host}:{server.port}/postgres", schema="tenant")
    await storage.open()
    await storage.commit([Write("a", b"1")])
    await storage.aclose()


async def test_servers_that_open_at_the_same_moment_make_one_table(server: PostgresqlServer):
    table = next(TABLES)
    storages = [PostgresqlStorage(server.url(), table=table) for _ in range(8)]
    await asyncio.gather(*(storage.open() for storage in storages))
    await asyncio.gather(*(storage.commit([Write(f"k/{number}", b"")]) for number, storage in enumerate(storages)))
    assert len(await storages[0].list("k/")) == 8
    for storage in storages:
        await storage.aclose()


async def test_a_read_only_database_is_named_as_such(server: PostgresqlServer, storage: PostgresqlStorage):
    await storage.commit([Write("a", b"1")])
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET default_transaction_read_only = on")
        connection.execute("SELECT pg_reload_conf()")
        try:
            with pytest.raises(StorageError, match="read-only"):
                await _until_refused(storage)
            assert await storage.get("a") is not None
        finally:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")


async def _until_refused(storage: PostgresqlStorage) -> None:
    async with asyncio.timeout(10):  # the server's processes read the new settings one by one
        while True:
            await storage.commit([Write("a", b"2")])
