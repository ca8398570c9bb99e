"""The sandbox as a process of the workspace: started once, found again by the next command, ended when told."""

import contextlib
import fcntl
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from stratumops.errors import UnavailableError

HOST = "127.0.0.1"
WHO = "/stratumops-sandbox"
"""The path under which the server says which process it is."""

_START_LIMIT, _STOP_LIMIT = 30.0, 10.0  # seconds
_STEP = 0.05  # seconds between two looks
_ANSWER_LIMIT = 5.0  # seconds
_MODULES = ("boto3", "moto", "flask", "flask_cors", "werkzeug")
_LOG_TAIL = 400  # characters


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers. `started_at` is seconds since 1970."""

    url: str
    pid: int
    started_at: float


class Sandbox:
    """The sandbox of a workspace. `folder` holds its process file, lock and log (0700, files 0600)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._file = folder / "sandbox.json"
        self._log = folder / "sandbox.log"

    def status(self) -> Running | None:
        """The running sandbox, None when there is none. A file that another process left behind is none."""
        try:
            told = json.loads(self._file.read_text(encoding="utf-8"))
            running = Running(f"http://{HOST}:{int(told['port'])}", int(told["pid"]), float(told["started_at"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return running if _who_answers(running.url) == running.pid else None

    def ensure(self) -> str:
        """The URL of the sandbox, started when it does not run. Raises UnavailableError, saying why it cannot."""
        if (running := self.status()) is not None:
            return running.url
        missing = [name for name in _MODULES if importlib.util.find_spec(name) is None]
        if missing:
            raise UnavailableError(
                f"the sandbox needs {', '.join(missing)}, which is not installed",
                hint="Install it with: pip install 'stratumops[sandbox]'",
            )
        with self._locked():
            # Another command may have started it while this one waited for the lock.
            return (self.status() or self._start()).url

    def stop(self) -> bool:
        """End it, and everything in it; answers whether there was one. Raises UnavailableError when it does not end."""
        with self._locked():
            running = self.status()
            if running is None:
                return False
            # The process has just said that it is this one: no other is hit by its number.
            os.kill(running.pid, signal.SIGTERM)
            if not _until(lambda: _who_answers(running.url) != running.pid, _STOP_LIMIT):
                raise UnavailableError(f"the sandbox (process {running.pid}) does not end", hint=f"End it: kill -9 {running.pid}")
            self._file.unlink(missing_ok=True)
            return True

    def _start(self) -> Running:
        self._file.unlink(missing_ok=True)
        with self._opened() as log:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "provisioning.providers.sandbox.server", str(self.folder)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # It outlives the command that started it, and its terminal.
                start_new_session=True,
                cwd="/",
                env=_environment(),
            )
        _until(lambda: self.status() is not None or process.poll() is not None, _START_LIMIT)
        running = self.status()
        if running is None:
            if process.poll() is None:
                process.kill()
                process.wait()
            said = self._log.read_text(encoding="utf-8", errors="replace")[-_LOG_TAIL:].strip()
            raise UnavailableError(f"the sandbox did not start: {said or 'it says nothing'}", hint=f"Its log is {self._log}.")
        # It is nobody's child to wait for: the system reaps it when this process has ended.
        process.returncode = 0
        return running

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "sandbox.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        descriptor = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as log:
            yield log


def _environment() -> dict[str, str]:
    """The server's environment: no credentials of the user, and this process's packages."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_", "PYTHONPATH"))}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def _who_answers(url: str) -> int:
    """The number of the process that answers as a sandbox; 0 when none does."""
    try:
        # No proxy of the environment stands between us and loopback.
        with build_opener(ProxyHandler({})).open(f"{url}{WHO}", timeout=_ANSWER_LIMIT) as answer:
            return int(json.loads(answer.read())["pid"])
    except (URLError, OSError, ValueError, KeyError, TypeError):
        return 0


def _until(holds: Callable[[], bool], limit: float) -> bool:
    end = time.monotonic() + limit
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(_STEP)
    return True
