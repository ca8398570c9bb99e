"""What the filesystem backend survives: kill -9 at any moment, a second server, a log that ends within a commit."""

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from svault.errors import DamagedStorageError, StorageError
from svault.storage.base import Write
from svault.storage.filesystem import FilesystemStorage, check

from .stores import copied, flipped, growing, opened, value

pytestmark = pytest.mark.anyio

WRITER = Path(__file__).with_name("storage_writer.py")
ROUNDS = 10


@contextmanager
def writing(folder: Path, compact_bytes: int) -> Iterator["subprocess.Popen[bytes]"]:
    arguments = [sys.executable, str(WRITER), str(folder), str(compact_bytes)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def answered_until_killed(folder: Path, compact_bytes: int, after: int) -> dict[int, int]:
    """Let the program write, kill it once it has said so many lines; returns the last number that each writer was answered."""
    with writing(folder, compact_bytes) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.readlines()
    return {int(writer): int(number) for writer, number in (line.split() for line in lines if line[:1].isdigit())}


@pytest.mark.parametrize("compact_bytes", [1 << 30, 6000], ids=["appending", "compacting"])
async def test_kill_at_any_moment_loses_nothing_answered_and_shows_no_half_commit(folder: Path, compact_bytes: int):
    async with opened(folder) as storage:
        await storage.commit([Write(f"kept/{number}", b"%d" % number * 100) for number in range(20)])
    chance = random.Random(4)
    answered: dict[int, int] = {}
    for _ in range(ROUNDS):
        answered |= answered_until_killed(folder, compact_bytes, after=chance.randrange(1, 500))
        assert check(folder) == []
        async with opened(folder) as storage:
            for writer, number in answered.items():
                group = {await value(storage, f"group/{writer}/{part}") for part in range(3)}
                assert len(group) == 1
                found = int((group.pop() or b"0").rstrip(b"."))
                assert number <= found <= number + 1
                answered[writer] = found
                assert await value(storage, f"odd/{writer}") == (b"%d" % found if found % 2 else None)
            assert [await value(storage, f"kept/{number}") for number in range(20)] == [b"%d" % n * 100 for n in range(20)]
    assert len(answered) == 8
    assert (int(growing(folder).stem) > ROUNDS) == (compact_bytes < 1 << 30)


async def test_a_second_server_is_refused_with_the_number_of_the_first_until_that_one_dies(folder: Path):
    with writing(folder, 1 << 30) as process:
        assert process.stdout is not None
        while process.stdout.readline() != b"open\n":
            pass
        with pytest.raises(StorageError, match=f"in use by process {process.pid}$"):
            await FilesystemStorage(folder).open()
        with pytest.raises(StorageError, match=f"in use by process {process.pid}$"):
            check(folder)
        process.kill()
    async with opened(folder):
        with pytest.raises(StorageError, match=f"in use by process {os.getpid()}$"):
            await FilesystemStorage(folder).open()


async def test_the_folder_is_free_again_after_an_open_that_failed(folder: Path):
    async with opened(folder):
        pass
    manifest = (folder / "manifest").read_bytes()
    (folder / "manifest").write_bytes(b"")
    storage = FilesystemStorage(folder)
    with pytest.raises(DamagedStorageError):
        await storage.open()
    (folder / "manifest").write_bytes(manifest)
    await storage.open()
    await storage.aclose()


async def test_a_store_whose_first_start_was_cut_short_begins_anew(folder: Path):
    async with opened(folder):
        pass
    # Taken away in the order opposite to that in which they are made.
    for name in ["manifest", "committed", "00000001.log", "lock"]:
        (folder / name).unlink()
        with copied(folder) as copy:
            async with opened(copy) as storage:
                assert await storage.commit([Write("a", b"one")])
            assert check(copy) == []


# The end of the log


async def test_a_torn_last_commit_is_dropped_whole_and_a_whole_one_kept(folder: Path, tmp_path: Path):
    async with opened(folder) as storage:
        await storage.commit([Write("a", b"first" * 20), Write("b", b"first" * 20)])
        shutil.copytree(folder, tmp_path / "before")
        await storage.commit([Write("a", b"second" * 20), Write("b", None), Write("c", b"new")])
        log = growing(folder)
        whole, certain = log.read_bytes(), (tmp_path / "before" / log.name).stat().st_size
    for length in range(certain, len(whole) + 1):
        with copied(tmp_path / "before") as crashed:
            (crashed / log.name).write_bytes(whole[:length])
            assert check(crashed) == []
            async with opened(crashed) as storage:
                found = [await value(storage, key) for key in "abc"]
                after = [b"second" * 20, None, b"new"] if length == len(whole) else [b"first" * 20, b"first" * 20, None]
                assert found == after
                assert await storage.commit([Write("d", b"later")])
            async with opened(crashed) as storage:
                assert [await value(storage, key) for key in "abcd"] == [*after, b"later"]


async def test_a_flipped_bit_in_a_commit_that_nobody_was_answered_drops_it_whole(folder: Path, tmp_path: Path):
    async with opened(folder) as storage:
        await storage.commit([Write("a", b"first")])
        shutil.copytree(folder, tmp_path / "before")
        await storage.commit([Write("a", b"second"), Write("b", b"second")])
        log = growing(folder)
        whole, certain = log.read_bytes(), (tmp_path / "before" / log.name).stat().st_size
    for place in range(certain, len(whole)):
        with copied(tmp_path / "before") as crashed:
            (crashed / log.name).write_bytes(flipped(whole, place, place % 8))
            async with opened(crashed) as storage:
                assert [await value(storage, key) for key in "ab"] == [b"first", None]
