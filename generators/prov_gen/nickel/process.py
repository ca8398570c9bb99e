"""One worker process, seen from the server: start it, ask it, end it."""

import asyncio
import json
import logging
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any, Self

from prov_gen.nickel.errors import NickelUnavailableError
from prov_gen.nickel.limits import Limits
from prov_gen.nickel.sandbox import frames

START_SECONDS = 10.0
_POLL_SECONDS = 0.002
_READ_BYTES = 1 << 20
COMPLAINT_BYTES = 2048
MAX_WHY = 300
PROGRAM_HINT = "set nickel.program to a nickel that can be run here, or leave it out"
MODULE_HINT = "is py-nickel installed for this Python, and is 512 MB of memory allowed?"

_log = logging.getLogger(__name__)

# The worker sees the standard library, the `sandbox` package by its own name, and the folder that holds py-nickel.
_BOOT = "import sys, json; sys.path += json.loads(sys.argv[1]); from sandbox.worker import main; main(json.loads(sys.argv[2]))"


class WorkerEndedError(Exception):
    """The process ended in the middle of a job; `returncode` is minus the signal."""

    def __init__(self, returncode: int | None) -> None:
        super().__init__(returncode)
        self.returncode = returncode


class SandboxRefusedError(Exception):
    """The worker could not close its sandbox and evaluated nothing."""


class ProgramUnusableError(Exception):
    """The configured program cannot be run; the message says why."""


class AnswerTooLargeError(Exception):
    """The answer is larger than allowed; the process must be ended."""


def _spawn(limits: Limits, program: Path | None, folder: Path) -> tuple[subprocess.Popen[bytes], socket.socket]:
    nickel = find_spec("nickel")
    if program is None and (nickel is None or nickel.origin is None):
        raise NickelUnavailableError("nickel_start", "py-nickel is not installed", hint="install stratumops again")
    paths = [os.fspath(Path(__file__).parent)]
    if nickel is not None and nickel.origin is not None:
        paths.append(os.fspath(Path(nickel.origin).parents[1]))
    settings = {
        "parent": os.getpid(),
        "memory_bytes": limits.memory_bytes,
        "program": os.fspath(program) if program else None,
    }
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and program; nothing of a caller's on the line
            [sys.executable, "-I", "-S", "-B", "-c", _BOOT, json.dumps(paths), json.dumps(settings)],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.PIPE,
            env={},
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        ours.close()
        raise NickelUnavailableError(
            "nickel_start", f"the Nickel worker could not be started: {error.strerror}", hint="run `prov mcp doctor`"
        ) from None
    finally:
        theirs.close()
    return process, ours


def _last_words(complaints: IO[bytes]) -> str:
    """The end of what a worker that is gone has written to stderr."""
    os.set_blocking(complaints.fileno(), False)
    written = complaints.read() or b""
    return written[-COMPLAINT_BYTES:].decode(errors="replace").strip()


def _not_started(words: str, program: Path | None) -> NickelUnavailableError:
    if words:
        _log.warning("the Nickel worker did not start", extra={"stderr": words})
    why = words.rpartition("\n")[2].removeprefix("sandbox.evaluators.UnusableError: ")[:MAX_WHY]
    hint = PROGRAM_HINT if program is not None else MODULE_HINT
    message = "the Nickel worker did not start"
    return NickelUnavailableError("nickel_start", f"{message}: {why}" if why else message, hint=hint)


class WorkerProcess:
    """A worker that is ready. `fingerprint` is the allow-list that its first job sealed it with."""

    def __init__(self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._process = process
        self._reader = reader
        self._writer = writer
        self.fingerprint: str | None = None
        self.owner = ""
        self.jobs = 0
        self.resident_bytes = 0

    @classmethod
    async def start(cls, limits: Limits, program: Path | None, folder: Path) -> Self:
        """Start a worker with `folder` as its current folder and wait until Nickel is loaded.

        Raises NickelUnavailableError (`nickel_start`) that says why, from what the worker wrote to stderr before it saw
        anything of a user's.
        """
        process, ours = _spawn(limits, program, folder)
        assert process.stderr is not None
        with process.stderr as complaints:
            try:
                reader, writer = await asyncio.open_connection(sock=ours, limit=_READ_BYTES)
            except BaseException:
                ours.close()
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise
            worker = cls(process, reader, writer)
            ready = False
            try:
                async with asyncio.timeout(START_SECONDS):
                    ready = json.loads(await worker._receive(_READ_BYTES)).get("ready") is True
            except (WorkerEndedError, AnswerTooLargeError, ValueError, TimeoutError):
                worker.kill()
                await worker.ended()
                raise _not_started(_last_words(complaints), program) from None
            finally:
                if not ready:
                    worker.kill()
                    await worker.ended()
        return worker

    @property
    def pid(self) -> int:
        """Its process id, which is also its process group."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs; an idle one may have been killed by the machine."""
        return self._process.poll() is None

    async def ask(self, job: dict[str, Any], max_bytes: int) -> bytes:
        """Send a job and wait for the results, however long it takes: a JSON array, not read yet (it can be large).

        Raises WorkerEndedError, SandboxRefusedError, ProgramUnusableError, AnswerTooLargeError; ValueError for an answer
        that is not JSON. After any error or cancellation the worker must be killed.
        """
        self.jobs += 1
        with suppress(ConnectionError):
            self._writer.write(frames.encode(job))
            await self._writer.drain()
        head = json.loads(await self._receive(_READ_BYTES))
        if "refused" in head:
            raise SandboxRefusedError(head["refused"])
        if "unusable" in head:
            raise ProgramUnusableError(head["unusable"])
        self.resident_bytes = int(head["resident_bytes"])
        return await self._receive(max_bytes)

    async def _receive(self, max_bytes: int) -> bytes:
        try:
            length = int.from_bytes(await self._reader.readexactly(frames.HEADER_BYTES), "big")
            if length > max_bytes:
                raise AnswerTooLargeError
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.kill()
            await self.ended()
            raise WorkerEndedError(self._process.returncode) from None

    def kill(self) -> None:
        """End the process group now; `ended` waits until nothing is left of it."""
        if self._process.returncode is None:
            # The group exists until its leader is reaped, which only `ended` does.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._writer.close()

    async def ended(self) -> None:
        """Wait until a killed process is gone and reaped."""
        while self._process.poll() is None:  # noqa: ASYNC110 - see the next line
            # It was killed, so this is over at once; asyncio's own watcher would keep a thread per worker.
            await asyncio.sleep(_POLL_SECONDS)
        with suppress(ConnectionError):
            await self._writer.wait_closed()
