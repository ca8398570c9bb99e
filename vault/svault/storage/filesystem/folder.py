"""The folder of a store: who may enter it, who holds it, and the names in it."""

import errno
import fcntl
import os
import re
import stat
from pathlib import Path

from svault.errors import StorageError, StorageLockedError
from svault.storage.filesystem import committed, manifest
from svault.storage.filesystem.durable import sync_folder
from svault.storage.filesystem.faults import refused

LOCK = "lock"
_SEGMENT = re.compile(r"(\d{8})\.log")
_NOT_FOREIGN = {LOCK, committed.NAME, manifest.UNFINISHED, "lost+found"}


def segment_name(number: int) -> str:
    """The file name of a segment."""
    return f"{number:08}.log"


def segment_numbers(folder: Path) -> list[int]:
    """The numbers of all segment files that are there, whether the manifest names them or not. Raises OSError."""
    return sorted(int(found[1]) for path in folder.iterdir() if (found := _SEGMENT.fullmatch(path.name)))


def prepare(folder: Path) -> None:
    """Make the folder, or take one that is a store or empty, and close it to everybody else (0700). Raises StorageError."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in missing:
            sync_folder(path.parent)
        names = {path.name for path in folder.iterdir()}
        is_store = manifest.NAME in names or any(_SEGMENT.fullmatch(name) for name in names)
        if not is_store and (foreign := sorted(names - _NOT_FOREIGN)):
            raise StorageError(f"{folder} holds other files ({foreign[0]!r})", hint="give the vault a folder of its own")
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise refused("use", folder, error) from error


class FolderLock:
    """One process at a time: an advisory lock that the kernel takes back when the process dies, whichever way."""

    def __init__(self, folder: Path, *, is_shared: bool = False) -> None:
        """Raises StorageError naming the process that holds the lock; OSError when the file cannot be opened."""
        path = folder / LOCK
        self._handle = os.open(path, os.O_RDONLY if is_shared else os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
            if not is_shared:
                self._sign()
        except BlockingIOError:
            holder = os.pread(self._handle, 32, 0).decode("ascii", "replace").strip("\0 \n")
            os.close(self._handle)
            raise StorageLockedError(
                f"{folder} is in use by process {holder}",
                hint="stop that server, or give this one another folder",
                path=str(folder),
            ) from None
        except OSError:
            os.close(self._handle)
            raise

    def _sign(self) -> None:
        try:
            os.pwrite(self._handle, b"%-20d\n" % os.getpid(), 0)
        except OSError as error:
            # On a full disk an existing store still opens: the lock counts, the number is for people.
            if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
                raise

    def release(self) -> None:
        """Let the next process in."""
        os.close(self._handle)
