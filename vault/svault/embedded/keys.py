"""Where the keys of a workspace's vault are: in the system's keyring, or in a file that only its owner can read.

Whoever has them can open the vault. The keyring is tried first; a machine without one gets the file, and is told so.
"""

import base64
import json
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from svault.errors import DamagedStorageError, StorageError

SERVICE = "stratumops-vault"
FILE = "keys.json"


class KeyPlace(StrEnum):
    """Where keys are kept."""

    KEYRING = "keyring"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Keys:
    """What opens the vault and what the product's own tools use: a token whose policy is the workspace's engines and no more."""

    unseal_key: bytes = field(repr=False)
    recovery_keys: tuple[str, ...] = field(repr=False)
    token: str = field(repr=False)

    def encoded(self) -> str:
        """As it is kept."""
        unseal = base64.b64encode(self.unseal_key).decode()
        return json.dumps({"unseal_key": unseal, "recovery_keys": list(self.recovery_keys), "token": self.token})

    @classmethod
    def decoded(cls, text: str) -> "Keys":
        """The inverse of `encoded`. Raises ValueError."""
        found = json.loads(text)
        return cls(base64.b64decode(found["unseal_key"], validate=True), tuple(found["recovery_keys"]), found["token"])


class KeyStore:
    """The keys of the vault in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / FILE

    @property
    def _name(self) -> str:
        return os.fspath(self._folder.resolve())

    @property
    def place(self) -> KeyPlace:
        """Where `load` looks."""
        return KeyPlace.FILE if self._file.exists() else KeyPlace.KEYRING

    @property
    def file(self) -> Path:
        """Where the file is, if there is one."""
        return self._file

    def save(self, keys: Keys, *, place: KeyPlace | None = None) -> KeyPlace:
        """Keep the keys and return where. Without `place` the keyring is tried first. Raises StorageError."""
        if place in {None, KeyPlace.KEYRING} and self._save_in_keyring(keys):
            return KeyPlace.KEYRING
        if place is KeyPlace.KEYRING:
            raise StorageError(
                "this machine has no keyring that can be used",
                hint="pip install 'stratumops[keyring]', or keep the keys in a file",
            )
        self._save_in_file(keys)
        return KeyPlace.FILE

    def _save_in_keyring(self, keys: Keys) -> bool:
        keyring = _keyring()
        if keyring is None:
            return False
        try:
            keyring.set_password(SERVICE, self._name, keys.encoded())
            return bool(keyring.get_password(SERVICE, self._name) == keys.encoded())
        except Exception:  # noqa: BLE001 - each system's keyring fails in its own way; then the file is used
            return False

    def _save_in_file(self, keys: Keys) -> None:
        temporary = self._file.with_suffix(".new")
        try:
            temporary.unlink(missing_ok=True)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(keys.encoded())
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._file)
        except OSError as error:
            raise StorageError(f"the keys could not be written: {error.strerror}") from None

    def load(self) -> Keys | None:
        """The keys, or None when there are none. Raises DamagedStorageError, StorageError (the file can be read by others)."""
        try:
            text = self._file.read_text(encoding="utf-8")
            if self._file.stat().st_mode & 0o077:
                raise StorageError(f"{FILE} can be read by others: its mode must be 0600", hint=f"chmod 600 {self._file}")
        except FileNotFoundError:
            keyring = _keyring()
            text = (keyring.get_password(SERVICE, self._name) if keyring else None) or ""
        except OSError as error:
            raise StorageError(f"the keys cannot be read: {error.strerror}") from None
        if not text:
            return None
        try:
            return Keys.decoded(text)
        except (ValueError, KeyError, TypeError):
            raise DamagedStorageError(
                "the stored keys of the workspace's vault are damaged", hint="restore them from a backup"
            ) from None


def _keyring() -> Any:
    """The keyring library with a usable backend, or None."""
    try:
        import keyring  # noqa: PLC0415 - optional, and slow to look for backends
        from keyring.backends import fail, null  # noqa: PLC0415 - as above
    except ImportError:
        return None
    return None if isinstance(keyring.get_keyring(), fail.Keyring | null.Keyring) else keyring
