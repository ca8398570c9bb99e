"""The version of the tables, and the way to the newest. Alembic is only imported when there is something to do."""

import threading
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from provisioning.errors import StateTooNewError

VERSION_TABLE = "prov_state_version"
NEWEST = "0001"
"""The revision of the last migration."""
_ALEMBIC = threading.Lock()
"""What alembic runs finds its connection in a module: two threads would find each other's."""
_SCRIPTS = Path(__file__).with_name("migrations")


def version(connection: Connection) -> str:
    """The revision that a database has, "" for an empty one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return ""
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or ""  # noqa: S608 - a constant


def check(found: str, where: str) -> None:
    """Raises StateTooNewError for a revision that this version of the product does not know."""
    if found and found not in known():
        raise StateTooNewError(
            f"{where} was written by a newer version of stratumops (schema {found}, this version knows {NEWEST})",
            hint="update stratumops to the version that wrote it; nothing was changed",
            schema=found,
            known=NEWEST,
        )


@cache
def known() -> frozenset[str]:
    """Every revision from the first to the newest."""
    return frozenset(f"{number:04}" for number in range(1, int(NEWEST) + 1))


def migrate(connection: Connection, where: str) -> None:
    """Bring the tables to the newest revision, within the connection's transaction. Raises StateTooNewError."""
    found = version(connection)
    check(found, where)
    if found == NEWEST:
        return
    from alembic import command  # noqa: PLC0415 - only a new or an old state needs it
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    # A percent sign would be read as the beginning of a name to fill in.
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ALEMBIC:
        command.upgrade(config, "head")
