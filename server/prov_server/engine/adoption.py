"""Which `.prov` folders this user made on this machine, or looked at and took over: nothing in another one is believed.

A clone or an unpacked archive can bring a `.prov` with accounts, a state and approvers of somebody else's. So each folder that is
ours has a random id, `.prov/id`, and a note in the user's own configuration folder says which id belongs to which folder.
"""

import json
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from provisioning.approval.errors import NotAdoptedError
from provisioning.approval.key_files import approvers_folder, read_own, replace
from provisioning.approval.pins import locked
from stratumops.errors import PermissionDeniedError, UnavailableError

ID = "id"
NOTES = "made.json"
FOLDERS = ("", "state", "sandbox", "keys", "sandbox/keys")
FILES = (
    "providers.json", "approvers.json", "approval.key", "state.journal",
    "state.db", "state.db-wal", "state.db-journal", "workflows.db", "workflows.db-wal", "workflows.db-journal",
)  # fmt: skip
"""What the engine believes, wherever in `FOLDERS` it lies. The vault has keys of its own, and the audit is a record."""
MAX_NOTES = 4096
_MOST_BYTES = 4 << 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a folder is: its real path, and what the file system calls it."""

    path: str
    device: int
    inode: int

    def is_same_as(self, noted: Mapping[str, object]) -> bool:
        """Whether it is the folder of a note. A move keeps inode and device (which a reboot may number anew), a copy does not."""
        return self.inode == noted.get("inode") and (self.device == noted.get("device") or self.path == noted.get("path"))


class Adoption:
    """Whether one `.prov` is this user's. Its methods raise PermissionDeniedError, UnavailableError (disk, damaged notes)."""

    def __init__(self, own: Path, notes: Path) -> None:
        self.own = own
        self._notes = notes

    @classmethod
    def of_user(cls, own: Path, environment: Mapping[str, str]) -> "Adoption":
        """That of a workspace's `.prov` for this user."""
        return cls(own, approvers_folder(environment) / NOTES)

    def require(self) -> None:
        """Note a folder in which there is nothing to believe yet, as when we have just made it; one that is not there is well.

        Raises NotAdoptedError for any other that is not noted, PermissionDeniedError when others can read or change what it has.
        """
        place = self._place()
        if place is None:
            return
        if not self._is_noted(place):
            self._note(place, is_taken_over=False)
        for path, info in self.believed():
            _require_private(path, info)

    @property
    def is_ours(self) -> bool:
        """Whether it is noted."""
        place = self._place()
        return place is not None and self._is_noted(place)

    def take_over(self) -> None:
        """Note the folder whatever is in it, and close it to others; for a person who was shown what that is."""
        place = self._place()
        if place is None:
            return
        self.require_our_files()
        try:
            for path in self._folders():
                path.chmod(0o700)
            for path, _ in self.believed():
                path.chmod(0o600)
        except OSError as error:
            raise _unwritable(error, self.own) from None
        self._note(place, is_taken_over=True)

    def require_our_files(self) -> None:
        """Raises PermissionDeniedError for a link, or for a file of another user's, among what would be believed."""
        for path, info in self.believed():
            _require_kind(path, info)

    def believed(self) -> list[tuple[Path, os.stat_result]]:
        """The files that there are of what the engine believes. Raises PermissionDeniedError for a folder that is a link."""
        found = []
        for folder in self._folders():
            for name in FILES:
                path = folder / name
                if (info := _info(path)) is not None:
                    found.append((path, info))
        return found

    def _folders(self) -> list[Path]:
        found = []
        for name in FOLDERS:
            path = self.own / name
            if (info := _info(path)) is not None:
                _require_folder(path, info)
                found.append(path)
        return found

    def _place(self) -> _Place | None:
        info = _info(self.own)
        if info is None:
            return None
        _require_folder(self.own, info)
        return _Place(os.fspath(self.own.resolve()), info.st_dev, info.st_ino)

    def _is_noted(self, place: _Place) -> bool:
        try:
            id = read_own(self.own / ID).strip()  # noqa: A001 - what it is
        except (OSError, PermissionDeniedError):
            return False
        noted = self._all().get(id)
        return isinstance(noted, dict) and place.is_same_as(noted)

    def _note(self, place: _Place, *, is_taken_over: bool) -> None:
        try:
            self._notes.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(self._notes.with_suffix(".lock")):
                if self._is_noted(place):  # by another process, meanwhile
                    return
                if not is_taken_over and self.believed():
                    raise self._foreign()
                id = secrets.token_hex(16)  # noqa: A001 - what it is
                every = {**self._all(), id: asdict(place)}
                newest = dict(list(every.items())[-MAX_NOTES:])
                replace(self.own / ID, id + "\n")
                replace(self._notes, json.dumps(newest, indent=1) + "\n")
        except OSError as error:
            raise _unwritable(error, self._notes) from None

    def _all(self) -> dict[str, object]:
        try:
            found = json.loads(read_own(self._notes, _MOST_BYTES))
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise UnavailableError(f"{self._notes}: {error.strerror}", hint="check its permissions") from None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise UnavailableError(
                f"{self._notes} is damaged", hint="restore it, or move it away: you are asked about each workspace again then"
            )
        return found

    def _foreign(self) -> NotAdoptedError:
        return NotAdoptedError(
            f"this folder's .prov was not made by you on this machine: {self.own}",
            hint=f"a person adopts it, in a terminal: prov trust (it is not noted in {self._notes})",
            folder=os.fspath(self.own),
        )


def _info(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UnavailableError(f"{path}: {error.strerror}", hint="check the permissions of the folders above it") from None


def _require_folder(path: Path, info: os.stat_result) -> None:
    if not stat.S_ISDIR(info.st_mode):
        raise PermissionDeniedError(f"{path} is not a folder", hint="a link to another one is not followed: move it away")
    if info.st_uid != os.geteuid():
        raise PermissionDeniedError(f"{path} belongs to another user", hint="use a workspace of your own")
    if info.st_mode & 0o022:
        raise PermissionDeniedError(f"others can put files into {path}", hint=f"it must be yours alone: chmod 700 {path}")


def _require_kind(path: Path, info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise PermissionDeniedError(f"{path} is not a regular file", hint="a link is not followed: move it away")
    if info.st_uid != os.geteuid():
        raise PermissionDeniedError(f"{path} belongs to another user", hint="use a workspace of your own")


def _require_private(path: Path, info: os.stat_result) -> None:
    _require_kind(path, info)
    if info.st_mode & 0o077:
        raise PermissionDeniedError(
            f"others can read or change {path} (mode {stat.S_IMODE(info.st_mode):04o})",
            hint=f"see that it is as you left it, then: chmod 600 {path}",
        )


def _unwritable(error: OSError, path: Path) -> UnavailableError:
    return UnavailableError(f"{error.filename or path}: {error.strerror}", hint="let it be written there, or make room")
