"""One state's database as transactions: `read` (one moment of it) and `write` (it alone, with the state's row locked)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, exc

from provisioning.errors import StateCorruptError
from provisioning.state.model import Break
from provisioning.state.transaction import Writing, locked
from stratumops.errors import StratumError, UnavailableError


class Database(ABC):
    """What SQLite and PostgreSQL share. Errors of the drivers leave it as StratumErrors."""

    def __init__(self, engine: Engine, state_id: int, where: str) -> None:
        self.engine = engine
        self.state_id = state_id
        self.where = where
        self._is_closed = False

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one moment of the state."""
        with self._translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Writing]:
        """A transaction that writes, all of it or nothing."""
        with self._translated(), self.engine.connect() as plain:
            connection = plain.execution_options(**self.writes)
            with connection.begin():
                state = locked(connection, self.state_id)
                yield Writing(connection, self.state_id, state, self.now)

    writes: dict[str, object] = {}  # noqa: RUF012 - never changed
    """Execution options of a connection that writes."""

    @abstractmethod
    def now(self, connection: Connection) -> float:
        """The time that leases go by."""

    @abstractmethod
    def refused(self, error: BaseException) -> StratumError:
        """What a driver's error means."""

    @abstractmethod
    def damaged(self, why: str) -> StateCorruptError:
        """That what was read cannot be believed."""

    def breaks(self) -> list[Break]:
        """What is broken beside the tables."""
        return []

    def close(self) -> None:
        """Let go; nothing can be read or written any more."""
        self._is_closed = True
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        if self._is_closed:
            raise UnavailableError(f"{self.where}: the state was closed", hint="open it again")
        try:
            yield
        except exc.DBAPIError as error:
            raise self.refused(error.orig or error) from None
        except exc.TimeoutError:
            raise UnavailableError(
                f"{self.where}: all connections were busy", hint="fewer callers at once, then try again"
            ) from None
        except (exc.NoResultFound, UnicodeDecodeError):
            raise self.damaged("what every state has is not there") from None


Clock = Callable[[], float]
