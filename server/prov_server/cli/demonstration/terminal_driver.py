"""A person at a terminal, for demonstrations and tests: a pseudo-terminal with a program in a session of its own.

What a program asks on its terminal is answered by writing to the other end; there is no other way in.
"""

import os
import pty
import select
import signal
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Protocol, Self

SECONDS = 60.0
_LOCAL_FLAGS = 3
_TAKE = ': < "$0"; exec "$@"'
"""The first terminal that the leader of a new session opens becomes the session's own."""


class Process(Protocol):
    """What is wanted of a program that was started; `subprocess.Popen` has it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None
    stderr: IO[bytes] | None

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...


class TerminalDriver:
    """A program on a pseudo-terminal; a context manager that ends what still runs.

    `stdin`, `stdout` and `stderr` go elsewhere than to the terminal when they are given (as `subprocess` takes them). `on_output`
    is given what the terminal shows while one waits.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
        on_output: Callable[[bytes], None] | None = None,
    ) -> None:
        self._on_output = on_output
        self._master, self._device = pty.openpty()  # ours stays open: a terminal that nobody has open is hung up
        self._seen = 0
        self._text = bytearray()

        streams = tuple(self._device if given is None else given for given in (stdin, stdout, stderr))
        self.process = self.start(command, os.ttyname(self._device), streams, cwd=cwd, env=env)
        self._exit = os.pidfd_open(self.process.pid)

    def start(
        self, command: Sequence[str | Path], terminal: str, streams: tuple[Any, ...], *, cwd: Path, env: Mapping[str, str]
    ) -> Process:
        """Start the program as the leader of a session whose terminal is this device."""
        stdin, stdout, stderr = streams
        return subprocess.Popen(  # noqa: S603 - the caller's program
            ["/bin/sh", "-c", _TAKE, terminal, *(os.fspath(word) for word in command)],
            cwd=cwd,
            env=dict(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    @property
    def transcript(self) -> str:
        """Everything that the terminal has shown so far."""
        return self._text.decode("utf-8", "replace").replace("\r\n", "\n")

    @property
    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._master)[_LOCAL_FLAGS] & termios.ECHO)

    def send(self, text: str) -> None:
        """Type these keys; a new line is the return key, `\\x03` is ctrl-C."""
        os.write(self._master, text.encode())

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type a line."""
        self.wait_for(question)
        self.send(text + "\n")

    def wait_for(self, words: str, seconds: float = SECONDS) -> str:
        """Wait until the terminal shows these words after those that were waited for before; what came until then.

        Raises AssertionError with the whole transcript when they do not come.
        """
        wanted, deadline = words.encode(), time.monotonic() + seconds
        while (at := self._text.find(wanted, self._seen)) < 0:
            if not self._read(deadline):
                raise AssertionError(f"{words!r} did not appear on the terminal:\n{self.transcript}")
        begun, self._seen = self._seen, at + len(wanted)
        return self._text[begun : self._seen].decode("utf-8", "replace").replace("\r\n", "\n")

    def ended(self, seconds: float = SECONDS) -> int:
        """Wait until the program has ended; its exit code (negative: the signal)."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the program did not end:\n{self.transcript}") from None

    def close(self) -> None:
        """Hang up, and end the program if it still runs."""
        for handle in (self._master, self._device, self._exit):
            if handle >= 0:
                os.close(handle)
        self._master = self._device = self._exit = -1
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()

    def _read(self, deadline: float) -> bool:
        """Take what the terminal shows next; False when the program has ended and all was shown, or the time is over."""
        ready, _, _ = select.select([self._master, self._exit], [], [], max(0.0, deadline - time.monotonic()))
        if self._master not in ready:
            return False
        data = os.read(self._master, 65536)
        self._text += data
        if self._on_output is not None:
            self._on_output(data)
        return True
