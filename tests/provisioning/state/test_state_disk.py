"""A disk without room, a file that may not grow, a folder that nobody may write: told, nothing lost, and it goes on after."""

import subprocess
from pathlib import Path

import pytest

from disks import fill, no_file_grows, small_disk
from provisioning.errors import StateCorruptError
from provisioning.state.store import open_store
from stratumops.errors import UnavailableError

from .states import WRITE, Told, operation, put_many, server


def test_a_full_disk_refuses_whole_writes_and_takes_them_again_when_there_is_room(tmp_path: Path, told: Told):
    with small_disk(tmp_path / "disk", 3 << 20):
        folder = tmp_path / "disk" / "state"
        store = told.open(folder)
        (tmp_path / "disk" / "ballast").write_bytes(bytes(1_200_000))
        with pytest.raises(UnavailableError) as caught:
            put_many(store, 8000)
        count = caught.value.details["put"]
        assert not isinstance(caught.value, StateCorruptError)
        assert str(folder) in caught.value.message
        assert "free some space" in caught.value.hint
        head = store.head()
        # A line of the journal that had no room is told at the write after the one that it belongs to.
        assert head.serial == len(store.resources()) == count
        for _ in range(3):
            with pytest.raises(UnavailableError):
                store.put(server("big", outputs={"text": "x" * 2_000_000}), WRITE)
        assert store.head() == head
        (tmp_path / "disk" / "ballast").unlink()
        assert store.put(server("after"), WRITE).serial == count + 1
        assert store.verify_history() == []
        store.close()
        again = told.open(folder)
        assert again.head().serial == count + 1
        again.close()
    assert told == []


def test_a_disk_that_is_full_from_the_start_is_told_at_the_opening(tmp_path: Path):
    with small_disk(tmp_path / "disk", 256 << 10):
        ballast = fill(tmp_path / "disk")
        folder = tmp_path / "disk" / "state"
        with pytest.raises(UnavailableError, match=str(tmp_path / "disk")):
            open_store(folder)
        ballast.unlink()
        store = open_store(folder)
        assert store.put(server(), WRITE).serial == 1
        store.close()


def test_a_restoration_without_room_leaves_the_damaged_database_where_it_is(tmp_path: Path, told: Told):
    with small_disk(tmp_path / "disk", 2 << 20):
        folder = tmp_path / "disk" / "state"
        store = open_store(folder)
        store.put_all([server(f"n{number}", outputs={"text": "x" * 10_000}) for number in range(30)], [], WRITE)
        before = store.resources()
        store.close()
        damaged = b"\xff" * (folder / "state.db").stat().st_size
        (folder / "state.db").write_bytes(damaged)
        ballast = fill(tmp_path / "disk")
        with pytest.raises(UnavailableError):
            told.open(folder)
        assert (folder / "state.db").read_bytes() == damaged
        assert told == []
        ballast.unlink()
        again = told.open(folder)
        assert again.resources() == before
        assert len(told) == 1
        again.close()


@pytest.mark.parametrize("size", [0, 4096, 40_000, 100_000, 200_000])
def test_files_that_may_not_grow_lose_nothing(folder: Path, told: Told, size: int):
    store = told.open(folder)
    store.put(server("first"), WRITE)
    with no_file_grows(size), pytest.raises(UnavailableError):
        put_many(store, 5000)
    serial = store.head().serial
    assert len(store.resources()) == serial
    store.add_operation(operation())
    assert store.put(server("after"), WRITE).serial == serial + 1
    assert store.verify_history() == []
    store.close()
    again = told.open(folder)
    assert again.head().serial == serial + 1
    assert again.verify_history() == []
    again.close()
    assert told == []


def test_a_file_system_that_can_only_be_read_is_told(tmp_path: Path):
    with small_disk(tmp_path / "disk", 2 << 20):
        folder = tmp_path / "disk" / "state"
        open_store(folder).close()
        remount = ["mount", "-o", "remount,ro", str(tmp_path / "disk")]
        subprocess.run(remount, check=True)
        with pytest.raises(UnavailableError, match="Read-only") as caught:
            open_store(folder)
        assert "writable" in caught.value.hint


def test_what_is_no_folder_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UnavailableError, match="cannot"):
            open_store(place)
