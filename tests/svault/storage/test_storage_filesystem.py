"""The filesystem backend keeps the contract, also while its log is compacted all the time."""

import asyncio
import os
import stat
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from svault.errors import StorageError
from svault.storage.base import ABSENT, CommitConflictError, Entry, Storage, Write
from svault.storage.choice import make_storage
from svault.storage.filesystem import FilesystemStorage, check
from svault.storage.filesystem.segment import HEADER_SIZE

from .storage_contract import DurableContract

pytestmark = pytest.mark.anyio

COMPACTING = {"compact_bytes": 1000, "compact_share": 0.1}


@pytest.fixture(params=[{}, COMPACTING], ids=["as it is", "always compacting"])
def connect(folder: Path, request: pytest.FixtureRequest) -> Callable[[], Storage]:
    return lambda: make_storage("filesystem", {"path": str(folder), **request.param})


@pytest.fixture
async def storage(connect: Callable[[], Storage], folder: Path, anyio_backend: str) -> AsyncIterator[Storage]:
    made = connect()
    await made.open()
    yield made
    await made.aclose()
    assert check(folder) == []


@pytest.fixture
async def compacting(folder: Path, anyio_backend: str) -> AsyncIterator[Storage]:
    made = FilesystemStorage(folder, compact_bytes=1000, compact_share=0.1)
    await made.open()
    yield made
    await made.aclose()
    assert check(folder) == []


class TestFilesystem(DurableContract):
    pass


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def open_to_all(folder: Path) -> None:
    folder.chmod(0o755)


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file's bytes and the time of its last change."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def segments(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in folder.glob("*.log"))


