"""What a client of the vault is told: a status and a list of sentences, as Vault answers them.

A face of our own (the command line, a tool) sees the same failures as `StratumError`s, with a code and a hint.
"""

from typing import Any, ClassVar

from stratumops.errors import StratumError


class VaultError(StratumError):
    """A failure with Vault's HTTP status and sentences. None of them ever holds a secret value."""

    code: ClassVar[str] = "vault"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 9

    def __init__(self, *errors: str, hint: str = "", **details: Any) -> None:
        super().__init__("; ".join(errors), hint=hint, **details)
        self.errors = list(errors)
        self.data: dict[str, Any] | None = None
        self.warnings: list[str] = []


class BadRequestError(VaultError):
    """The path is known, but what was sent cannot be used: 400."""

    code, http_status, exit_code = "vault_bad_request", 400, 2


class PermissionDeniedError(VaultError):
    """No token, an unknown one, or one whose policies do not allow this. The answer never says which: 403."""

    code, http_status, exit_code = "vault_permission_denied", 403, 5

    def __init__(self, *errors: str, hint: str = "", **details: Any) -> None:
        super().__init__(*(errors or ("permission denied",)), hint=hint, **details)


class NotFoundError(VaultError):
    """Nothing is kept there: 404 with an empty list of errors."""

    code, http_status, exit_code = "vault_not_found", 404, 3


class NoHandlerError(NotFoundError):
    """Nothing is mounted there, or the engine has no such path: 404 with a sentence."""

    def __init__(self, path: str) -> None:
        super().__init__(f"no handler for route {path!r}. route entry not found.".replace("'", '"'))


class UnsupportedOperationError(VaultError):
    """The path exists, but not for this method: 405."""

    code, http_status, exit_code = "vault_unsupported_operation", 405, 2

    def __init__(self, *errors: str, hint: str = "", **details: Any) -> None:
        super().__init__(*(errors or ("unsupported operation",)), hint=hint, **details)
        self.errors = list(errors)  # for a method that no path has, the answer has no sentence


class ConflictingWriteError(VaultError):
    """Another server wrote the same entries at the same moment; nothing was changed: 503, try again."""

    code, http_status, exit_code = "vault_conflict", 503, 4


class TooLargeError(VaultError):
    """The body is larger than the listener takes: 413."""

    code, http_status, exit_code = "vault_too_large", 413, 2


class UnsupportedMediaTypeError(VaultError):
    """The body's content type is not what the method asks for: 415."""

    code, http_status, exit_code = "vault_unsupported_media_type", 415, 2


class SealedError(VaultError):
    """The vault is sealed; only unsealing, status and health are answered: 503."""

    code, http_status, exit_code = "vault_sealed", 503, 8

    def __init__(self, *errors: str, hint: str = "unseal it: svault unseal", **details: Any) -> None:
        super().__init__(*(errors or ("Vault is sealed",)), hint=hint, **details)


class StandbyError(VaultError):
    """Another server is the active one and could not be reached: 503."""

    code, http_status, exit_code = "vault_standby", 503, 8


class InternalError(VaultError):
    """A part of ours failed; the log knows more, the client does not: 500."""

    code, http_status, exit_code = "vault_internal", 500, 10

    def __init__(self, *errors: str, hint: str = "", **details: Any) -> None:
        super().__init__(*(errors or ("internal error",)), hint=hint, **details)


class UpstreamError(InternalError):
    """Another system (a database) that this request needs failed: 500, nothing was changed here."""

    code, exit_code = "vault_upstream", 9


class StorageError(InternalError):
    """The storage cannot be read or written: 500."""

    code, exit_code = "vault_storage", 9


class StorageLockedError(StorageError):
    """Another process has the storage open, and only one may."""

    code = "vault_storage_locked"


class DamagedStorageError(StorageError):
    """What the storage returned is not what was written; the message names the file or key and where."""

    code = "vault_storage_damaged"
