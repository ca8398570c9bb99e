"""Shamir's secret sharing in Vault's format: a share is 32 bytes and its x coordinate."""

from collections.abc import Sequence

import pyshamir

from svault.barrier.barrier import WrongKeyError
from svault.errors import BadRequestError

MAX_SHARES = 255


def split(secret: bytes, shares: int, threshold: int) -> list[bytes]:
    """Shares of a secret; one of one is the secret itself. Raises BadRequestError as Vault does."""
    check_counts(shares, threshold)
    return [secret] if shares == 1 else [bytes(share) for share in pyshamir.split(secret, shares, threshold)]


def check_counts(shares: int, threshold: int) -> None:
    """Raise BadRequestError when a secret cannot be split so."""
    if shares < 1:
        raise BadRequestError("invalid seal configuration: shares must be at least one")
    if threshold < 1:
        raise BadRequestError("invalid seal configuration: threshold must be at least one")
    if shares > 1 and threshold == 1:
        raise BadRequestError("invalid seal configuration: threshold must be greater than one for multiple shares")
    if shares > MAX_SHARES:
        raise BadRequestError("invalid seal configuration: shares must be less than 256")
    if threshold > shares:
        raise BadRequestError("invalid seal configuration: threshold cannot be larger than shares")


def combine(shares: Sequence[bytes]) -> bytes:
    """What the shares give; too few or wrong ones give another secret or a BadRequestError."""
    if len(shares) == 1:
        return shares[0]
    if len({len(share) for share in shares}) != 1 or len({share[-1] for share in shares}) != len(shares):
        raise WrongKeyError("the unseal keys do not belong together")
    try:
        return bytes(pyshamir.combine([bytearray(share) for share in shares]))
    except ValueError:
        raise WrongKeyError("the unseal keys do not belong together") from None
