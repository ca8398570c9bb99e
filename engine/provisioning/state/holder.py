"""Who holds a lease: `host/pid/start`, so that a holder that is dead on this machine is known at once.

`start` is boot.namespace.ticks: a process id alone is given to others, after a reboot and in a container. Of a process of another
boot or another namespace nothing is known here; its lease ends by its time.
"""

import os
import socket
from functools import cache
from pathlib import Path

_PROC = Path("/proc")


def this_process() -> str:
    """The holder that this process is."""
    pid = os.getpid()
    return f"{_host()}/{pid}/{_boot()}.{_namespace()}.{_ticks(pid)}"


def is_dead(holder: str) -> bool:
    """Whether a holder was a process of this machine that has ended. False where that cannot be known."""
    host, _, rest = holder.rpartition("/")[0].partition("/")
    start = holder.rpartition("/")[2].split(".")
    if host != _host() or not rest.isdecimal() or start[:2] != [_boot(), _namespace()] or not _boot():
        return False
    pid = int(rest)
    ticks = _ticks(pid)
    return ticks != ".".join(start[2:]) if ticks or not _is_hidden(pid) else False


def told(holder: str) -> str:
    """A holder in words: "process 123 on web"."""
    parts = holder.split("/")
    return f"process {parts[1]} on {parts[0]}" if len(parts) == 3 else holder


@cache
def _host() -> str:
    return socket.gethostname().replace("/", "_") or "localhost"


@cache
def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    except OSError:
        return ""


@cache
def _namespace() -> str:
    try:
        return "".join(letter for letter in str((_PROC / "self/ns/pid").readlink()) if letter.isdecimal())
    except OSError:
        return ""


def _is_hidden(pid: int) -> bool:
    """Whether a process is there of which this user may see nothing (`hidepid`)."""
    if (_PROC / str(pid)).exists():
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _ticks(pid: int) -> str:
    """When a process started, in ticks since boot; "" when it is none any more, or only waits for its parent."""
    try:
        line = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = line.rpartition(")")[2].split()  # what stands before may hold anything: it is the program's name
    return "" if fields[0] in {"Z", "X"} else fields[19]
