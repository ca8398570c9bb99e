"""Programs in processes of their own that start at once: forked from one that has imported everything, one for each test worker.

Starting an interpreter and importing takes most of the time of a short command. A fork has its own memory, environment, folder,
streams, session and exit code, as any process has, and is stopped and killed like one; only the imports are done. What depends on
how the interpreter starts (an environment that is read while it or a library is imported) is not run this way: see `can_be_warm`.

This file is both sides: the tests import it, and it is the program that forks.
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, NoReturn

_LONGEST = 1 << 17  # bytes of a request: words, environment, folder
_READ_AT_IMPORT = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TERMINAL_WIDTH", "TTY_COMPATIBLE", "RICH_CLICK_THEME")
_STARTS = ("PYTHON", "LC_", "LANG")


@dataclass(frozen=True)
class Program:
    """A program: its file, the module and function that it runs, and what its commands import.

    A module that is missing in `imports` is imported by the command that wants it.
    """

    path: str
    entry: tuple[str, str]
    imports: tuple[str, ...]


PROV = Program(
    str(Path(sys.executable).with_name("prov")),
    ("prov_server.entry", "main"),
    (
        *(f"prov_server.{name}" for name in ("compose", "audit", "vault.access", "engine.access", "approval.asking", "entry")),
        *(f"prov_server.cli.{name}" for name in ("main", "configuration", "engines", "live", "vaults", "writing", "generated")),
        *("prov_gen.layers.pipeline", "prov_gen.source", "prov_judge.review.review", "prov_tools.registry", "svault.embedded"),
        *("provisioning.engine", "provisioning.state.opening", "provisioning.workflow.control"),
        *("provisioning.providers.sandbox.process", "boto3", "dbos", "sqlalchemy.dialects.sqlite"),
        *("rich_click", "rich.table", "rich.progress", "rich.live", "cryptography.x509", "anyio", "httpx2"),
    ),
)
SVAULT = Program(
    str(Path(sys.executable).with_name("svault")),
    ("svault.cli.entry", "main"),
    (
        *(
            f"svault.cli.commands.{name}"
            for name in ("audit", "basic", "config", "crypto", "kv", "kv_metadata", "lease", "login")
        ),
        *(f"svault.cli.commands.{name}" for name in ("operator", "policy", "server", "tables", "token", "version")),
        *(
            "svault.cli.serving",
            "svault.cli.client",
            "svault.cli.session",
            "svault.cli.entry",
            "httpx2",
            "uvloop",
            "rich.console",
        ),
        *("svault.engines.kv.v1", "svault.engines.kv.v2", "svault.engines.cubbyhole", "svault.storage.filesystem"),
    ),
)


def can_be_warm(environment: Mapping[str, str]) -> bool:
    """Whether nothing is set here that would have been read before the command itself runs."""
    changed = {name for name in environment if environment[name] != os.environ.get(name)}
    return not any(name.startswith(_STARTS) for name in changed) and not any(name in environment for name in _READ_AT_IMPORT)


class WarmProcess:
    """A run, with what `subprocess.Popen` has for one whose streams are given."""

    stdin: IO[bytes] | None = None
    stdout: IO[bytes] | None = None
    stderr: IO[bytes] | None = None

    def __init__(
        self,
        program: Program,
        words: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        streams: tuple[int, int, int],
        terminal: str | None = None,
    ) -> None:
        """`terminal` is a device that becomes the terminal of the run's own session; without one it has none."""
        asked = {"words": list(words), "cwd": str(cwd), "env": dict(env), "terminal": terminal}
        self._program = program
        self._status, status = os.pipe()
        try:
            self.pid = _parent(program).ask(asked, [*streams, status])
        finally:
            os.close(status)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """How it ended (negative: the signal), or None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises subprocess.TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self._program.path, timeout or 0.0)
        return code

    def send_signal(self, sig: int, /) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], timeout)[0]:
            told = os.read(self._status, 16)
            os.close(self._status)
            # Nothing is told when the parent itself was ended.
            self.returncode = os.waitstatus_to_exitcode(int(told)) if told else -signal.SIGKILL
        return self.returncode


def run(
    program: Program, words: Sequence[str], *, cwd: Path, env: Mapping[str, str], seconds: float, given: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run to its end in a session without a terminal; text, captured output. Raises subprocess.TimeoutExpired."""
    if not can_be_warm(env):
        return subprocess.run(
            [program.path, *words], input=given, cwd=cwd, env=env, capture_output=True, text=True, timeout=seconds, check=False,
            start_new_session=True,
        )  # fmt: skip
    with tempfile.TemporaryFile() as taken, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        taken.write(given.encode())
        taken.seek(0)
        child = WarmProcess(program, words, cwd=cwd, env=env, streams=(taken.fileno(), out.fileno(), err.fileno()))
        try:
            code = child.wait(seconds)
        except BaseException:
            child.kill()
            child.wait()
            raise
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(list(words), code, out.read().decode(), err.read().decode())


