"""What the operating system refused, said as a StorageError that names the file."""

import errno
from pathlib import Path

from svault.errors import StorageError

_HINTS = {
    errno.ENOSPC: "free some space; the store goes on by itself",
    errno.EDQUOT: "free some space or raise the quota; the store goes on by itself",
    errno.EFBIG: "raise the limit on the size of a file",
    errno.EROFS: "mount the file system writable",
    errno.EACCES: "give the folder to the user that the server runs as",
    errno.EPERM: "give the folder to the user that the server runs as",
    errno.EIO: "look at the disk: the kernel's log tells more",
    errno.EMFILE: "raise the limit on open files",
}


def refused(action: str, path: Path, error: OSError) -> StorageError:
    """A StorageError that says what could not be done to which file, why, and what helps."""
    hint = _HINTS.get(error.errno or 0, "")
    return StorageError(f"cannot {action} {path}: {error.strerror or 'input/output failed'}", hint=hint, path=str(path))
