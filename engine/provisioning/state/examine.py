"""A look at a state's file before it is used: is it a database of ours, is it whole, how far does it go."""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, exc, select

from provisioning.errors import StateCorruptError
from provisioning.state import schema
from provisioning.state.history import breaks
from provisioning.state.refusals import of_sqlite, refused
from provisioning.state.tables import OPERATIONS, RESOURCES, STATES, STEPS

MAGIC = b"SQLite format 3\x00"
LOOKED_AT = 64 * 1024 * 1024
"""Up to this size a database is looked at whole each time it is opened; a larger one only when it was not closed in order."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a file is: `damage` in words, or "". The rest is where a whole one stands; no `version` is an empty one."""

    damage: str = ""
    version: str = ""
    state_id: int = 0
    lineage: str = ""
    serial: int = 0
    hash: str = ""


def examine(path: Path, engine: Engine, *, depth: int) -> Found:
    """Look at a file that is there: its head, from depth 1 its pages and its history, at depth 2 every text in it.

    Raises StateTooNewError and UnavailableError (no right, no room).
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except OSError as error:
        raise refused("read", path, error) from None
    if not head:
        return Found()
    if head != MAGIC:
        return Found("it is no SQLite database any more")
    try:
        with engine.connect() as connection, connection.begin():
            version = schema.version(connection)
            schema.check(version, str(path))
            if not version:
                return Found()
            if depth:
                said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
                if said != "ok":
                    return Found(f"SQLite says {' '.join(str(said).split())}")
            state = connection.execute(select(STATES)).first()  # a file has only one
            if state is None:
                return Found("the state's own row is missing", version)
            broken = breaks(connection, state.id, reads_bodies=depth > 1) if depth else []
            if depth > 1:
                _read_all(connection)
            if broken:
                return Found(broken[0].said, version)
            return Found("", version, state.id, state.lineage, state.serial, state.hash)
    except exc.DBAPIError as error:
        meant = of_sqlite(error.orig or error, path)
        if not isinstance(meant, StateCorruptError):
            raise meant from None
        return Found(f"SQLite says {error.orig}")
    except (UnicodeDecodeError, ValueError, TypeError) as error:
        return Found(f"what it holds cannot be read ({type(error).__name__})")


def depth_of(path: Path, *, is_alone: bool) -> int:
    """How deep to look: 2 after an end that was not in order, 1 as long as it is small enough for every time, else 0."""
    try:
        log = Path(f"{path}-wal")
        if is_alone and log.exists() and log.stat().st_size:  # nobody has it open, and nobody closed it
            return 2
        return 1 if path.stat().st_size < LOOKED_AT else 0
    except OSError:
        return 2


def _read_all(connection: Connection) -> None:
    """Read every JSON text. Raises ValueError."""
    for table, names in ((RESOURCES, ("observed",)), (OPERATIONS, ("options",)), (STEPS, ("before", "result"))):
        for row in connection.execute(select(*(table.c[name] for name in names)).execution_options(yield_per=500)):
            for text in row:
                json.loads(text or "{}")


def make(path: Path) -> None:
    """Make an empty file that only its owner may read. Raises UnavailableError."""
    try:
        path.touch(0o600)
        path.chmod(0o600)
    except OSError as error:
        raise refused("make", path, error) from None
