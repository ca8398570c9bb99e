"""Opening a state: made when it is new, migrated when it is old, restored when it is damaged."""

import contextlib
import time
import uuid
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, exc, insert, select

from provisioning.errors import StateCorruptError
from provisioning.state import postgresql, schema
from provisioning.state.database import Clock
from provisioning.state.examine import Found, depth_of, examine, make
from provisioning.state.journal import Journal, Reading, sync_folder
from provisioning.state.locks import Users, opening
from provisioning.state.rebuild import rebuild
from provisioning.state.refusals import of_postgresql, of_sqlite, refused
from provisioning.state.rows import new_id
from provisioning.state.sql import SqlStore
from provisioning.state.sqlite import Notify, SqliteDatabase, engine_of, suspicion
from provisioning.state.store import StateStore
from provisioning.state.tables import STATES

DATABASE, JOURNAL, USERS = "state.db", "state.journal", "state.lock"
_NAME = "default"
_GONE = "operations, plans and approvals that it held are gone: plan again, and refresh to find what an apply had begun"


def open_folder(folder: Path, notify: Notify, clock: Clock | None) -> StateStore:
    """The state in a folder, which is made if it is missing."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise refused("make", folder, error) from None
    with opening(folder):
        users = Users(folder / USERS)
        try:
            database = _Folder(folder, notify, users).open(clock)
        except BaseException:
            users.close()
            raise
    return SqlStore(database)


def open_url(url: str, name: str, clock: Clock | None) -> StateStore:
    """The state of a name in a PostgreSQL database. Raises InvalidInputError, UnavailableError, StateTooNewError."""
    parsed = postgresql.parse(url)
    where = postgresql.where(parsed)
    engine = postgresql.engine_of(parsed)
    try:
        with engine.connect().execution_options(**postgresql.PostgresqlDatabase.writes) as connection, connection.begin():
            postgresql.lock_migrations(connection)
            schema.migrate(connection, where)
            state_id = _own_row(connection, name)
    except exc.DBAPIError as error:
        engine.dispose()
        if isinstance(error, exc.ProgrammingError) and not getattr(error.orig, "sqlstate", None):
            raise postgresql.unreadable() from None  # libpq's message repeats what it cannot read
        raise of_postgresql(error.orig or error, where) from None
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(postgresql.PostgresqlDatabase(engine, state_id, where, clock))


def _own_row(connection: Connection, name: str) -> int:
    """The id of the state of a name, which is begun if it is new."""
    known = connection.execute(select(STATES.c.id).where(STATES.c.name == name)).scalar()
    if known is not None:
        return int(known)
    begun = {"name": name, "lineage": str(uuid.uuid4()), "serial": 0, "hash": "", "lease_token": 0, "lease_holder": ""}
    times = {"lease_operation": "", "lease_since": 0.0, "lease_expires_at": 0.0}
    return new_id(connection.execute(insert(STATES).values(**begun, **times)))


class _Folder:
    """A folder that is being opened; nobody else opens it meanwhile."""

    def __init__(self, folder: Path, notify: Notify, users: Users) -> None:
        self._path = folder / DATABASE
        self._journal = Journal(folder / JOURNAL)
        self._notify = notify
        self._users = users

    def open(self, clock: Clock | None) -> SqliteDatabase:
        reading = self._journal.read()
        suspect = suspicion(self._path)
        found = self._look(suspect.exists())
        if not found.damage and found.version:
            found = self._beside(found, reading)
        if found.damage or (not found.version and reading.position.lineage):
            self._restore(found, reading)
        found = self._ready()
        with contextlib.suppress(OSError):
            suspect.unlink(missing_ok=True)
        database = SqliteDatabase(
            self._path, found.state_id, self._journal, notify=self._notify, clock=clock, let_go=self._users.close
        )
        try:
            database.keep_journal(is_opening=True)
            sync_folder(self._path.parent)
        except BaseException:
            database.engine.dispose()
            raise
        return database

    def _look(self, is_suspect: bool) -> Found:
        if not self._path.exists():
            return Found()
        is_alone = self._users.is_alone()
        self._users.share()
        engine = engine_of(self._path)
        try:
            return examine(self._path, engine, depth=2 if is_suspect else depth_of(self._path, is_alone=is_alone))
        finally:
            engine.dispose()

    def _beside(self, found: Found, reading: Reading) -> Found:
        """A whole database beside its journal: the journal is never ahead, unless the database lost what it had."""
        at = reading.position
        if at.lineage != found.lineage or at.number <= found.serial:
            return found
        if not found.serial or self._journal_hash(found.serial) == found.hash:
            return replace(found, damage=f"it ends with serial {found.serial}, its journal with {at.number}")
        return found

    def _journal_hash(self, number: int) -> str:
        return next((entry["hash"] for entry in self._journal.entries() if entry["number"] == number), "")

    def _restore(self, found: Found, reading: Reading) -> None:
        at = reading.position
        if not at.lineage:
            raise StateCorruptError(
                f"the state {self._path} is damaged ({found.damage}) and {self._journal.path} has nothing to restore it from",
                hint="move both files to another place, then restore an export with `prov state restore FILE`, or import anew",
                path=str(self._path),
            )
        if not self._users.is_alone():
            raise StateCorruptError(
                f"the state {self._path} is damaged ({found.damage}) and another process still uses it",
                hint="end the other processes of this workspace, then run the command again: it restores the state",
                path=str(self._path),
            )
        # Above every token that was ever given out: those only count up from one.
        done = rebuild(self._path, self._journal, _NAME, at.lineage, int(time.time()))
        self._users.share()
        was = f"was damaged ({found.damage})" if found.damage else "was missing or empty"
        kept = f"; the damaged file is kept as {done.aside}" if done.aside else ""
        cut = f"; {JOURNAL} is damaged too, what came after serial {done.serial} is lost" if done.is_cut else ""
        self._notify(f"{self._path} {was}: restored to serial {done.serial} from {JOURNAL}{cut}{kept}; {_GONE}")

    def _ready(self) -> Found:
        make(self._path)
        engine = engine_of(self._path)
        try:
            with engine.connect().execution_options(**SqliteDatabase.writes) as connection, connection.begin():
                schema.migrate(connection, str(self._path))
                state_id = _own_row(connection, _NAME)
        except exc.DBAPIError as error:
            raise of_sqlite(error.orig or error, self._path) from None
        finally:
            engine.dispose()
        return Found(state_id=state_id)