def log_bytes(folder: Path) -> int:
    """Bytes of all segments; one that a compaction removes meanwhile counts nothing."""
    total = 0
    for path in folder.glob("*.log"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


async def test_the_folder_and_its_files_are_for_their_owner_alone(storage: Storage, folder: Path):
    await storage.commit([Write("a", b"one")])
    assert mode(folder) == 0o700
    names = list(contents(folder))
    assert len(names) >= 4
    assert {mode(folder / name) for name in names} == {0o600}


async def test_an_existing_empty_folder_is_closed_to_everybody_else(tmp_path: Path):
    open_to_all(tmp_path)
    storage = FilesystemStorage(tmp_path)
    await storage.open()
    await storage.aclose()
    assert mode(tmp_path) == 0o700


async def test_a_folder_with_other_peoples_files_is_refused_and_left_alone(tmp_path: Path):
    open_to_all(tmp_path)
    (tmp_path / "thesis.txt").write_text("chapter 1")
    with pytest.raises(StorageError, match=r"thesis\.txt"):
        await FilesystemStorage(tmp_path).open()
    assert mode(tmp_path) == 0o755
    assert list(contents(tmp_path)) == ["thesis.txt"]


async def test_a_store_that_is_not_open_says_so(tmp_path: Path):
    storage = FilesystemStorage(tmp_path)
    for call in (storage.get("a"), storage.list(""), storage.commit([])):
        with pytest.raises(StorageError, match="not open"):
            await call
    assert contents(tmp_path) == {}


async def test_a_key_that_is_too_long_for_the_log_is_refused_and_harms_nobody(storage: Storage):
    answers = await asyncio.gather(
        storage.commit([Write("x" * 70_000, b"1")]),
        storage.commit([Write("\udc80", b"1")]),
        storage.commit([Write("a", b"1")]),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers] == [StorageError, StorageError, dict]


async def test_a_log_is_compacted_when_enough_of_it_is_garbage_and_keeps_every_entry(compacting: Storage, folder: Path):
    await compacting.commit([Write(f"kept/{number}", b"%d" % number) for number in range(20)])
    for number in range(300):
        await compacting.commit([Write("a", b"%d" % number * 20), Write("b", None if number % 2 else b"even")])
    versions = {key: await compacting.get(key) for key in ["a", *(f"kept/{number}" for number in range(20))]}
    assert min(segments(folder)) > 1
    assert log_bytes(folder) < 20_000  # all records together took 60,000
    await compacting.aclose()
    await compacting.open()
    assert versions == {key: await compacting.get(key) for key in versions}
    assert await compacting.get("b") is None
    assert await compacting.list("") == ["a", "kept/"]


async def test_versions_go_on_after_everything_was_deleted_and_compacted_away(folder: Path):
    storage = FilesystemStorage(folder, compact_bytes=10_000)
    await storage.open()
    last = (await storage.commit([Write("a", b"x" * 12_000)]))["a"]
    await storage.commit([Write("a", None)])
    async with asyncio.timeout(20):
        while log_bytes(folder) > HEADER_SIZE:
            assert await storage.get("a") is None
            await asyncio.sleep(0)
    await storage.aclose()
    await storage.open()
    assert (await storage.commit([Write("a", b"y")], {"a": ABSENT}))["a"] > last
    await storage.aclose()


async def test_readers_see_only_what_was_committed_while_the_log_is_compacted(compacting: Storage):
    keys = [f"k/{number}" for number in range(30)]
    for key in keys:
        await compacting.commit([Write(key, key.encode() * 20)])
    done = asyncio.Event()
    answered = {"busy": 0}

    async def write() -> None:
        for number in range(600):
            answered.update(await compacting.commit([Write("busy", b"%d" % number * 50)]))
        done.set()

    async def read() -> None:
        while not done.is_set():
            for key in keys:
                entry = await compacting.get(key)
                assert entry is not None
                assert entry.value == key.encode() * 20
            busy = await compacting.get("busy")
            assert (busy.version if busy else 0) >= answered["busy"]
            await asyncio.sleep(0)

    await asyncio.gather(write(), read(), read())


async def test_values_that_are_not_in_the_page_cache_are_read_from_the_disk(storage: Storage, folder: Path):
    values = {f"v/{number}": os.urandom(50_000) for number in range(20)}
    await storage.commit([Write(key, value) for key, value in values.items()])

    def forget() -> None:
        for path in folder.glob("*.log"):
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    forget()
    reads = [asyncio.create_task(storage.get(key)) for key in values]
    await asyncio.sleep(0)
    for read in reads[::2]:
        read.cancel()
    assert all(isinstance(answer, Entry) for answer in (await asyncio.gather(*reads, return_exceptions=True))[1::2])
    forget()
    for key, value in values.items():
        entry = await storage.get(key)
        assert entry is not None
        assert entry.value == value


async def test_memory_and_log_do_not_grow_with_the_number_of_commits(folder: Path):
    storage = FilesystemStorage(folder, compact_bytes=200_000)
    await storage.open()

    async def write(count: int) -> None:
        for number in range(count):
            await asyncio.gather(*(storage.commit([Write(f"k/{key}", b"%d" % number * 80)]) for key in range(10)))

    try:
        await write(100)
        tracemalloc.start()
        await write(50)
        before = tracemalloc.get_traced_memory()[0]
        await write(400)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        await storage.aclose()
    assert grown < 200_000  # 4,000 commits of 240 bytes
    assert log_bytes(folder) < 600_000


async def test_a_store_in_use_is_not_checked(storage: Storage, folder: Path):
    with pytest.raises(StorageError, match=f"in use by process {os.getpid()}"):
        check(folder)


async def test_checking_changes_nothing(folder: Path):
    storage = FilesystemStorage(folder)
    await storage.open()
    await storage.commit([Write("a", b"one")])
    await storage.aclose()
    with (folder / "00000001.log").open("ab") as file:
        file.write(b"torn")
    before = contents(folder)
    assert check(folder) == []
    assert contents(folder) == before


def test_checking_what_is_no_store_says_so(tmp_path: Path):
    with pytest.raises(StorageError, match="no store"):
        check(tmp_path)
    with pytest.raises(StorageError, match="nowhere"):
        check(tmp_path / "nowhere")


KEYS = ["a", "b", "a/b", "a/b/c", "a/d", "e/f"]
CHANGES = st.dictionaries(st.sampled_from(KEYS), st.none() | st.binary(max_size=200), max_size=4)


class _Machine(RuleBasedStateMachine):
    """The store beside a dictionary."""

    options: dict[str, Any] = COMPACTING

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.place = TemporaryDirectory()
        self.storage = FilesystemStorage(self.place.name, **self.options)
        self.runner.run(self.storage.open())
        self.model: dict[str, Entry] = {}
        self.newest = 0

    def version(self, key: str) -> int:
        return self.model[key].version if key in self.model else ABSENT

    @rule(changes=CHANGES, guards=st.sets(st.sampled_from(KEYS)), is_stale=st.booleans())
    def commit(self, changes: dict[str, bytes | None], guards: set[str], is_stale: bool):
        expect = {key: self.version(key) for key in guards}
        if guards and is_stale:
            expect[min(guards)] += 1
            with pytest.raises(CommitConflictError):
                self.runner.run(self.storage.commit([Write(*change) for change in changes.items()], expect))
            return
        versions = self.runner.run(self.storage.commit([Write(*change) for change in changes.items()], expect))
        assert versions.keys() == {key for key, value in changes.items() if value is not None}
        for key, value in changes.items():
            if value is None:
                self.model.pop(key, None)
            else:
                assert versions[key] > self.newest
                self.model[key] = Entry(value, versions[key])
        self.newest = max([self.newest, *versions.values()])

    @rule()
    def reopen(self):
        self.runner.run(self.storage.aclose())
        assert check(Path(self.place.name)) == []
        self.runner.run(self.storage.open())

    @invariant()
    def holds_what_the_dictionary_holds(self):
        assert {key: self.runner.run(self.storage.get(key)) for key in KEYS} == {key: self.model.get(key) for key in KEYS}
        for prefix in ("", "a/", "a/b/", "e/", "none/"):
            below = [key.removeprefix(prefix) for key in self.model if key.startswith(prefix)]
            names = {name.partition("/")[0] + ("/" if "/" in name else "") for name in below}
            assert self.runner.run(self.storage.list(prefix)) == sorted(names)

    def teardown(self):
        self.runner.run(self.storage.aclose())
        self.runner.close()
        self.place.cleanup()


TestAgainstADictionary = _Machine.TestCase
TestAgainstADictionary.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
