"""A database or a journal with flipped bits, cut off or gone: what can be is restored, nothing is deleted, and it is told."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from provisioning.errors import StateCorruptError, StateTooNewError
from provisioning.resource import Recorded
from provisioning.state.model import Head
from provisioning.state.schema import NEWEST
from provisioning.state.store import StateStore, open_store
from stratumops.errors import ConflictError

from .states import WRITE, Told, files, operation, plan, server, sized

SERIALS, SOAK = 12, os.environ.get("PROV_TESTS_SOAK") == "1"


@pytest.fixture
def written(folder: Path) -> tuple[Head, list[Recorded]]:
    """A closed state with a history."""
    store = open_store(folder)
    for number in range(SERIALS):
        store.put_all([sized(f"n{number % 4}", number), sized(f"m{number}", 1)], [f"server.m{number - 3}"], WRITE)
    store.keep_plan(plan())
    store.add_operation(operation())
    answer = store.head(), store.resources()
    store.close()
    return answer


def is_same(store: StateStore, written: tuple[Head, list[Recorded]]) -> bool:
    return (store.head(), store.resources()) == written and store.verify_history() == []


@pytest.fixture
def damaged(folder: Path, written: tuple[Head, list[Recorded]]) -> Path:
    """The path of a database of nothing but ones."""
    path = folder / "state.db"
    path.write_bytes(b"\xff" * path.stat().st_size)
    return path


def test_a_damaged_database_is_restored_to_the_last_serial_and_kept(
    folder: Path, damaged: Path, written: tuple[Head, list[Recorded]], told: Told
):
    bytes_before = damaged.read_bytes()
    store = told.open(folder)
    assert is_same(store, written)
    assert (store.plans(), store.operations()) == ([], [])
    aside = next(path for path in folder.iterdir() if ".damaged-" in path.name)
    assert aside.read_bytes() == bytes_before
    assert len(told) == 1
    for word in (str(damaged), aside.name, "state.journal", f"serial {SERIALS}", "plans and approvals", "refresh"):
        assert word in told[0]
    assert store.acquire("elsewhere/1/x", "op").token > 1_000_000_000  # above every token from before
    store.put(server("after"), WRITE)
    store.close()
    again = told.open(folder)
    assert again.head().serial == SERIALS + 1
    assert len(told) == 1
    again.close()


@pytest.mark.parametrize("ending", ["", "-wal"])
def test_a_database_that_is_gone_is_restored(folder: Path, written: tuple[Head, list[Recorded]], told: Told, ending: str):
    (folder / "state.db").unlink()
    if ending:
        (folder / "state.db").touch()
    store = told.open(folder)
    assert is_same(store, written)
    assert "was missing or empty: restored" in told[0]
    store.close()


def test_a_bit_that_is_flipped_anywhere_is_restored_or_did_no_harm(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    path = folder / "state.db"
    good, random = path.read_bytes(), Random(5)
    restored = 0
    places = [*range(0, 108, 3), *(random.randrange(len(good)) for _ in range(150 if SOAK else 50))]
    for place in places:
        bad = bytearray(good)
        bad[place] ^= 1 << random.randrange(8)
        path.write_bytes(bad)
        for ending in ("-wal", "-shm"):
            Path(f"{path}{ending}").unlink(missing_ok=True)
        for _ in range(2):
            try:
                store = told.open(folder)
            except StateTooNewError:  # the flip made the version another one: it cannot be told apart
                break
            try:
                assert is_same(store, written) or store.verify_history()
                store.operations()
                store.plans()
            except StateCorruptError:
                continue  # seen in use: the next opening restores
            finally:
                store.close()
            break
        else:
            raise AssertionError(f"still damaged after it was restored: bit at {place}")
        restored += len(list(folder.glob("*.damaged-*")))
        for aside in folder.glob("*.damaged-*"):
            aside.unlink()
    assert restored > (20 if SOAK else 10)


@pytest.mark.parametrize("part", [0.999, 0.9, 0.5, 0.1, 0.01])
def test_a_database_that_was_cut_off_is_restored(folder: Path, written: tuple[Head, list[Recorded]], told: Told, part: float):
    path = folder / "state.db"
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])
    store = told.open(folder)
    assert is_same(store, written)
    assert len(told) == 1
    store.close()


def test_a_write_ahead_log_that_is_lost_or_flipped_is_noticed_by_the_journal(folder: Path, told: Told, tmp_path: Path):
    store = open_store(folder)
    for number in range(SERIALS):
        store.put(sized("web", number), WRITE)
    head, resources = store.head(), store.resources()
    names = ("state.db", "state.db-wal", "state.journal")
    copied = {name: (folder / name).read_bytes() for name in names}  # as a crash leaves them
    store.close()
    log = len(copied["state.db-wal"])
    assert log > 4096
    for place in (None, *range(0, log, log // (20 if SOAK else 8))):
        crashed = tmp_path / f"crashed-{place}"
        crashed.mkdir()
        for name, data in copied.items():
            (crashed / name).write_bytes(data)
        if place is None:
            (crashed / "state.db-wal").unlink()
        else:
            bad = bytearray(copied["state.db-wal"])
            bad[place] ^= 64
            (crashed / "state.db-wal").write_bytes(bad)
        opened = told.open(crashed)
        assert is_same(opened, (head, resources))
        opened.close()
    assert any(f"its journal with {SERIALS}" in said for said in told)


def test_a_damaged_journal_beside_a_whole_database_is_written_again(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    path = folder / "state.journal"
    good, random = path.read_bytes(), Random(7)
    for _ in range(40 if SOAK else 12):
        bad = bytearray(good)
        bad[random.randrange(len(good) - 1)] ^= 1 << random.randrange(8)
        path.write_bytes(bad)
        store = told.open(folder)
        assert is_same(store, written)
        store.close()
        assert path.read_bytes() == good
        assert "state.journal.damaged-" in told.pop()
        assert any(aside.read_bytes() == bad for aside in folder.glob("state.journal.damaged-*"))


@pytest.mark.parametrize("part", [0.0, 0.3, 0.7, 0.999])
def test_a_journal_that_was_cut_off_is_caught_up(folder: Path, written: tuple[Head, list[Recorded]], told: Told, part: float):
    path = folder / "state.journal"
    good = path.read_bytes()
    path.write_bytes(good[: int(len(good) * part)])
    open_store(folder).close()
    assert path.read_bytes() == good
    path.unlink()
    store = told.open(folder)
    assert is_same(store, written)
    store.close()
    assert path.read_bytes() == good
    assert told == []


def test_from_a_damaged_journal_the_database_is_restored_as_far_as_it_is_whole(
    folder: Path, written: tuple[Head, list[Recorded]], damaged: Path, told: Told
):
    path = folder / "state.journal"
    lines = path.read_bytes().splitlines(keepends=True)
    lines[6] = lines[6].replace(b"spec", b"spac", 1)
    path.write_bytes(b"".join(lines))
    store = told.open(folder)
    assert (store.head().serial, store.head().lineage) == (5, written[0].lineage)
    assert store.verify_history() == []
    assert "restored to serial 5" in told[0]
    assert "what came after serial 5 is lost" in told[0]
    assert "state.journal.damaged-" in told[1]
    store.close()


def test_without_a_journal_a_damaged_database_is_left_as_it_is(
    folder: Path, written: tuple[Head, list[Recorded]], damaged: Path, told: Told
):
    (folder / "state.journal").write_bytes(b"nonsense\n")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for _ in range(2):
        with pytest.raises(StateCorruptError, match="nothing to restore it from") as caught:
            told.open(folder)
        assert str(damaged) in caught.value.message
        assert "state restore" in caught.value.hint
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert told == []


def test_a_database_that_another_process_uses_is_not_replaced(folder: Path, written: tuple[Head, list[Recorded]], told: Told):
    user = open_store(folder)
    path = folder / "state.db"
    good = path.read_bytes()
    path.write_bytes(b"\xff" * len(good))
    with pytest.raises(StateCorruptError, match="another process still uses it"):
        told.open(folder)
    path.write_bytes(good)
    assert is_same(user, written)
    user.close()
    told.open(folder).close()
    assert told == []


def test_damage_that_is_seen_in_use_is_restored_by_the_next_command(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    with closing(sqlite3.connect(folder / "state.db")) as raw:
        raw.execute("UPDATE prov_resources SET body = replace(body, 'aws', 'gcp') WHERE valid_to IS NULL")
        raw.commit()
    store = told.open(folder)
    with pytest.raises(StateCorruptError) as caught:
        store.resources()
    assert "restored from its journal" in caught.value.hint
    assert any("altered" in one.said for one in store.verify_history())
    store.close()
    again = told.open(folder)
    assert is_same(again, written)
    assert len(told) == 1
    assert "state.db.suspect" not in files(folder)
    again.close()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE prov_serials SET changes = replace(changes, 'create', 'update') WHERE number = 3", "serial 3 was altered"),
        ("UPDATE prov_serials SET parent = 'x', hash = 'y' WHERE number = 4", "serial 4 does not follow"),
        ("DELETE FROM prov_serials WHERE number = 5", "serial 6 does not follow from serial 4"),
        ("DELETE FROM prov_resources WHERE valid_from = 2", "since serial 2 is missing"),
        ("UPDATE prov_resources SET valid_to = NULL WHERE address = 'server.m0'", "is not what the history says"),
        ("UPDATE prov_resources SET body = '{}' WHERE valid_from = 7", "since serial 7 was altered"),
        ("UPDATE prov_states SET serial = 11", "stands at serial 11"),
        ("UPDATE prov_serials SET changes = 'nonsense' WHERE number = 3", "serial 3 cannot be read"),
    ],
)
def test_an_altered_history_says_where_it_is_broken(
    folder: Path, written: tuple[Head, list[Recorded]], statement: str, said: str
):
    store = open_store(folder)
    with closing(sqlite3.connect(folder / "state.db")) as raw:
        raw.execute(statement)
        raw.commit()
    found = [one.said for one in store.verify_history()]
    assert any(said in one for one in found), found
    store.close()
    restored = open_store(folder)
    assert restored.verify_history() == [] or "body" in statement
    restored.close()


def test_another_states_journal_is_set_aside(folder: Path, written: tuple[Head, list[Recorded]], told: Told, tmp_path: Path):
    other = open_store(tmp_path / "other")
    other.put_all([server()], [], WRITE)
    other.close()
    (folder / "state.journal").write_bytes((tmp_path / "other" / "state.journal").read_bytes())
    store = told.open(folder)
    assert is_same(store, written)
    assert "another state's" in told[0]
    store.close()


def test_a_newer_schema_is_not_touched(folder: Path, written: tuple[Head, list[Recorded]], told: Told):
    with closing(sqlite3.connect(folder / "state.db")) as raw:
        raw.execute("UPDATE prov_state_version SET version_num = '0042'")
        raw.commit()
    before = (folder / "state.db").read_bytes()
    with pytest.raises(StateTooNewError, match=f"schema 0042, this version knows {NEWEST}") as caught:
        told.open(folder)
    assert isinstance(caught.value, ConflictError)
    assert (folder / "state.db").read_bytes() == before
    assert told == []


def test_a_database_that_was_replaced_in_use_is_not_written(folder: Path, written: tuple[Head, list[Recorded]]):
    store = open_store(folder)
    path = folder / "state.db"
    path.rename(folder / "elsewhere.db")
    for _ in range(2):
        with pytest.raises(StateCorruptError, match="moved away or replaced"):
            store.put(server(), WRITE)
        path.touch()
    store.close()


def test_a_journal_that_is_damaged_in_use_is_told_by_the_history_and_written_again(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    store = told.open(folder)
    path = folder / "state.journal"
    bad = path.read_bytes().replace(b'"size', b'"sizE').replace(b"disk_gb", b"disk_gB")
    path.write_bytes(bad)
    assert any("state.journal is damaged after serial 0" in one.said for one in store.verify_history())
    store.put(server("after"), WRITE)
    path.unlink()
    path.write_bytes(bad)
    store.put(server("again"), WRITE)
    assert store.verify_history() == []
    assert any("written again" in said for said in told)
    store.close()


def test_a_journal_that_knows_more_than_the_database_in_use_is_not_overwritten(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    store = told.open(folder)
    with closing(sqlite3.connect(folder / "state.db")) as raw:
        raw.executescript("""
            DELETE FROM prov_serials WHERE number > 6;
            DELETE FROM prov_resources WHERE valid_from > 6;
            UPDATE prov_resources SET valid_to = NULL WHERE valid_to > 6;
            UPDATE prov_states SET serial = 6, hash = (SELECT hash FROM prov_serials WHERE number = 6);
        """)
    with pytest.raises(StateCorruptError, match="lacks serials"):
        store.put(server("after"), WRITE)
    store.close()
    assert told == []
    assert "state.db.suspect" in files(folder)


def test_a_database_that_went_back_is_brought_forward_by_its_journal(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    path = folder / "state.db"
    old = path.read_bytes()
    store = open_store(folder)
    store.put(server("newer"), WRITE)
    expected = store.head(), store.resources()
    store.close()
    path.write_bytes(old)
    again = told.open(folder)
    assert is_same(again, expected)
    assert f"it ends with serial {SERIALS}, its journal with {SERIALS + 1}" in told[0]
    again.close()


def test_an_operation_that_cannot_be_read_is_damage_and_the_resources_stay(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told
):
    with closing(sqlite3.connect(folder / "state.db")) as raw:
        raw.execute("UPDATE prov_operations SET options = '{'")
        raw.commit()
    store = told.open(folder)
    with pytest.raises(StateCorruptError):
        store.operations()
    store.close()
    again = told.open(folder)
    assert is_same(again, written)
    assert again.operations() == []
    again.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE prov_resources SET observed = '{' WHERE valid_to IS NULL",
        "DELETE FROM prov_states",
        "DROP TABLE prov_resources",
        "UPDATE prov_resources SET body = CAST(x'ff' AS TEXT) WHERE valid_to IS NULL",
    ],
)
def test_whatever_is_broken_is_seen_at_the_latest_in_use_and_then_restored(
    folder: Path, written: tuple[Head, list[Recorded]], told: Told, statement: str
):
    store = told.open(folder)
    with closing(sqlite3.connect(folder / "state.db")) as raw:
        raw.execute(statement)
        raw.commit()
    with pytest.raises(StateCorruptError):
        store.moment()
    store.close()
    again = told.open(folder)
    assert [one.values for one in again.resources()] == [one.values for one in written[1]]
    assert again.verify_history() == []
    assert len(told) == 1
    again.close()
