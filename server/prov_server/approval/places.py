"""Which process sits where: session, terminal and parent, as the kernel tells it (Linux, `/proc`) and not the process itself."""

import ctypes
import os
import pwd
import resource
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from provisioning.approval.document import Seat

_SET_DUMPABLE = 4
_PSEUDO_TERMINALS, _CONSOLES, _FIRST_SERIAL_LINE = 136, 4, 64


@dataclass(frozen=True, slots=True)
class ProcessStat:
    """A line of `/proc/PID/stat`. `terminal` is the number of its controlling terminal (0 for none), `start` is in ticks."""

    pid: int
    parent: int
    group: int
    session: int
    terminal: int
    foreground: int
    start: int

    @property
    def is_in_foreground(self) -> bool:
        """Whether what is typed on its terminal reaches it."""
        return self.terminal != 0 and self.group == self.foreground


@dataclass(frozen=True, slots=True)
class Place:
    """Where an opened key may be used: by commands that one parent (the shell) starts in one session on one terminal.

    A program that runs in the same terminal, such as an assistant, is another parent. Start times tell a process from a later one
    with its number.
    """

    uid: int
    session: int
    session_start: int
    terminal: int
    terminal_inode: int
    parent: int
    parent_start: int


def stat_of(pid: int) -> ProcessStat:
    """How a process stands now. Raises OSError when it is gone."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    words = text[text.rindex(")") + 1 :].split()
    parent, group, session, terminal, foreground = (int(word) for word in words[1:6])
    return ProcessStat(pid, parent, group, session, terminal & 0xFFFFFFFF, foreground, int(words[19]))


def place_of(pid: int, uid: int) -> Place:
    """Where a process sits. Raises OSError when it, or what it hangs on, is gone."""
    own = stat_of(pid)
    path = terminal_path(own.terminal)
    return Place(
        uid=uid,
        session=own.session,
        session_start=stat_of(own.session).start,
        terminal=own.terminal,
        terminal_inode=path.stat().st_ino if path else 0,
        parent=own.parent,
        parent_start=stat_of(own.parent).start if own.parent else 0,
    )


def terminal_path(number: int) -> Path | None:
    """The device of a terminal's number; None when it has no name here (as in some containers)."""
    major, minor = (number >> 8) & 0xFFF, (number & 0xFF) | ((number >> 12) & 0xFFF00)
    if major == _PSEUDO_TERMINALS:
        path = Path(f"/dev/pts/{minor}")
    elif major == _CONSOLES:
        path = Path(f"/dev/tty{minor}" if minor < _FIRST_SERIAL_LINE else f"/dev/ttyS{minor - _FIRST_SERIAL_LINE}")
    else:
        return None
    with suppress(OSError):
        if path.stat().st_rdev == os.makedev(major, minor):
            return path
    return None


def own_seat() -> Seat:
    """Who runs this process and where, as the system knows it; no variable of the environment counts."""
    uid = os.getuid()
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = f"uid {uid}"
    number = stat_of(os.getpid()).terminal
    return Seat(user, socket.gethostname(), str(terminal_path(number) or f"terminal {number >> 8}:{number & 0xFF}"))


def keep_memory_private() -> None:
    """No core dump of this process, and no look into it by other processes of the same user (root still can)."""
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError, AttributeError):  # another C library than the usual ones
        ctypes.CDLL(None, use_errno=True).prctl(_SET_DUMPABLE, 0, 0, 0, 0)


def keep_out_of_swap() -> bool:
    """Lock this process's memory, now and later; False where the user may not lock that much."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
        soft = hard
    if soft != resource.RLIM_INFINITY and os.geteuid() != 0:
        return False  # under a limit, locking what comes later would make an allocation fail in the middle of work
    current_and_future = 1 | 2
    try:
        return bool(ctypes.CDLL(None, use_errno=True).mlockall(current_and_future) == 0)
    except (OSError, AttributeError):
        return False
