"""Locks between the processes that use one folder: they end with the process that holds them, however it ends."""

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provisioning.state.refusals import refused
from stratumops.errors import UnavailableError

_PATIENCE = 60.0  # seconds; another process checks or restores a large database
_PAUSE = 0.01


@contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Only one process at a time makes, checks, migrates or restores the database of a folder."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise refused("open", folder, error) from None
    try:
        wait_for(handle, folder)
        yield
    finally:
        os.close(handle)


def wait_for(handle: int, path: Path) -> None:
    """Lock an open file for us alone. Raises UnavailableError after a minute."""
    deadline = time.monotonic() + _PATIENCE
    while not try_lock(handle, fcntl.LOCK_EX):
        if time.monotonic() > deadline:
            raise UnavailableError(
                f"another process has held the lock on {path} for {_PATIENCE:g} seconds",
                hint="end the process that hangs, then try again",
            )
        time.sleep(_PAUSE)


def try_lock(handle: int, way: int) -> bool:
    """Take a lock (`fcntl.LOCK_SH`, `fcntl.LOCK_EX`) if it can be had now."""
    try:
        fcntl.flock(handle, way | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        raise
    return True


class Users:
    """Everybody who has the database open shares this lock; who puts another database in its place needs it alone."""

    def __init__(self, path: Path) -> None:
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise refused("open", path, error) from None
        self._path = path
        if not try_lock(self._handle, fcntl.LOCK_SH):  # whoever restores holds `opening` too: this is no program of ours
            os.close(self._handle)
            raise UnavailableError(f"{path} is locked by another program", hint="end that program, then try again")

    def is_alone(self) -> bool:
        """Whether nobody else has the database open; if so nobody can until `share` or `close`."""
        return try_lock(self._handle, fcntl.LOCK_EX)

    def share(self) -> None:
        """Let others in again."""
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def close(self) -> None:
        """Let go."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
