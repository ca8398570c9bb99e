"""A vault's failures as every face tells them: our codes, and a hint about what to do next."""

from collections.abc import Iterator
from contextlib import contextmanager

from stratumops.errors import (
    ConflictError,
    ExternalError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StratumError,
    UnavailableError,
)
from svault.errors import (
    BadRequestError,
    ConflictingWriteError,
    SealedError,
    StandbyError,
    StorageError,
    TooLargeError,
    UnsupportedMediaTypeError,
    UnsupportedOperationError,
    VaultError,
)
from svault.errors import NotFoundError as VaultNotFoundError
from svault.errors import PermissionDeniedError as VaultPermissionDeniedError

_KINDS: tuple[tuple[type[VaultError], type[StratumError], str], ...] = (
    (VaultNotFoundError, NotFoundError, "`prov vault list` shows what there is"),
    (VaultPermissionDeniedError, PermissionDeniedError, "the token's policy does not allow it, or the token has ended"),
    (SealedError, UnavailableError, "`prov vault status` says why"),
    (StandbyError, UnavailableError, "try again in some seconds"),
    (ConflictingWriteError, ConflictError, "try again"),
    (StorageError, UnavailableError, "check the disk and the vault's folder"),
    (TooLargeError, InvalidInputError, "store less at once"),
    (BadRequestError, InvalidInputError, "correct the arguments"),
    (UnsupportedMediaTypeError, InvalidInputError, "correct the arguments"),
    (UnsupportedOperationError, InvalidInputError, "the engine at that path does not do this"),
)


def translated(error: VaultError, what: str) -> StratumError:
    """The same failure as ours; `what` says what was looked for where the vault said nothing."""
    for kind, ours, hint in _KINDS:
        if isinstance(error, kind):
            said = error.message or f"there is no {what}"
            return ours(f"the vault: {said}" if error.message else said, hint=error.hint or hint)
    return ExternalError(f"the vault: {error.message}", hint=error.hint or "the vault's log says more")


@contextmanager
def told(what: str) -> Iterator[None]:
    """Around requests to a vault. Raises StratumError of ours instead of VaultError."""
    try:
        yield
    except VaultError as error:
        raise translated(error, what) from None
