"""The SurrealDB storage: the real engine embedded in memory and in files, and behind a socket (see `surreal_server`)."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from tests.svault.storage.storage_contract import DurableContract, StorageContract

from surreal_server import PASSWORD, SurrealServer, surreal_server
from svault.errors import StorageError
from svault.storage.base import Write
from svault.storage.surrealdb import SurrealStorage

pytestmark = pytest.mark.anyio
LEADING_SERVER = Path(__file__).with_name("leading_server.py")


class TestSurrealInMemory(StorageContract):
    @pytest.fixture
    async def storage(self) -> AsyncIterator[SurrealStorage]:
        made = SurrealStorage("mem://")
        await made.open()
        yield made
        await made.aclose()


class TestSurrealInFiles(DurableContract):
    @pytest.fixture(params=["surrealkv", "file"])
    def connect(self, tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[], SurrealStorage]:
        return lambda: SurrealStorage(f"{request.param}://{tmp_path}/a folder/vault.db")

    @pytest.fixture
    async def storage(self, connect: Callable[[], SurrealStorage]) -> AsyncIterator[SurrealStorage]:
        made = connect()
        await made.open()
        yield made
        await made.aclose()


@pytest.fixture(scope="module")
def server() -> Iterator[SurrealServer]:
    with surreal_server() as running:
        yield running


class TestSurrealServer(DurableContract):
    @pytest.fixture
    def connect(self, server: SurrealServer) -> Callable[[], SurrealStorage]:
        return lambda: SurrealStorage(server.url(), username="vault", password=PASSWORD)

    @pytest.fixture
    async def storage(self, connect: Callable[[], SurrealStorage]) -> AsyncIterator[SurrealStorage]:
        made = connect()
        await made.open()
        # All connections of the test's server share one database.
        await made._connection.ask("DELETE entry", {})
        yield made
        await made.aclose()


async def test_a_commit_whose_caller_gave_up_is_not_overlapped_by_the_next(tmp_path: Path):
    storage = SurrealStorage(f"surrealkv://{tmp_path}/vault.db")
    await storage.open()
    seen: list[int] = []
    for number in range(30):
        given_up = asyncio.create_task(storage.commit([Write("a", b"first")]))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        given_up.cancel()
        seen += (await storage.commit([Write("a", b"%d" % number)])).values()
    assert seen == sorted(set(seen))
    entry = await storage.get("a")
    assert entry is not None
    assert (entry.value, entry.version) == (b"29", seen[-1])
    await storage.aclose()


async def test_files_that_another_process_uses_are_refused(tmp_path: Path):
    url = f"surrealkv://{tmp_path}/vault.db"
    first, second = SurrealStorage(url), SurrealStorage(url)
    await first.open()
    with pytest.raises(StorageError, match="another process uses"):
        await second.open()
    await first.commit([Write("a", b"1")])
    await first.aclose()
    await second.open()
    assert await second.get("a") is not None
    await second.aclose()


async def test_nothing_acknowledged_is_lost_by_kill_9_in_the_middle_of_writes(tmp_path: Path):
    url = f"surrealkv://{tmp_path}/vault.db"
    arguments = [LEADING_SERVER, "surrealdb", json.dumps({"url": url})]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=PIPE)
    assert process.stdout is not None
    lines = [await process.stdout.readline()]
    while lines[-1] not in {b"wrote 50\n", b""}:
        lines.append(await process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    lines += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    acknowledged = {line.split()[1].decode() for line in lines if line.startswith(b"wrote") and line.endswith(b"\n")}
    assert len(acknowledged) > 50
    storage = SurrealStorage(url)
    await storage.open()
    assert acknowledged <= set(await storage.list("written/"))
    await storage.commit([Write("written/0", b"again")])
    await storage.aclose()


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_server_that_was_killed_and_started_again_is_used_again_at_once(server: SurrealServer, scheme: str):
    storage = SurrealStorage(server.url(scheme), username="vault", password=PASSWORD, timeout=5)
    await storage.open()
    versions = await storage.commit([Write("kept", b"1")])
    server.kill()
    for request in (storage.get("kept"), storage.commit([Write("kept", b"2")]), storage.list("")):
        with pytest.raises(StorageError):
            await request
    server.start()
    assert (await storage.commit([Write("kept", b"3")], versions))["kept"] > versions["kept"]
    await storage.aclose()


async def test_a_server_that_does_not_answer_is_given_up_after_the_time_limit(server: SurrealServer):
    storage = SurrealStorage(server.url(), timeout=1)
    await storage.open()
    assert server.process is not None
    server.process.send_signal(signal.SIGSTOP)
    try:
        with pytest.raises(StorageError, match="did not answer within 1 seconds"):
            await storage.get("a")
    finally:
        server.process.send_signal(signal.SIGCONT)
    await storage.get("a")
    await storage.aclose()


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_wrong_password_is_refused_and_not_told(server: SurrealServer, scheme: str):
    storage = SurrealStorage(server.url(scheme), username="vault", password="canary-wrong", timeout=5)
    with pytest.raises(StorageError) as refused:
        await storage.open()
    assert "canary" not in f"{refused.value!r} {refused.value} {refused.value.__cause__!r}"


@pytest.mark.parametrize("url", ["", "vault.db", "ftp://h", "ws://user:canary-password@h:8000", "rocksdb:///tmp/x", "mem"])
async def test_an_address_that_cannot_be_used_is_refused_without_a_password_in_it(url: str):
    with pytest.raises(StorageError, match="address of the SurrealDB storage") as refused:
        SurrealStorage(url)
    assert "canary" not in f"{refused.value!r} {refused.value}"


async def test_files_that_cannot_be_opened_any_more_are_named(tmp_path: Path):
    url = f"surrealkv://{tmp_path}/vault.db"
    storage = SurrealStorage(url)
    await storage.open()
    await storage.commit([Write("a", b"1")])
    await storage.aclose()
    for log in (tmp_path / "vault.db" / "clog").iterdir():
        log.write_bytes(b"")
    again = SurrealStorage(url)
    with pytest.raises(StorageError, match=f"{tmp_path}/vault.db"):
        await again.open()


async def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match=f"cannot use {tmp_path}/file/vault.db"):
        await SurrealStorage(f"surrealkv://{tmp_path}/file/vault.db").open()
