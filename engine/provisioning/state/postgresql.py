"""The state in PostgreSQL, for teams: several by name in one database, leases by the server's clock."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url

from provisioning.errors import StateCorruptError
from provisioning.state.database import Clock, Database
from provisioning.state.refusals import corrupt, of_postgresql
from stratumops.errors import InvalidInputError, StratumError

_SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")
_CONNECT_SECONDS = 10
_CONNECTIONS = 10
_BOUNDS = "-c lock_timeout=30s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
_MIGRATION_LOCK = 0x70726F76  # "prov"
_WRITES = "prov_writes"
_HINT = "write it like postgresql://user:password@host:5432/database, with %40 for an @ in the password"


def parse(url: str) -> URL:
    """The address. Raises InvalidInputError, which never repeats it: it has a password."""
    if not url.startswith(_SCHEMES):
        raise InvalidInputError("a state lies in a folder or in a PostgreSQL database", hint=_HINT)
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        parsed = None
    # What stands behind an @ that nobody escaped is the end of a password.
    if parsed is None or "@" in (parsed.host or "") or "@" in (parsed.database or ""):
        raise unreadable()
    return parsed.set(drivername="postgresql+psycopg")


def unreadable() -> InvalidInputError:
    """What is said of an address that nobody can read."""
    return InvalidInputError("the address of the state's PostgreSQL database cannot be read", hint=_HINT)


def where(url: URL) -> str:
    """The server in words, without user and password."""
    return f"the PostgreSQL database {url.database or 'postgres'} at {url.host or 'localhost'}:{url.port or 5432}"


def engine_of(url: URL) -> Engine:
    """An engine whose transactions see one moment when they read, and the newest rows when they write."""
    options = f"{url.query.get('options', '')} {_BOUNDS}".strip()
    arguments: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "application_name": "stratumops", "options": options}
    engine = create_engine(
        url.difference_update_query(["options"]),
        connect_args=arguments,
        pool_size=_CONNECTIONS,
        max_overflow=0,
        pool_timeout=60,
        pool_pre_ping=True,  # a server that was started again in between is no error
        hide_parameters=True,
    )
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get(_WRITES):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def lock_migrations(connection: Connection) -> None:
    """Until the transaction ends nobody else migrates this database."""
    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))


class PostgresqlDatabase(Database):
    """One named state of a PostgreSQL database."""

    writes = {_WRITES: True}  # noqa: RUF012 - never changed

    def __init__(self, engine: Engine, state_id: int, where: str, clock: Clock | None) -> None:
        super().__init__(engine, state_id, where)
        self._clock = clock

    def now(self, connection: Connection) -> float:
        """The time of the server, which all machines share."""
        if self._clock is not None:
            return self._clock()
        return float(connection.execute(sa.select(sa.func.extract("epoch", sa.func.clock_timestamp()))).scalar_one())

    def refused(self, error: BaseException) -> StratumError:
        """What PostgreSQL's error means."""
        return of_postgresql(error, self.where)

    def damaged(self, why: str) -> StateCorruptError:
        """What was read cannot be believed: here it is the server's keeper who restores."""
        meant = corrupt(self.where, why)
        meant.hint = "restore the database from its backup, or the state from an export (`prov state restore`)"
        return meant
