"""Where keys lie: an approver's in the user's own configuration folder, never in a workspace; the server's in `.prov/keys`."""

import base64
import json
import os
import re
import secrets
import stat
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provisioning.approval.keys import ApproverKey, PublicKey, lock_key, new_key, public_of
from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError, UnavailableError

PRODUCT = "stratumops"
SUFFIX = ".key"
SERVER_KEY = "approval.key"
SERVER = "server"
_SERVER_FORMAT = "stratumops approval key of a server 1"
_NAME = re.compile(r"[^\W_](?:[\w.@ -]{0,62}\w)?")
_MOST_BYTES = 64 * 1024


def approvers_folder(environment: Mapping[str, str]) -> Path:
    """`stratumops/approvers` in the user's configuration folder (XDG)."""
    base = environment.get("XDG_CONFIG_HOME", "")
    home = environment.get("HOME") or os.fspath(Path.home())
    return (Path(base) if base.startswith("/") else Path(home) / ".config") / PRODUCT / "approvers"


def checked_name(name: str) -> str:
    """An approver's name as it is kept (NFC). Raises InvalidInputError for what cannot name a file."""
    text = unicodedata.normalize("NFC", name.strip())
    if not _NAME.fullmatch(text):
        raise InvalidInputError(
            f"{name[:80]!r} cannot be an approver's name",
            hint="letters, digits and . @ - _ inside it, at most 64 characters, such as maría or ana@example.org",
        )
    return text


@dataclass(frozen=True, slots=True)
class ApproverFolder:
    """The keys of one user. Its methods raise PermissionDeniedError (others could read or replace a key), UnavailableError."""

    path: Path

    @classmethod
    def of_user(cls, environment: Mapping[str, str], workspace: Path) -> "ApproverFolder":
        """The folder of this user. Raises PermissionDeniedError when it lies in the workspace."""
        path = approvers_folder(environment)
        if path.resolve().is_relative_to(workspace.resolve()):
            raise PermissionDeniedError(
                f"the folder of approver keys, {path}, lies in the workspace, which tools write to",
                hint="choose the folder of your project as the workspace, not your home folder",
            )
        return cls(path)

    def names(self) -> list[str]:
        """Whose keys are here, sorted."""
        try:
            return sorted(one.name.removesuffix(SUFFIX) for one in self.path.iterdir() if one.name.endswith(SUFFIX))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(self.path, error) from None

    def file(self, name: str) -> Path:
        """Where the key of that name is or would be. Raises InvalidInputError."""
        return self.path / f"{checked_name(name)}{SUFFIX}"

    def make(self, name: str, passphrase: str) -> PublicKey:
        """Make a key. Raises ConflictError (there is one), InvalidInputError (the name, or a weak passphrase)."""
        key = new_key(checked_name(name))
        text = lock_key(key, passphrase)
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _require_own_folder(self.path)
            is_new = write_new(self.file(name), text)
        except OSError as error:
            raise _unusable(self.path, error) from None
        if not is_new:
            raise ConflictError(f"there is a key of {key.name!r} already", hint=f"use it, or move {self.file(name)} away")
        return key.public

    def text(self, name: str) -> str:
        """The locked key of that name. Raises NotFoundError."""
        try:
            _require_own_folder(self.path)
            return read_own(self.file(name))
        except FileNotFoundError:
            raise NotFoundError(
                f"there is no approver key of {name!r} in {self.path}", hint=f"there are: {', '.join(self.names()) or 'none'}"
            ) from None
        except OSError as error:
            raise _unusable(self.file(name), error) from None

    def public(self, name: str) -> PublicKey:
        """The public key of that name. Raises NotFoundError, InvalidInputError."""
        inside, public = public_of(self.text(name))
        if inside != checked_name(name):
            raise InvalidInputError(
                f"{self.file(name)} holds the key of {inside!r}", hint=f"give the file its name again: {inside}{SUFFIX}"
            )
        return public


def read_or_make_server_key(own_folder: Path) -> ApproverKey:
    """The key with which the server signs what a person said in a client (elicitation); made at the first use, 0600.

    `own_folder` is the workspace's `.prov/`. Raises PermissionDeniedError, InvalidInputError (it holds no key), UnavailableError.
    """
    path = own_folder / "keys" / SERVER_KEY
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        _require_own_folder(path.parent)
        if not path.exists():
            made = {"format": _SERVER_FORMAT, "seeds": base64.b64encode(new_key(SERVER).seeds).decode("ascii")}
            write_new(path, json.dumps(made) + "\n")  # of processes that start at once, all take the same one
        text = read_own(path)
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        found = json.loads(text)
        encoded = found["seeds"] if found["format"] == _SERVER_FORMAT else ""
        return ApproverKey(SERVER, base64.b64decode(encoded, validate=True))
    except (ValueError, KeyError, TypeError):
        raise InvalidInputError(
            f"{path} holds no key", hint="move it away: a new one is made, and what the old one signed holds no more"
        ) from None


def write_new(path: Path, text: str) -> bool:
    """Write a file for its owner alone, whole or not at all, and never over another; False when there is one. Raises OSError."""
    draft = _draft(path, text)
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def replace(path: Path, text: str) -> None:
    """Write a file for its owner alone over another, whole or not at all. Raises OSError."""
    draft = _draft(path, text)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def read_own(path: Path, most_bytes: int = _MOST_BYTES) -> str:
    """A text file that only its owner, who we are, can read. Raises PermissionDeniedError, OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        mode = stat.S_IMODE(info.st_mode)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid() or mode & 0o077:
            raise PermissionDeniedError(
                f"{path} is not a regular file that only you can read (mode {mode:04o})",
                hint=f"if nobody else saw it: chmod 600 {path}; otherwise make a new one",
            )
        return file.read(most_bytes).decode("utf-8", "replace")


def _draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{secrets.token_hex(8)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    return draft


def _require_own_folder(path: Path) -> None:
    info = path.stat()
    mode = stat.S_IMODE(info.st_mode)
    if info.st_uid != os.geteuid() or mode & 0o022:
        raise PermissionDeniedError(
            f"others can put files into {path} (mode {mode:04o})", hint=f"it must be yours alone: chmod 700 {path}"
        )


def _unusable(path: Path, error: OSError) -> UnavailableError:
    return UnavailableError(f"{error.filename or path}: {error.strerror}", hint="check the folder's permissions and its disk")
