"""Who is calling: bearer tokens (RFC 6750), the protocol that later kinds of tokens implement, and the first token's file."""

import hashlib
import hmac
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stratumops.errors import InvalidInputError, PermissionDeniedError
from stratumops.principal import METRICS, TOOLS, Principal
from stratumops.workspace import Workspace

TOKEN_FILE = "http-token"  # noqa: S105 - the file's name, not a token
_PREFIX = "prov_"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{32,512}")


OWNER = Principal("owner", frozenset({TOOLS, METRICS}))
"""Whoever can read the token file of the workspace."""


class Authenticator(Protocol):
    """Knows tokens. Must take the same time for a nearly right token as for a wrong one, and never log one."""

    async def verify(self, token: str) -> Principal | None:
        """The principal that this token was given to, or None when it was given to nobody (any more)."""
        ...


class SharedToken:
    """One token for one principal; holds only its hash."""

    def __init__(self, token: str, principal: Principal = OWNER) -> None:
        self._digest = _digest(token)
        self._principal = principal

    async def verify(self, token: str) -> Principal | None:
        """The principal when it is the token. Compares hashes, in constant time."""
        return self._principal if hmac.compare_digest(_digest(token), self._digest) else None


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


@dataclass(frozen=True, slots=True)
class TokenFile:
    """The workspace's token in `.prov/http-token`, readable by its owner alone."""

    path: Path

    @classmethod
    def of(cls, workspace: Workspace) -> "TokenFile":
        """The token file of a workspace; nothing is created."""
        return cls(workspace.own / TOKEN_FILE)

    def read_or_make(self, workspace: Workspace) -> tuple[str, bool]:
        """The token, and whether it was made just now (then it is to be shown, once).

        Raises PermissionDeniedError when others could read or replace the file, InvalidInputError when it holds no token.
        """
        folder = workspace.make_own()
        self._require_private_folder(folder)
        try:
            return self._read(), False
        except FileNotFoundError:
            return self._make(folder)

    def _read(self) -> str:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise PermissionDeniedError(
                f"the token file {self.path} cannot be read: {error.strerror}",
                hint="it must be a regular file of yours; remove it and start again to get a new token",
            ) from None
        with os.fdopen(handle, "rb") as file:
            info = os.fstat(handle)
            if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid():
                raise PermissionDeniedError(
                    f"the token file {self.path} is not a regular file of the user who starts the server",
                    hint="remove it and start again to get a new token",
                )
            if stat.S_IMODE(info.st_mode) & 0o077:
                raise PermissionDeniedError(
                    f"the token file {self.path} can be read or changed by others (mode {stat.S_IMODE(info.st_mode):04o})",
                    hint=f"if nobody saw it: chmod 600 {self.path}; otherwise remove it and start again to get a new token",
                )
            text = file.read(1024).decode("ascii", "replace").strip()
        if not _TOKEN.fullmatch(text):
            raise InvalidInputError(
                f"the token file {self.path} holds no token (one line of at least 32 letters and digits)",
                hint="remove it and start again to get a new token",
            )
        return text

    def _make(self, folder: Path) -> tuple[str, bool]:
        token = _PREFIX + secrets.token_urlsafe(32)
        draft = folder / f".{TOKEN_FILE}-{secrets.token_hex(8)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                os.fchmod(handle, 0o600)
                file.write(token + "\n")
                file.flush()
                os.fsync(handle)
            # A link appears whole and never replaces: of two servers that start at once, one reads the other's token.
            os.link(draft, self.path)
        except FileExistsError:
            return self._read(), False
        finally:
            draft.unlink()
        return token, True

    @staticmethod
    def _require_private_folder(folder: Path) -> None:
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077:
            raise PermissionDeniedError(
                f"{folder} must be a folder of yours that nobody else can look into (mode {stat.S_IMODE(info.st_mode):04o})",
                hint=f"chmod 700 {folder}",
            )
