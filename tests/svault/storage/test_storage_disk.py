"""A disk that is full, read-only or failing refuses commits; reads go on, and so does the store once the disk works again."""

import asyncio
import errno
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from disks import no_file_grows, small_disk
from svault.errors import StorageError
from svault.storage.base import ABSENT, CommitConflictError, Write
from svault.storage.filesystem import FilesystemStorage, check
from svault.storage.filesystem.segment import HEADER_SIZE

from .stores import copied, growing, opened, overwrite, value

pytestmark = pytest.mark.anyio


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder on a file system that cannot be written."""
    bound = subprocess.run(["mount", "--bind", str(folder), str(folder)], capture_output=True, text=True, check=False)
    if bound.returncode:
        pytest.skip(f"nothing can be mounted here: {bound.stderr.strip()}")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


async def test_a_write_that_the_system_refuses_fails_for_its_callers_and_the_store_goes_on(folder: Path):
    async with opened(folder) as storage:
        versions = await storage.commit([Write("a", b"one")])
        with no_file_grows(256 << 10):
            answers = await asyncio.gather(
                storage.commit([Write("a", b"two"), Write("b", b"x" * (1 << 20))]),
                storage.commit([Write("c", b"three")]),
                return_exceptions=True,
            )
            assert [type(answer) for answer in answers] == [StorageError, StorageError]
            assert re.search(r"cannot write .*\.log: File too large", str(answers[0]))
            assert [await value(storage, key) for key in "abc"] == [b"one", None, None]
            await storage.commit([Write("c", b"three")], {"a": versions["a"], "b": ABSENT})
        await storage.commit([Write("b", b"x" * (1 << 20))])
    assert check(folder) == []
    async with opened(folder) as storage:
        assert [await value(storage, key) for key in "abc"] == [b"one", b"x" * (1 << 20), b"three"]


async def test_commits_that_waited_behind_a_failed_one_are_compared_with_what_really_is(folder: Path):
    async with opened(folder) as storage:
        before = (await storage.commit([Write("a", b"one")]))["a"]
        with no_file_grows(256 << 10):
            failing = asyncio.create_task(storage.commit([Write("a", b"x" * (1 << 20))]))
            await asyncio.sleep(0)
            answers = await asyncio.gather(
                failing,
                storage.commit([Write("b", b"after")], {"a": before + 1}),
                storage.commit([Write("c", b"alone")]),
                storage.commit([Write("d", b"after")], {"c": before + 3}),
                return_exceptions=True,
            )
        assert [type(answer) for answer in answers] == [StorageError, CommitConflictError, dict, dict]
        assert [await value(storage, key) for key in "abcd"] == [b"one", None, b"alone", b"after"]


async def fill(storage: FilesystemStorage) -> None:
    for number in range(1000):
        await storage.commit([Write(f"fill/{number}", b"x" * 20_000), Write("last", b"%d" % number)])


async def test_a_full_disk_refuses_commits_serves_reads_and_is_used_again_when_there_is_space(tmp_path: Path):
    disk = tmp_path / "disk"
    with small_disk(disk, 512 << 10):
        ballast = disk / "ballast"
        folder = disk / "store"
        async with opened(folder) as storage:
            await storage.commit([Write("a", b"one"), Write("b", b"two")])
            ballast.write_bytes(b"x" * (300 << 10))
            with pytest.raises(StorageError, match="No space left on device") as refused:
                await fill(storage)
            assert "free some space" in refused.value.hint
            kept = await storage.list("fill/")
            assert await value(storage, "last") == b"%d" % (len(kept) - 1)
            assert await value(storage, "a") == b"one"
        async with opened(folder) as storage:
            assert await storage.list("fill/") == kept
            with pytest.raises(StorageError, match="No space left on device"):
                await storage.commit([Write("more", b"x" * 100_000)])
            ballast.unlink()
            await storage.commit([Write("more", b"x" * 100_000)])
        assert check(folder) == []


async def warned(logs: list[Any]) -> str:
    """What the store writes to its log, once it does."""
    async with asyncio.timeout(20):
        while not logs:
            await asyncio.sleep(0)
            await asyncio.to_thread(os.sched_yield)
    return f"{logs[0]['event']}: {logs[0]['error']}"


async def test_a_compaction_that_finds_no_space_leaves_the_log_as_it_is_and_is_tried_again(tmp_path: Path):
    disk = tmp_path / "disk"
    live = [f"live/{number}" for number in range(10)]
    with small_disk(disk, 1 << 20), capture_logs() as logs:
        ballast = disk / "ballast"
        async with opened(disk / "store", compact_bytes=50_000, compact_share=0.05) as storage:
            await storage.commit([Write(key, key.encode() * 3000) for key in live])
            ballast.write_bytes(b"x" * (662 << 10))
            for _ in range(4):
                await storage.commit([Write("busy", b"x" * 20_000)])
            assert re.fullmatch(r"the log was not compacted: .*No space left on device", await warned(logs))
            first = disk / "store" / "00000001.log"
            assert [await value(storage, key) for key in live] == [key.encode() * 3000 for key in live]
            ballast.unlink()
            async with asyncio.timeout(20):
                while first.exists():
                    await storage.commit([Write("busy", b"x" * 2000)])
            assert [await value(storage, key) for key in live] == [key.encode() * 3000 for key in live]
        assert len(logs) == 1
        assert check(disk / "store") == []


async def test_a_log_that_is_damaged_while_it_is_compacted_is_kept(folder: Path):
    with capture_logs() as logs:
        async with opened(folder, compact_bytes=5000, compact_share=0.1) as storage:
            await storage.commit([Write("a", b"one")])
            await storage.commit([Write("b", b"two")])
            log = growing(folder)
            overwrite(log, HEADER_SIZE + 10, b"\xff")
            for _ in range(80):
                await storage.commit([Write("busy", b"x" * 100)])
            assert re.fullmatch(
                r"the log was not compacted: .*00000001\.log: \d+ bytes at offset 16 are damaged.*'a'", await warned(logs)
            )
            assert [await value(storage, key) for key in "ab"] == [b"one", b"two"]
    assert any(str(log) in line for line in check(folder))


# The calls that fail, whatever the reason


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ENOSPC, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("calls", [["pwrite"], ["fdatasync"], ["pwrite", "ftruncate"], ["fdatasync", "ftruncate"]], ids="+".join)
async def test_a_failing_disk_fails_its_commits_and_is_used_again_when_it_works(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, calls: list[str]
):
    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    async with opened(folder) as storage:
        versions = await storage.commit([Write("a", b"one")])
        with monkeypatch.context() as disk:
            for call in calls:
                disk.setattr(os, call, fail)
            for _ in range(2):
                answers = await asyncio.gather(
                    storage.commit([Write("a", b"two"), Write("b", b"two")]),
                    storage.commit([Write("c", b"2")]),
                    return_exceptions=True,
                )
                assert [type(answer) for answer in answers] == [StorageError, StorageError]
                assert os.strerror(number) in str(answers[0])
                assert [await value(storage, key) for key in "abc"] == [b"one", None, None]
        if "ftruncate" not in calls:
            with copied(folder) as crashed:
                async with opened(crashed) as after:
                    assert [await value(after, key) for key in "abc"] == [b"one", None, None]
        await storage.commit([Write("c", b"three")], {"a": versions["a"], "b": ABSENT})
    assert check(folder) == []
    async with opened(folder) as storage:
        assert [await value(storage, key) for key in "abc"] == [b"one", None, b"three"]


async def test_a_commit_is_answered_after_the_log_was_synced(folder: Path, monkeypatch: pytest.MonkeyPatch):
    synced: dict[int, int] = {}
    really_sync = os.fdatasync

    def sync(handle: int) -> None:
        really_sync(handle)
        synced[os.fstat(handle).st_ino] = os.fstat(handle).st_size

    monkeypatch.setattr(os, "fdatasync", sync)
    async with opened(folder) as storage:
        sizes = set()
        for count in range(1, 6):
            await asyncio.gather(*(storage.commit([Write(f"{count}/{number}", b"x")]) for number in range(count)))
            status = await asyncio.to_thread(growing(folder).stat)
            assert synced[status.st_ino] == status.st_size
            sizes.add(status.st_size)
    assert len(sizes) == 5


async def test_a_log_that_somebody_removed_takes_no_commits(folder: Path):
    async with opened(folder) as storage:
        await storage.commit([Write("a", b"one")])
        growing(folder).unlink()
        with pytest.raises(StorageError, match="somebody removed the file"):
            await storage.commit([Write("b", b"two")])
        assert [await value(storage, key) for key in "ab"] == [b"one", None]
    assert "the file is missing" in check(folder)[0]


async def test_a_read_only_file_system_is_named_when_the_store_is_opened(folder: Path):
    async with opened(folder) as storage:
        await storage.commit([Write("a", b"one")])
    with read_only(folder):
        with pytest.raises(StorageError, match="Read-only file system") as refused:
            await FilesystemStorage(folder).open()
        assert str(folder) in str(refused.value)
        assert check(folder) == []
    async with opened(folder) as storage:
        assert await value(storage, "a") == b"one"


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"cannot use .*file/store: Not a directory"):
        await FilesystemStorage(tmp_path / "file" / "store").open()
