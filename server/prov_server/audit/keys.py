"""The audit's keys: what signs the chain, what makes digests that cannot be guessed, and the public key for everybody."""

import base64
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from prov_tools.audit_key import as_pem
from prov_tools.call_log import PUBLIC_FILE
from stratumops.errors import InvalidInputError, PermissionDeniedError

KEY_FILE = "key"
_TITLE = "stratumops audit key 1"
_BYTES = 32


@dataclass(frozen=True, slots=True)
class AuditKey:
    """`seed` signs (ML-DSA-65, FIPS 204), `digest` makes the digests (HMAC-SHA256); 32 bytes each."""

    seed: bytes = field(repr=False)
    digest: bytes = field(repr=False)


def read_or_make_key(folder: Path) -> AuditKey:
    """The key of an audit folder, made at the first call of all. Of processes that start at once, all get the same one.

    Raises PermissionDeniedError when others could read or replace it, InvalidInputError when the file holds no key, OSError.
    """
    try:
        return _read(folder / KEY_FILE)
    except FileNotFoundError:
        pass
    made = AuditKey(secrets.token_bytes(_BYTES), secrets.token_bytes(_BYTES))
    lines = (_TITLE, base64.b64encode(made.seed).decode(), base64.b64encode(made.digest).decode())
    if write_once(folder / KEY_FILE, "\n".join(lines) + "\n"):
        return made
    return _read(folder / KEY_FILE)


def write_once(path: Path, text: str) -> bool:
    """Write a file for its owner alone, whole or not at all, and never over another; False when there is one. Raises OSError."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.link(draft, path)  # appears whole and never replaces
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def keep_public(folder: Path, public: bytes) -> None:
    """Write the public key beside the chain; one of an earlier key is kept under another name. Raises OSError."""
    path, text = folder / PUBLIC_FILE, as_pem(public)
    if write_once(path, text):
        return
    earlier = path.read_text(encoding="ascii", errors="replace")
    if earlier != text:
        path.rename(folder / f"public-{hashlib.sha256(earlier.encode()).hexdigest()[:16]}.key")
        write_once(path, text)


def _read(path: Path) -> AuditKey:
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077:
            raise PermissionDeniedError(
                f"{path} is not a regular file that only you can read (mode {stat.S_IMODE(info.st_mode):04o})",
                hint=f"if nobody saw it: chmod 600 {path}; otherwise move the audit folder away, and a new one is begun",
            )
        lines = file.read(1024).decode("ascii", "replace").split("\n")
    keys = [_decoded(line) for line in lines[1:3]]
    if lines[0] != _TITLE or [len(key) for key in keys] != [_BYTES, _BYTES]:
        raise InvalidInputError(
            f"{path} holds no audit key", hint="restore it, or move the audit folder away: a new one is begun"
        )
    return AuditKey(*keys)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""
