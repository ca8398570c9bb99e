"""What a database or the operating system refused, as our errors: which file or server, why, and what helps.

No message repeats what was sent, nor an address with its password.
"""

import errno
import sqlite3
from pathlib import Path

from provisioning.errors import StateCorruptError
from stratumops.errors import StratumError, UnavailableError

_ROOM = "free some space; nothing was lost, and the same command works again then"
_RIGHTS = "give the file and its folder to the user that runs this, and make them writable"
_HINTS = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: "free some space or raise the quota; nothing was lost",
    errno.EFBIG: "raise the limit on the size of a file; nothing was lost",
    errno.EROFS: "mount the file system writable",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EIO: "look at the disk: the kernel's log tells more",
    errno.EMFILE: "raise the limit on open files",
}
_FAULTS = {
    sqlite3.SQLITE_FULL: ("the disk is full", _ROOM),
    sqlite3.SQLITE_IOERR: (
        "the disk refused to read or write",
        "look whether the disk is full or at its limits, and at the kernel's log; nothing was lost",
    ),
    sqlite3.SQLITE_READONLY: ("it can only be read", _RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("it cannot be opened", _RIGHTS),
    sqlite3.SQLITE_PERM: ("its permissions forbid it", _RIGHTS),
    sqlite3.SQLITE_AUTH: ("its permissions forbid it", _RIGHTS),
    sqlite3.SQLITE_BUSY: ("another process holds it", "wait until that process is done, or end it; then try again"),
    sqlite3.SQLITE_LOCKED: ("another thread holds it", "try again"),
    sqlite3.SQLITE_NOMEM: ("there is not enough memory", "free some memory, then try again"),
    sqlite3.SQLITE_INTERRUPT: ("it was interrupted", "try again"),
    sqlite3.SQLITE_PROTOCOL: ("another process holds its lock", "try again"),
}
RESTORES = "run the command again when nothing else uses this state: it is then restored from its journal, and told how far"


def refused(action: str, path: Path, error: OSError) -> UnavailableError:
    """What the operating system refused to do to a file."""
    hint = _HINTS.get(error.errno or 0, "look at the file and its folder")
    return UnavailableError(f"cannot {action} {path}: {error.strerror or 'input/output failed'}", hint=hint, path=str(path))


def of_sqlite(error: BaseException, path: Path) -> StratumError:
    """What SQLite refused. Whatever is neither room, rights nor patience is damage: our statements are always the same."""
    code = getattr(error, "sqlite_errorcode", None)
    fault = _FAULTS.get(code & 0xFF) if isinstance(code, int) else None
    if fault is None:
        return corrupt(path, " ".join(str(error).split()) or type(error).__name__)
    return UnavailableError(f"the state {path} cannot be used: {fault[0]}", hint=fault[1], path=str(path))


def corrupt(path: Path | str, why: str) -> StateCorruptError:
    """A database that cannot be believed."""
    return StateCorruptError(f"the state {path} is damaged: {why}", hint=RESTORES, path=str(path))


def of_postgresql(error: BaseException, where: str) -> StratumError:
    """What PostgreSQL, or the way to it, refused. Only the first sentence: what follows can repeat what was sent."""
    diagnosis = getattr(error, "diag", None)
    said = getattr(diagnosis, "message_primary", None) or (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UnavailableError(
        f"{where}: {said}", hint="look whether the server runs, can be reached and lets this user in; nothing was lost"
    )
