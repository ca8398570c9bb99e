"""The length check that stands before every slice and before every call into a library."""

from svault.crypto.base import CryptoError

MAX_CONTEXT = 255  # FIPS 204, algorithm 2: the length is one byte


def require_length(what: str, value: bytes, length: int) -> None:
    """Raise CryptoError unless `value` (a "public key", a "ciphertext" ...) has exactly `length` bytes."""
    if len(value) != length:
        raise CryptoError(f"the {what} has {len(value)} bytes, not {length}")


def require_context(context: bytes) -> None:
    """Raise CryptoError when `context` is longer than ML-DSA allows."""
    if len(context) > MAX_CONTEXT:
        raise CryptoError(f"the context has {len(context)} bytes, more than {MAX_CONTEXT}")
