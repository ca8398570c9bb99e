"""Cut, flipped and lost files of a store are noticed and named; no wrong value is ever read."""

import os
import random
import re
import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from svault.errors import DamagedStorageError
from svault.storage.base import Entry, Write
from svault.storage.filesystem import FilesystemStorage, check
from svault.storage.filesystem.segment import HEADER_SIZE

from .stores import copied, flipped, growing, opened, overwrite, value

pytestmark = pytest.mark.anyio

KEYS = [f"logical/mount/{number}" for number in range(6)]


@pytest.fixture
async def settled(folder: Path, anyio_backend: str) -> dict[str, Entry | None]:
    """A closed store with sealed segments and a growing one; the entries that it holds."""
    async with opened(folder, compact_bytes=400, compact_share=0.1) as storage:
        await storage.commit([Write(key, b"first of %d," % place * 8) for place, key in enumerate(KEYS)])
        first = folder / "00000001.log"
        while first.exists():
            await storage.commit([Write(KEYS[0], b"again" * 8)])
    async with opened(folder) as storage:
        await storage.commit([Write(KEYS[0], b"changed"), Write(KEYS[1], None)])
        await storage.commit([Write(KEYS[2], b"changed as well")])
        return {key: await storage.get(key) for key in KEYS}


async def told_by_reading(folder: Path, expected: dict[str, Entry | None]) -> list[str]:
    """What opening and reading everything complains about; every value that is answered is the right one."""
    try:
        async with opened(folder) as storage:
            told = {}
            for key, entry in expected.items():
                try:
                    assert await storage.get(key) == entry
                except DamagedStorageError as damage:
                    told[key] = str(damage)
            assert all(repr(key) in text for key, text in told.items())
            return list(told.values())
    except DamagedStorageError as damage:
        return damage.errors


def store_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != "lock")


async def test_the_store_of_these_tests_is_whole_and_has_a_sealed_and_a_growing_segment(
    folder: Path, settled: dict[str, Entry | None]
):
    assert len([name for name in store_files(folder) if name.endswith(".log")]) >= 2
    assert check(folder) == []
    assert await told_by_reading(folder, settled) == []


async def test_a_flipped_bit_anywhere_is_named_and_no_wrong_value_is_read(
    folder: Path, settled: dict[str, Entry | None], tmp_path: Path
):
    chance = random.Random(7)
    refused = 0
    for name in store_files(folder):
        data = (folder / name).read_bytes()
        used = [place for place in range(len(data)) if name != "committed" or data[place]]
        for place in sorted(chance.sample(used, min(len(used), 120))):
            with copied(folder) as copy:
                (copy / name).write_bytes(flipped(data, place, chance.randrange(8)))
                told = check(copy)
                assert told
                assert all(str(copy / name) in line for line in told)
                assert "offset" in told[0] or name == "manifest" or place < 16
                complaints = await told_by_reading(copy, settled)
                assert all(str(copy / name) in line for line in complaints)
                # A superseded value and one of two marks may be damaged without harm.
                refused += bool(complaints)
    assert refused > 200


async def test_a_damaged_value_names_its_key_and_costs_no_other(folder: Path, settled: dict[str, Entry | None]):
    log = growing(folder)
    data = log.read_bytes()
    log.write_bytes(flipped(data, data.index(b"changed as well"), 0))
    [told] = await told_by_reading(folder, settled)
    offset = data.index(b"changed as well") - 4
    assert told == f"{log}: the value of {KEYS[2]!r} at offset {offset} is damaged"
    assert check(folder) == [told]
    async with opened(folder) as storage:
        await storage.commit([Write(KEYS[2], b"written again")])
        assert await value(storage, KEYS[2]) == b"written again"


async def test_a_value_damaged_while_the_store_is_open_is_noticed_and_survives_compaction_as_damaged(folder: Path):
    async with opened(folder, compact_bytes=2000, compact_share=0.1) as storage:
        await storage.commit([Write("a", b"precious"), Write("b", b"other")])
        log = growing(folder)
        overwrite(log, log.read_bytes().index(b"precious"), b"PRECIOUS")
        with pytest.raises(DamagedStorageError, match=r"\.log: the value of 'a' at offset \d+ is damaged"):
            await storage.get("a")
        for _ in range(60):
            await storage.commit([Write("busy", b"x" * 200)])
        await storage.aclose()
        await storage.open()
        assert not log.exists()
        with pytest.raises(DamagedStorageError, match="'a'"):
            await storage.get("a")
        assert await value(storage, "b") == b"other"


