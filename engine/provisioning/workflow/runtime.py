"""The durable machinery of one workspace, in this process: DBOS on a SQLite file of its own or on PostgreSQL, and its event loop.

It starts when work begins: importing DBOS costs most of a second. A process has one at a time; after `stop` another workspace's
can start. Workflows run on a loop in a thread of their own, so that neither a short-lived loop of a caller ends them nor a busy
one holds them up.
"""

import asyncio
import os
import sqlite3
import threading
from collections.abc import Coroutine
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from provisioning.state.holder import this_process
from provisioning.workflow.engine import Engine, Vault
from stratumops.errors import ConflictError, UnavailableError

if TYPE_CHECKING:
    from provisioning.workflow.durable import Machine

T = TypeVar("T")
WORKFLOW_VERSION = "provisioning-2"
"""Raised when the places in the durable record change: work begun under another version stays for a process that has that one."""
FILE_NAME = "workflows.db"
STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_START_LIMIT = 120.0
_in_use = threading.Lock()


class Runtime:
    """Starts, resumes and ends workflows. `place` is the workspace's own folder or a PostgreSQL URL. Safe to use from threads."""

    def __init__(self, engine: Engine, place: Path | str) -> None:
        self._engine = engine
        self._place = place
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._machine: Machine | None = None

    @property
    def engine(self) -> Engine:
        """What it works with."""
        return self._engine

    @property
    def is_started(self) -> bool:
        """Whether the machinery runs."""
        return self._machine is not None

    def start(self) -> None:
        """Start it, if it does not run. Raises UnavailableError (its database), ConflictError (another workspace's runs here)."""
        with self._lock:
            if self._machine is not None:
                return
            if not _in_use.acquire(blocking=False):
                raise ConflictError(
                    "operations of another workspace run in this process", hint="wait for them, or use another process"
                )
            try:
                self._launch()
            except BaseException:
                self._end_loop()
                _in_use.release()
                raise

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """End it: steps under way finish (within that time), nothing new starts, and what is open goes on when it is resumed."""
        with self._lock:
            if self._machine is None:
                return
            from dbos import DBOS  # noqa: PLC0415 - it is imported already

            from provisioning.workflow import durable  # noqa: PLC0415 - as above

            self._machine.stopping.set()
            self._machine.wait_until_idle(seconds)
            DBOS.destroy()
            durable.install(None)
            self._end_loop()
            self._machine = None
            _in_use.release()

    def run(self, operation: str, *, is_rollback: bool) -> None:
        """Run an operation's workflow here; one that ran or runs anywhere is left alone."""
        self.start()
        from provisioning.workflow import durable  # noqa: PLC0415 - imported by `start` already

        self._asked(durable.start(operation, is_rollback=is_rollback))

    def is_running(self, operation: str) -> bool:
        """Whether its workflow runs in this process."""
        return self._machine is not None and operation in self._machine.active

    def go_on(self, operation: str, executor: str, *, is_rollback: bool, is_asked: bool) -> None:
        """Go on with an operation that was left: by a dead process (`executor`), or when asked by one of which nothing is known.

        What another process took over already is left alone.
        """
        self.start()
        from provisioning.workflow import durable  # noqa: PLC0415 - imported by `start` already

        is_asked = is_asked and not self.is_running(operation)
        self._asked(durable.go_on(operation, executor, is_rollback=is_rollback, is_asked=is_asked))

    def _launch(self) -> None:
        from dbos import DBOS, DBOSConfig  # noqa: PLC0415 - it costs most of a second

        from provisioning.workflow import durable  # noqa: PLC0415 - as above
        from provisioning.workflow.plain_record import PlainRecord, refuse_pickles  # noqa: PLC0415 - as above

        refuse_pickles()

        config: DBOSConfig = {
            "name": "stratumops",
            "system_database_url": _url(self._place),
            "application_version": WORKFLOW_VERSION,
            "executor_id": this_process(),
            "log_level": "CRITICAL",  # what it would print with a traceback is told by our own errors
            "notification_listener_polling_interval_sec": _POLL_SECONDS,
            "enable_otlp": False,
            "serializer": PlainRecord(),
        }
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="operations", daemon=True)
        self._thread.start()
        vault = Vault(self._engine.secrets, self._engine.secrets_loop or loop)
        machine = durable.Machine(self._engine, vault)
        durable.install(machine)

        async def launch() -> None:
            # On the loop: DBOS runs what it recovers on the one that it was launched from.
            DBOS(config=config)
            _poll_often()
            DBOS.launch()

        try:
            self._asked(launch())
        except Exception as error:
            DBOS.destroy()
            raise UnavailableError(
                f"the record of operations cannot be used ({type(error).__name__})",
                hint="look at the file workflows.db in the workspace's own folder, or at the PostgreSQL server",
            ) from error
        self._machine = machine

    def _asked(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_START_LIMIT)

    def _end_loop(self) -> None:
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), loop).result(STOP_SECONDS)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(STOP_SECONDS)
        loop.close()


async def _cancel_all() -> None:
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _poll_often() -> None:
    """What a process takes over waits in a queue that is looked at once a second; that is too long for a person who waits."""
    from dbos._dbos import _get_or_create_dbos_registry  # noqa: PLC0415 - there is no public way

    _get_or_create_dbos_registry().get_internal_queue()._polling_interval_sec = 0.5  # noqa: SLF001 - as above


def _url(place: Path | str) -> str:
    if isinstance(place, str):
        return place
    path = place / FILE_NAME
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode=wal")
    except (OSError, sqlite3.Error) as error:
        raise UnavailableError(
            f"{path} cannot be used: {error}", hint="check the folder's permissions; a damaged file may be moved away"
        ) from None
    return f"sqlite:///{path}"
