"""What the parts of the store share: their database, and how a thing is found by the beginning of its id."""

from typing import Any

from sqlalchemy import Connection, CursorResult, Row, Table, func, select

from provisioning.state.database import Database
from provisioning.state.store import StateStore
from provisioning.state.tables import STATES
from stratumops.errors import InvalidInputError, NotFoundError

_SHOWN = 5


class Rows(StateStore):
    """A store over one database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def state(self, connection: Connection) -> Row[Any]:
        """The state's own row."""
        return connection.execute(select(STATES).where(STATES.c.id == self.database.state_id)).one()

    def found(self, connection: Connection, table: Table, beginning: str, word: str) -> Row[Any]:
        """The row of an id, or of the only id that begins so. Raises NotFoundError, InvalidInputError (several)."""
        column = table.c.id
        mine = table.c.state_id == self.database.state_id
        row = connection.execute(select(table).where(mine, column == beginning)).first()
        if row is not None:
            return row
        alike = mine & (func.substr(column, 1, len(beginning)) == beginning)
        rows = connection.execute(select(table).where(alike).order_by(column).limit(_SHOWN)).all() if beginning else []
        if len(rows) == 1:
            return rows[0]
        if rows:
            ids = ", ".join(one.id for one in rows)
            raise InvalidInputError(f"several {word}s begin with {beginning!r}: {ids}", hint="write more of the id")
        raise NotFoundError(f"there is no {word} {beginning!r}", hint=f"the list of {word}s has their ids")


def new_id(done: CursorResult[Any]) -> int:
    """The number that the database gave to an inserted row."""
    key = done.inserted_primary_key
    assert key is not None
    return int(key[0])


def clean(text: str) -> str:
    """Words of others as PostgreSQL takes them: without NUL, and with nothing that UTF-8 does not have."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