async def test_a_damaged_record_names_the_keys_that_can_still_be_read_and_all_damage_is_listed(
    folder: Path, settled: dict[str, Entry | None]
):
    log = growing(folder)
    data = log.read_bytes()
    records = [found.start() for found in re.finditer(re.escape(b"\xc5SV\x1e"), data)][-2:]
    for place in records:
        data = flipped(data, place + 9, 3)
    log.write_bytes(data)
    assert check(folder) == [
        f"{log}: {records[1] - records[0]} bytes at offset {records[0]} are damaged, it held {KEYS[0]!r}, {KEYS[1]!r}",
        f"{log}: {len(data) - records[1]} bytes at offset {records[1]} are damaged, it held {KEYS[2]!r}",
    ]
    with pytest.raises(DamagedStorageError) as refused:
        await FilesystemStorage(folder).open()
    assert refused.value.errors == check(folder)


async def test_a_file_cut_anywhere_is_named(folder: Path, settled: dict[str, Entry | None], tmp_path: Path):
    for name in store_files(folder):
        size = (folder / name).stat().st_size
        for length in sorted({*range(0, size, max(1, size // 60)), size - 1}):
            with copied(folder) as copy:
                os.truncate(copy / name, length)
                told = check(copy)
                assert any(str(copy / name) in line for line in told)
                complaints = await told_by_reading(copy, settled)
                # The two marks say the same after a clean end: one of them is enough.
                assert complaints or name == "committed"


@pytest.mark.parametrize("offset", [0, 4096])
async def test_one_damaged_mark_is_warned_of_and_mended_from_the_other(
    folder: Path, settled: dict[str, Entry | None], offset: int
):
    overwrite(folder / "committed", offset + 20, b"\xff")
    assert check(folder) == [f"{folder / 'committed'}: the mark at offset {offset} is damaged"]
    with capture_logs() as logs:
        assert await told_by_reading(folder, settled) == []
    assert [line["where"] for line in logs] == [f"{folder / 'committed'}: the mark at offset {offset} is damaged"]
    assert check(folder) == []


async def test_a_log_that_was_cut_off_after_a_crash_is_noticed(folder: Path):
    async with opened(folder) as storage:
        for number in range(3):
            await storage.commit([Write(f"a/{number}", b"x" * 50)])
            size = growing(folder).stat().st_size
            for lost in (1, 60, size - HEADER_SIZE):
                with copied(folder) as crashed:
                    os.truncate(growing(crashed), size - lost)
                    assert f"cut off at offset {size - lost}: {lost} bytes of commits are missing" in check(crashed)[0]


async def test_a_file_that_is_missing_is_named(folder: Path, settled: dict[str, Entry | None], tmp_path: Path):
    for name in store_files(folder):
        with copied(folder) as copy:
            (copy / name).unlink()
            assert any(str(copy / name) in line for line in check(copy))
            assert any(str(copy / name) in line for line in await told_by_reading(copy, settled))


async def test_an_older_copy_of_one_file_is_noticed(folder: Path, tmp_path: Path):
    async with opened(folder, compact_bytes=400, compact_share=0.1) as storage:
        await storage.commit([Write("a", b"old")])
        shutil.copytree(folder, tmp_path / "old")
        for number in range(30):
            await storage.commit([Write("a", b"%d" % number * 20)])
    for name in ("manifest", "00000001.log"):
        with copied(folder) as copy:
            shutil.copy(tmp_path / "old" / name, copy / name)
            if name == "manifest":
                assert check(copy)
                with pytest.raises(DamagedStorageError):
                    await FilesystemStorage(copy).open()
            else:
                # The segment was merged away: a file that the manifest does not name is no part of the store.
                async with opened(copy) as storage:
                    assert await value(storage, "a") == b"29" * 20
                assert not (copy / name).exists()
