"""A state's database made again from its journal. The damaged file is kept under another name; nothing is deleted."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, exc, insert, update

from provisioning.state.journal import Journal, sync_folder
from provisioning.state.records import Row, canonical, hash_of, sha256
from provisioning.state.refusals import of_sqlite, refused
from provisioning.state.rows import new_id
from provisioning.state.schema import migrate
from provisioning.state.serials import row_columns
from provisioning.state.sqlite import engine_of, set_aside
from provisioning.state.tables import RESOURCES, SERIALS, STATES


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How far it came. `aside` is the damaged file's new name ("" when there was none); `is_cut` when the journal is damaged."""

    serial: int
    aside: str
    is_cut: bool


def rebuild(path: Path, journal: Journal, name: str, lineage: str, token: int) -> Rebuilt:
    """Put a database with everything that the journal has in the place of a damaged one.

    `token` is where the lease's tokens go on: above all that were given out. Raises UnavailableError; the damaged file is then
    where it was.
    """
    new = path.with_name(f"{path.name}.rebuilt")
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            Path(f"{new}{ending}").unlink()
    try:
        new.touch(0o600)
        engine = engine_of(new)
        try:
            with engine.connect().execution_options(prov_writes=True) as connection, connection.begin():
                migrate(connection, str(new))
                serial, is_all = _fill(connection, journal, name, lineage, token)
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            engine.dispose()
        is_cut = not is_all or bool(journal.read().damaged)
        aside = set_aside(path).name if path.exists() else ""
        new.rename(path)
        sync_folder(path.parent)
    except OSError as error:
        raise refused("write", new, error) from None
    except exc.DBAPIError as error:
        raise of_sqlite(error.orig or error, new) from None
    return Rebuilt(serial, aside, is_cut)


def _fill(connection: Connection, journal: Journal, name: str, lineage: str, token: int) -> tuple[int, bool]:
    """The serial that was reached, and whether every line was one of ours."""
    state = {"name": name, "lineage": lineage, "serial": 0, "hash": "", "lease_token": token, "lease_holder": ""}
    seen = {"lease_operation": "", "lease_since": 0.0, "lease_expires_at": 0.0}
    done = connection.execute(insert(STATES).values(**state, **seen))
    state_id = new_id(done)
    at, newest, is_all = 0, "", True
    for entry in journal.entries():
        try:
            lineage = str(entry["lineage"])
            if not entry["number"]:
                continue
            serial, rows = _serial(entry, newest)
        except (KeyError, TypeError, ValueError):
            is_all = False
            break
        number = int(serial["number"])
        connection.execute(insert(SERIALS).values(state_id=state_id, **serial))
        addresses = list(entry["changes"])
        for start in range(0, len(addresses), 1000):
            columns = RESOURCES.c
            some = columns.valid_to.is_(None) & columns.address.in_(addresses[start : start + 1000])
            connection.execute(update(RESOURCES).where(some).values(valid_to=number))
        if rows:
            connection.execute(insert(RESOURCES), [row_columns(state_id, number, row) for row in rows])
        at, newest = number, serial["hash"]
    connection.execute(update(STATES).where(STATES.c.id == state_id).values(lineage=lineage, serial=at, hash=newest))
    return at, is_all


def _serial(entry: dict[str, Any], parent: str) -> tuple[dict[str, Any], list[Row]]:
    """A serial and its rows, checked. Raises ValueError when they do not fit together."""
    rows = []
    for one in entry["rows"]:
        body = canonical(one["body"])
        address = one["body"]["address"]
        if entry["changes"][address][1] != sha256(body):
            raise ValueError
        rows.append(Row(address, body, sha256(body), one["status"], one["checked_at"], canonical(one["observed"])))
    names = ("number", "parent", "hash", "made_at", "operation", "by", "reason")
    serial: dict[str, Any] = {name: entry[name] for name in names} | {"changes": canonical(entry["changes"])}
    if serial["parent"] != parent or serial["hash"] != hash_of(parent, serial["number"], serial["changes"]):
        raise ValueError
    return serial, rows
