"""The terminal device: what is asked here is answered by whoever sits at the keyboard, whatever stdin, stdout and arguments are.

`/dev/tty` is opened, and refused unless it is the controlling terminal of this very session with this process in the foreground.
"""

import os
import re
import signal
import stat
import struct
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fcntl import ioctl
from types import FrameType, TracebackType
from typing import Self

from prov_server.approval.places import stat_of
from prov_server.cli.console import visible
from stratumops.errors import ApprovalRequiredError

DEVICE = "/dev/tty"
_DEVICE_NUMBER = os.makedev(5, 0)
_GET_SESSION = 0x5429
"""TIOCGSID, which Python's `termios` does not name."""
_LOCAL_FLAGS = 3
_COLOUR = re.compile("(\x1b\\[[0-9;]{0,32}m)")
_STOPS = frozenset({signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU})
_CAUGHT = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGALRM, *sorted(_STOPS))


class NoTerminalError(ApprovalRequiredError):
    """There is no terminal at which a person could be asked."""

    code = "no_terminal"


class _SignalledError(Exception):
    def __init__(self, number: int) -> None:
        self.number = number


class Terminal:
    """An open terminal; a context manager. Only the main thread may ask, because signals come there."""

    def __init__(self) -> None:
        """Raises NoTerminalError."""
        try:
            self._device = os.open(DEVICE, os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            raise _refused("this process has no terminal") from None
        try:
            self._require_ours()
        except BaseException:
            os.close(self._device)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        os.close(self._device)

    def show(self, text: str) -> None:
        """Print text on the device itself; colours stay, everything else that a terminal would obey is spelled out."""
        parts = _COLOUR.split(text)
        clean = "".join(part if index % 2 else visible(part) for index, part in enumerate(parts))
        self._write(clean if clean.endswith("\n") else clean + "\n")

    def ask(self, question: str, *, is_hidden: bool = False) -> str:
        """The line that a person types after the question is there; what was typed before it is thrown away.

        `is_hidden` switches the echo off and, however this ends, back on. Raises NoTerminalError (hung up, put into the
        background), ApprovalRequiredError (the input was ended), KeyboardInterrupt.
        """
        while True:
            self._require_ours()
            signalled = 0
            line = ""
            try:
                with _signals_raise() as calm, self._asking(calm, is_hidden=is_hidden):
                    self._write(visible(question))
                    line = self._line()
            except _SignalledError as caught:
                signalled = caught.number
            except (OSError, termios.error):
                raise _refused("the terminal was closed") from None
            if not signalled:
                return line
            if signalled == signal.SIGINT:
                raise KeyboardInterrupt
            os.kill(os.getpid(), signalled)  # as if nobody had caught it: it ends or stops us here
            if signalled not in _STOPS:
                raise ApprovalRequiredError("the question was interrupted; nothing was approved", hint="run the command again")

    @contextmanager
    def _asking(self, calm: Callable[[], None], *, is_hidden: bool) -> Iterator[None]:
        before = termios.tcgetattr(self._device)
        mode = termios.tcgetattr(self._device)
        mode[_LOCAL_FLAGS] |= termios.ICANON | termios.ISIG
        shown = termios.ECHO | termios.ECHOE | termios.ECHOK
        mode[_LOCAL_FLAGS] = mode[_LOCAL_FLAGS] & ~(shown | termios.ECHONL) if is_hidden else mode[_LOCAL_FLAGS] | shown
        try:
            termios.tcsetattr(self._device, termios.TCSAFLUSH, mode)
            termios.tcflush(self._device, termios.TCIFLUSH)
            yield
        finally:
            calm()
            with suppress(termios.error):  # hung up: there is nothing to restore
                termios.tcsetattr(self._device, termios.TCSAFLUSH, before)
            if is_hidden:
                with suppress(OSError):
                    self._write("\n")

    def _line(self) -> str:
        typed = bytearray()
        while not typed.endswith(b"\n"):
            more = os.read(self._device, 4096)
            if not more:
                raise ApprovalRequiredError("the input ended; nothing was approved", hint="run the command again, and answer it")
            typed += more
        # Bytes that are no text become something that matches no word and opens no key.
        return typed.decode("utf-8", "surrogateescape").rstrip("\r\n")

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._device, data) :]

    def _require_ours(self) -> None:
        try:
            info = os.fstat(self._device)
            is_device = stat.S_ISCHR(info.st_mode) and info.st_rdev == _DEVICE_NUMBER and os.isatty(self._device)
            (session,) = struct.unpack("i", ioctl(self._device, _GET_SESSION, struct.pack("i", 0)))
            is_ours = is_device and session == os.getsid(0) and stat_of(os.getpid()).terminal != 0
            is_in_foreground = os.tcgetpgrp(self._device) == os.getpgrp()
        except OSError:
            raise _refused("the terminal of this process does not answer") from None
        if not is_ours:
            raise _refused(f"{DEVICE} is not the terminal of this session")
        if not is_in_foreground:
            raise _refused("this process runs in the background of its terminal")


@contextmanager
def _signals_raise() -> Iterator[Callable[[], None]]:
    """While this lasts, the first signal that would end or stop us raises instead; the function given switches even that off."""
    is_calm = False

    def calm() -> None:
        nonlocal is_calm
        is_calm = True

    def caught(number: int, _: FrameType | None) -> None:
        if not is_calm:
            calm()
            raise _SignalledError(number)

    before = {number: signal.getsignal(number) for number in _CAUGHT}
    try:
        for number in _CAUGHT:
            signal.signal(number, caught)
        yield calm
    finally:
        calm()
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _refused(why: str) -> NoTerminalError:
    return NoTerminalError(
        f"an approval is asked for on a terminal, and {why}",
        hint="run this command yourself in a terminal, in the foreground; no argument, file, pipe or variable stands for it",
    )
