"""X25519 and ML-KEM-768 together: the secret stays hidden while either of the two holds.

This is X-Wing (draft-connolly-cfrg-xwing-kem), which HPKE calls MLKEM768-X25519. A seed of 32 bytes becomes the 64 bytes of
ML-KEM and the 32 of X25519. ML-KEM is computed by the chosen backend, X25519 and the hashes by `cryptography` and Python.
"""

import hashlib

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from svault.crypto.base import KEM_CIPHERTEXT, KEM_PUBLIC, KEM_SEED, CryptoBackend, CryptoError
from svault.crypto.lengths import require_length

X25519_LENGTH = 32
HYBRID_SEED, HYBRID_PUBLIC, HYBRID_CIPHERTEXT, HYBRID_SHARED = 32, KEM_PUBLIC + X25519_LENGTH, KEM_CIPHERTEXT + X25519_LENGTH, 32
LABEL = rb"\.//^" + b"\\"


def hybrid_public(backend: CryptoBackend, seed: bytes) -> bytes:
    """Return the public key (1216 bytes: ML-KEM's, then X25519's) of a seed of 32 bytes. Raises CryptoError."""
    kem_seed, key = _expand(seed)
    return backend.kem_public(kem_seed) + key.public_key().public_bytes_raw()


def hybrid_encapsulate(backend: CryptoBackend, public: bytes) -> tuple[bytes, bytes]:
    """Return a fresh shared secret (32 bytes) and its ciphertext (1120 bytes: ML-KEM's, then X25519's).

    Raises CryptoError for a public key of the wrong length, one that fails FIPS 203's check, or a point of low order.
    """
    require_length("public key", public, HYBRID_PUBLIC)
    kem_public, x_public = public[:KEM_PUBLIC], public[KEM_PUBLIC:]
    kem_shared, kem_ciphertext = backend.kem_encapsulate(kem_public)
    ephemeral = X25519PrivateKey.generate()
    x_ciphertext = ephemeral.public_key().public_bytes_raw()
    x_shared = _exchange(ephemeral, x_public, "public key")
    return _combine(kem_shared, x_shared, x_ciphertext, x_public), kem_ciphertext + x_ciphertext


def hybrid_decapsulate(backend: CryptoBackend, seed: bytes, ciphertext: bytes) -> bytes:
    """Return the shared secret; a tampered ciphertext of the right length gives another one. Raises CryptoError."""
    require_length("ciphertext", ciphertext, HYBRID_CIPHERTEXT)
    kem_seed, key = _expand(seed)
    kem_shared = backend.kem_decapsulate(kem_seed, ciphertext[:KEM_CIPHERTEXT])
    x_ciphertext = ciphertext[KEM_CIPHERTEXT:]
    x_shared = _exchange(key, x_ciphertext, "ciphertext")
    return _combine(kem_shared, x_shared, x_ciphertext, key.public_key().public_bytes_raw())


def _expand(seed: bytes) -> tuple[bytes, X25519PrivateKey]:
    require_length("seed", seed, HYBRID_SEED)
    expanded = hashlib.shake_256(seed).digest(KEM_SEED + X25519_LENGTH)
    return expanded[:KEM_SEED], X25519PrivateKey.from_private_bytes(expanded[KEM_SEED:])


def _exchange(key: X25519PrivateKey, point: bytes, what: str) -> bytes:
    try:
        return key.exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        # RFC 7748, section 6.1: a point of low order would make the result the same for every key.
        raise CryptoError(f"the X25519 part of the {what} is a point of low order") from None


def _combine(kem_shared: bytes, x_shared: bytes, x_ciphertext: bytes, x_public: bytes) -> bytes:
    return hashlib.sha3_256(kem_shared + x_shared + x_ciphertext + x_public + LABEL).digest()
