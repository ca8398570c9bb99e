"""The files of a hash chain: the current one, those that were rotated away, and where each begins and ends."""

import fcntl
import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from svault.audit.records import BEFORE_ALL, Head, Line, parsed, record_of
from svault.errors import StorageError

_BLOCK = 64 * 1024
_MAX_STRAY = 64 * 1024 * 1024
MAX_FIRST_LINE = 16 * 1024
"""A `start` record with its public key takes 3 kB."""
_PACKED = (".gz", ".bz2", ".xz", ".zst")


class AuditFileError(StorageError):
    """An audit file cannot be opened, written or read; the message names it and says what the system said."""

    code = "vault_audit_file"


def said(error: OSError) -> str:
    """What the system says of an error, in the words that Go's programs use: `no such file or directory`."""
    return (os.strerror(error.errno) if error.errno else type(error).__name__).lower()


class End(NamedTuple):
    """What stands at the end of a file: its last line of the chain, and the bytes behind it that are none."""

    last: Line | None
    stray: bytes


def opened(path: Path, mode: int, patience: float) -> int:
    """A file to append to, made if missing and locked for us alone.

    `mode` 0 leaves the permissions as they are. Raises AuditFileError: a folder, not permitted, no such folder, locked by another
    process for longer than `patience` seconds.
    """
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK, mode or 0o600)
        except OSError as error:
            raise AuditFileError(f"open {path}: {said(error)}", path=str(path)) from None
        try:
            _require_regular(descriptor, path)
            lock(descriptor, path, patience)
            if is_current(descriptor, path):
                if mode and stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
                    os.fchmod(descriptor, mode)
                return descriptor
        except OSError as error:
            os.close(descriptor)
            raise AuditFileError(f"open {path}: {said(error)}", path=str(path)) from None
        except AuditFileError:
            os.close(descriptor)
            raise
        os.close(descriptor)  # it was rotated away between opening and locking


def _require_regular(descriptor: int, path: Path) -> None:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise AuditFileError(f"open {path}: not a regular file", path=str(path))


def lock(descriptor: int, path: Path, patience: float) -> None:
    """Take the lock of an open file; raises AuditFileError when it is still held after `patience` seconds."""
    deadline = None
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            deadline = now + patience if deadline is None else deadline
            if now >= deadline:
                raise AuditFileError(f"lock {path}: another process or device writes this file", path=str(path)) from None
            time.sleep(0.0005)
        else:
            return


def unlock(descriptor: int) -> None:
    """Give the lock back."""
    fcntl.flock(descriptor, fcntl.LOCK_UN)


def is_current(descriptor: int, path: Path) -> bool:
    """Whether the file that is open is the one of that name."""
    ours = os.fstat(descriptor)
    try:
        named = path.stat()
    except OSError:
        return False
    return (ours.st_ino, ours.st_dev) == (named.st_ino, named.st_dev)


def end_of(descriptor: int, size: int) -> End:
    """The end of an open file, read backwards until a line of the chain is found.

    Raises AuditFileError when the last 64 MiB hold none: that file is somebody else's.
    """
    start, tail = size, b""
    while start > 0:
        if len(tail) > _MAX_STRAY:
            raise AuditFileError("the file holds other content and no line of a chain", hint="move it away, or give another path")
        block = min(start, max(_BLOCK, len(tail)))
        start -= block
        tail = os.pread(descriptor, block, start) + tail
        lines = tail.split(b"\n")
        rest = len(lines[-1])
        for index in range(len(lines) - 2, -1 if start == 0 else 0, -1):
            line = parsed(lines[index])
            if line is not None:
                return End(line, tail[len(tail) - rest :])
            rest += len(lines[index]) + 1
    return End(None, tail)


def first_line(path: Path) -> Line | None:
    """The first line of a file, if it is one of a chain."""
    with path.open("rb") as file:
        return parsed(file.readline(MAX_FIRST_LINE).rstrip(b"\n"))


def rotated(path: Path) -> list[Path]:
    """The files that `path` was before, as we or a log rotator named them (`NAME.SUFFIX`), packed ones left out; oldest first."""
    try:
        entries = list(os.scandir(path.parent))
    except OSError:
        return []
    found: list[tuple[int, Path]] = []
    for entry in entries:
        if entry.name.startswith(path.name + ".") and not entry.name.endswith(_PACKED) and entry.is_file(follow_symlinks=False):
            line = first_line(Path(entry.path))
            if line is not None:
                found.append((line.seq, Path(entry.path)))
    return [one for _, one in sorted(found)]


def rotated_name(path: Path, now: float, first: int) -> Path:
    """The name that a file gets when it is rotated away: when, and the number of its first line."""
    return path.with_name(f"{path.name}.{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{first}")


def beginning(descriptor: int) -> tuple[int, float]:
    """The number of an open file's first line, and when its `start` record was written (a long time ago, if it has none)."""
    line = os.pread(descriptor, MAX_FIRST_LINE, 0).partition(b"\n")[0]
    first, began = parsed(line), record_of(line)
    try:
        since = datetime.fromisoformat(str(began.get("time"))).timestamp()
    except ValueError:
        since = 0.0
    return (first.seq if first else 0), since


def end_of_file(path: Path) -> tuple[Head, float]:
    """The last line of a closed file of a chain, and when the file was last written."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        last = end_of(descriptor, status.st_size).last
        return (last.head if last else BEFORE_ALL), status.st_mtime
    finally:
        os.close(descriptor)


def newest_head(path: Path) -> Head | None:
    """Where the chain stands by the files that `path` was before."""
    return max((end_of_file(one)[0] for one in rotated(path)), key=lambda head: head.seq, default=None)