class _Parent:
    """The process that has imported what a program needs."""

    def __init__(self, program: Program) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            kept = {name: value for name, value in os.environ.items() if name not in _READ_AT_IMPORT}
            # -P: no child imports a test's module by accident.
            command = [sys.executable, "-P", __file__, str(theirs.fileno()), json.dumps(asdict(program))]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, env=kept)
        atexit.register(self.close)

    def ask(self, what: Mapping[str, object], handles: Sequence[int]) -> int:
        """Have a child made; its process id."""
        socket.send_fds(self._ours, [json.dumps(what).encode()], handles)
        told = self._ours.recv(32)
        assert told, "the process that forks has ended"
        return int(told)

    def close(self) -> None:
        """End it; it ends when nobody can ask any more."""
        self._ours.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)


_PARENTS: dict[tuple[int, str], _Parent] = {}


def _parent(program: Program) -> _Parent:
    key = (os.getpid(), program.path)
    if key not in _PARENTS:
        _PARENTS[key] = _Parent(program)
    return _PARENTS[key]


def _serve(channel: socket.socket, imports: Sequence[str]) -> list[str]:
    """Make children until nobody asks any more; in a child, return its words."""
    for name in imports:
        importlib.import_module(name)
    threads = [*Path("/proc/self/task").iterdir()]
    assert len(threads) == 1, "a process with threads cannot be forked safely"
    gc.freeze()  # else each child's collector would touch, and so copy, everything that it shares with its parent
    measured = sys.modules["coverage"].Coverage.current() if "coverage" in sys.modules else None
    if measured:
        # A child tells its own lines alone.
        measured.stop()
        measured.save()
    running: dict[int, tuple[int, int]] = {}
    while True:
        for ready in select.select([channel.fileno(), *running], [], [])[0]:
            if ready != channel.fileno():
                pid, status = running.pop(ready)
                _tell(status, os.waitpid(pid, 0)[1])
                os.close(ready)
                continue
            text, handles, _, _ = socket.recv_fds(channel, _LONGEST, 4)
            if not text:
                sys.exit(0)
            *streams, status = handles
            if pid := os.fork():
                running[os.pidfd_open(pid)] = (pid, status)
                for handle in streams:
                    os.close(handle)
                channel.send(str(pid).encode())
                continue
            channel.close()
            for handle in (status, *running, *(other for _, other in running.values())):
                os.close(handle)
            asked = json.loads(text)
            _become(streams, asked["cwd"], asked["env"], asked["terminal"])
            if measured:
                measured.start()
            return list(asked["words"])


def _tell(handle: int, status: int) -> None:
    """Tell who waits how a child ended."""
    with contextlib.suppress(BrokenPipeError):  # a test may not want to know any more
        os.write(handle, str(status).encode())
    os.close(handle)


def _become(streams: list[int], cwd: str, environment: dict[str, str], terminal: str | None) -> None:
    """Take over what a program is started with."""
    os.setsid()
    if terminal:
        os.close(os.open(terminal, os.O_RDWR))  # the first one that the leader of a session opens becomes its own
    for number, handle in enumerate(streams):
        os.dup2(handle, number)
        os.close(handle)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    random.seed()
    # New ones: the old ones know whether what stood there before could seek.
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False, buffering=1 if os.isatty(1) else -1)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1, errors="backslashreplace")


def _end(stop: SystemExit) -> NoReturn:
    """Do what an interpreter does at its end, but for taking modules apart: that touches all memory shared with the parent."""
    code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    threading._shutdown()  # type: ignore[attr-defined] # waits for threads, as the interpreter does by this very name
    atexit._run_exitfuncs()
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    told = json.loads(sys.argv[2])
    sys.argv = [told["path"], *_serve(socket.socket(fileno=int(sys.argv[1])), told["imports"])]
    module, function = told["entry"]
    try:
        getattr(importlib.import_module(module), function)()
    except SystemExit as stop:
        _end(stop)
    _end(SystemExit(0))
