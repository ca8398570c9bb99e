"""The state in a file: SQLite in WAL mode, every commit on the disk before it is told, and the journal beside it."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from provisioning.errors import StateCorruptError
from provisioning.state.database import Database
from provisioning.state.journal import Entry, Journal, Unfit
from provisioning.state.model import Break
from provisioning.state.refusals import corrupt, of_sqlite
from provisioning.state.serials import entries_after
from provisioning.state.transaction import Writing
from stratumops.errors import StratumError, UnavailableError

BUSY_SECONDS = 30
_CONNECTIONS = 8
_WRITES = "prov_writes"

Notify = Callable[[str], None]


def engine_of(path: Path) -> Engine:
    """An engine over a file that is there. Transactions begin as they shall be: a write takes the lock at once."""
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        connect_args={"timeout": BUSY_SECONDS},
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=2 * BUSY_SECONDS,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver would begin transactions by itself, too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=wal")
    cursor.execute("PRAGMA synchronous=full")  # NORMAL forgets the last commits when the power fails
    cursor.execute("PRAGMA journal_size_limit=16777216")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


class SqliteDatabase(Database):
    """`state.db` and `state.journal` in one folder. Threads write one after the other; other processes wait for the file."""

    writes = {_WRITES: True}  # noqa: RUF012 - never changed

    def __init__(
        self,
        path: Path,
        state_id: int,
        journal: Journal,
        *,
        notify: Notify,
        clock: Callable[[], float] | None,
        let_go: Callable[[], None],
    ) -> None:
        super().__init__(engine_of(path), state_id, str(path))
        self.path = path
        self.journal = journal
        self._inode = path.stat().st_ino
        self._notify = notify
        self._clock = clock or time.time
        self._let_go = let_go
        self._turn = threading.Lock()
        self._is_behind = False

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """As the base; the serials that it made are in the journal when it returns.

        A journal that cannot be written is told before the next write and not after this one, which is done.
        """
        with self._turn:
            self._check_place()
            if self._is_behind:
                self.keep_journal()
                self._is_behind = False
            with super().write() as tx:
                yield tx
            if tx.entries:
                try:
                    self.keep_journal(tx.entries)
                except UnavailableError as error:
                    if isinstance(error, StateCorruptError):
                        raise
                    self._is_behind = True

    def keep_journal(self, made: list[Entry] | None = None, *, is_opening: bool = False) -> None:
        """Bring the journal up to the database; `made` are entries that were just committed.

        One that is damaged or another state's is set aside and written again. Raises UnavailableError, and StateCorruptError when
        it knows more than the database (at the opening that was looked at before).
        """

        def missing(number: int) -> tuple[list[Entry], str]:
            if made and made[0].number == number + 1 > 0:
                return made, made[-1].hash
            with self.read() as connection:
                return entries_after(connection, self.state_id, number)

        try:
            self.journal.append(missing)
        except Unfit:
            self._replace_journal(is_opening=is_opening)

    def _replace_journal(self, *, is_opening: bool) -> None:
        reading = self.journal.read()
        with self.read() as connection:
            entries, newest = entries_after(connection, self.state_id, -1)
        if not is_opening and not reading.damaged and reading.position.number > entries[-1].number:
            raise self.damaged("it lacks serials that its journal has")
        aside = set_aside(self.journal.path)
        self.journal.write_new(lambda _number: (entries, newest))
        self._notify(
            f"the journal {self.journal.path} was damaged or another state's: it was written again from {self.path.name},"
            f" and the old one is kept as {aside.name}"
        )

    def now(self, connection: Connection) -> float:  # noqa: ARG002 - the clock of this machine, which all its processes share
        """The time of this machine."""
        return self._clock()

    def refused(self, error: BaseException) -> StratumError:
        """What SQLite's error means; after damage the next opening looks at everything."""
        meant = of_sqlite(error, self.path)
        if isinstance(meant, StateCorruptError):
            self._suspect()
        return meant

    def damaged(self, why: str) -> StateCorruptError:
        """What was read cannot be believed; the next opening looks at everything."""
        self._suspect()
        return corrupt(self.path, why)

    def breaks(self) -> list[Break]:
        """Where the journal is damaged."""
        reading = self.journal.read()
        if not reading.damaged:
            return []
        number = reading.position.number
        return [Break(number, f"the journal {self.journal.path} is damaged after serial {number}")]

    def close(self) -> None:
        """Let go of the database and of its folder."""
        super().close()
        self._let_go()

    def _suspect(self) -> None:
        with suppress(OSError):
            suspicion(self.path).touch(0o600)

    def _check_place(self) -> None:
        with suppress(FileNotFoundError):
            if self.path.stat().st_ino == self._inode:
                return
        raise corrupt(self.path, "the file was moved away or replaced while it was in use")


def suspicion(path: Path) -> Path:
    """The file that stands beside a database in which damage was seen."""
    return path.with_name(f"{path.name}.suspect")


def set_aside(path: Path) -> Path:
    """Rename a damaged file (a database with what SQLite keeps beside it) so that a new one can take its place.

    Raises UnavailableError. Nothing is ever deleted; the name has the time (UTC).
    """
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    number, aside = 0, path.with_name(f"{path.name}.damaged-{stamp}")
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for ending in ("-wal", "-shm", ""):  # the database last: as long as it is there the next try finds it damaged again
        with suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")  # noqa: PTH104 - not a path of its own
    return aside
