"""Real servers for tests, on free loopback ports and in folders of their own."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from programs import free_ports, program, wait_until

STOP_LIMIT = 30  # seconds
POSTGRESQL_PROGRAMS = "/usr/lib/postgresql/*/bin"


def _as_ordinary_user() -> list[str]:
    """The start of a command line: PostgreSQL refuses to run as root, so then it runs as Debian's user for it."""
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


@dataclass
class PostgresqlServer:
    """A throw-away PostgreSQL cluster. `start` after `stop` or `kill` finds its data and the same port again."""

    folder: Path
    port: int
    host: str = "127.0.0.1"
    superuser: str = "postgres"
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """The address with the superuser's password, as libpq reads it."""
        return f"postgresql://{self.superuser}:{self.password}@{self.host}:{self.port}/{database}"

    def create(self) -> None:
        """Make the cluster's files."""
        password = self.folder / "password"
        password.write_text(self.password, encoding="utf-8")
        if os.geteuid() == 0:
            for path in (self.folder, password):
                shutil.chown(path, "postgres", "postgres")
        arguments = [
            *("--pgdata", self.folder / "data", "--username", self.superuser, "--pwfile", password),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ]
        initdb = program("initdb", package="postgresql", folder=POSTGRESQL_PROGRAMS)
        command = [*_as_ordinary_user(), initdb, *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        """Start the server and wait until it answers."""
        settings = {"listen_addresses": self.host, "port": str(self.port), "unix_socket_directories": ""}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = process = subprocess.Popen[bytes](
                [
                    *_as_ordinary_user(),
                    program("postgres", package="postgresql", folder=POSTGRESQL_PROGRAMS),
                    *("-D", self.folder / "data"),
                    *options,
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, process, log)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Shut down at once and in order: connections are ended, everything is written."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End as a crash does: nothing is written any more; the next start recovers."""
        self._end(signal.SIGQUIT)

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(STOP_LIMIT)
            self.process = None


def _reachable_folder() -> Path:
    """A folder for temporary files that the user whom PostgreSQL runs as can enter: pytest's is closed, and TMPDIR may be."""
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]
    if os.geteuid() != 0:
        return candidates[0]
    open_ones = (one for one in candidates if _is_open(one.resolve()))
    return next(open_ones, candidates[0])


def _is_open(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))


@contextlib.contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Run a PostgreSQL server of our own. Skips the test when the program is missing and cannot be installed."""
    program("postgres", package="postgresql", folder=POSTGRESQL_PROGRAMS)
    with tempfile.TemporaryDirectory(prefix="postgresql-", dir=_reachable_folder()) as name:
        server = PostgresqlServer(folder=Path(name), port=free_ports(1)[0])
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.kill()
