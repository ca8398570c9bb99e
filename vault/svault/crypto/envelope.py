"""Sealing a text to a post-quantum public key: HPKE (RFC 9180, base mode, single shot), with any backend.

The suite is KEM + HKDF-SHA256 + AES-256-GCM, with an empty `info`; the KEM is ML-KEM-768 (0x0041) or MLKEM768-X25519 (0x647a,
X-Wing) of draft-ietf-hpke-pq. An envelope is the KEM's ciphertext followed by the sealed text, as HPKE libraries write it: any
of them opens ours, and the reverse.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from svault.crypto.base import KEM_CIPHERTEXT, KEM_PUBLIC, KEM_SEED, CryptoBackend, CryptoError
from svault.crypto.hybrid import (
    HYBRID_CIPHERTEXT,
    HYBRID_PUBLIC,
    HYBRID_SEED,
    hybrid_decapsulate,
    hybrid_encapsulate,
    hybrid_public,
)
from svault.crypto.lengths import require_length

TAG = 16
_KEY, _NONCE = 32, 12
_HKDF_SHA256, _AES_256_GCM, _MODE_BASE = b"\x00\x01", b"\x00\x02", b"\x00"


@dataclass(frozen=True)
class Scheme:
    """A KEM that envelopes are made with: HPKE's number of it, its lengths in bytes, and how a backend computes it."""

    kem_id: int
    seed: int
    public: int
    ciphertext: int
    public_of: Callable[[CryptoBackend, bytes], bytes]
    encapsulate: Callable[[CryptoBackend, bytes], tuple[bytes, bytes]]
    decapsulate: Callable[[CryptoBackend, bytes, bytes], bytes]


SCHEMES = MappingProxyType(
    {
        "ml-kem-768": Scheme(
            0x0041,
            KEM_SEED,
            KEM_PUBLIC,
            KEM_CIPHERTEXT,
            lambda backend, seed: backend.kem_public(seed),
            lambda backend, public: backend.kem_encapsulate(public),
            lambda backend, seed, ciphertext: backend.kem_decapsulate(seed, ciphertext),
        ),
        "x25519-ml-kem-768": Scheme(
            0x647A,
            HYBRID_SEED,
            HYBRID_PUBLIC,
            HYBRID_CIPHERTEXT,
            hybrid_public,
            hybrid_encapsulate,
            hybrid_decapsulate,
        ),
    }
)


def scheme_of(name: str) -> Scheme:
    """Return the scheme that is called `name`. Raises CryptoError when there is none."""
    try:
        return SCHEMES[name]
    except KeyError:
        raise CryptoError(f"unknown scheme {name!r}; there are: {', '.join(SCHEMES)}") from None


def new_seed(scheme: str) -> bytes:
    """Return a fresh private seed for `scheme`. Raises CryptoError when the scheme is unknown."""
    return secrets.token_bytes(scheme_of(scheme).seed)


def public_of(backend: CryptoBackend, scheme: str, seed: bytes) -> bytes:
    """Return the public key of a seed. Raises CryptoError."""
    kem = scheme_of(scheme)
    require_length("seed", seed, kem.seed)
    return kem.public_of(backend, seed)


def seal(backend: CryptoBackend, scheme: str, public: bytes, plaintext: bytes, aad: bytes = b"") -> bytes:
    """Return the envelope of `plaintext` for the owner of `public`; `aad` is authenticated, and not part of it.

    Raises CryptoError when the public key cannot be used or the scheme is unknown.
    """
    kem = scheme_of(scheme)
    require_length("public key", public, kem.public)
    shared, ciphertext = kem.encapsulate(backend, public)
    key, nonce = _key_schedule(kem.kem_id, shared)
    return ciphertext + AESGCM(key).encrypt(nonce, plaintext, aad)


def unseal(backend: CryptoBackend, scheme: str, seed: bytes, envelope: bytes, aad: bytes = b"") -> bytes:
    """Return the text of an envelope.

    Raises CryptoError when it is too short, was made for another key or with another `aad`, or was changed; which of these
    is not told apart.
    """
    kem = scheme_of(scheme)
    require_length("seed", seed, kem.seed)
    if len(envelope) < kem.ciphertext + TAG:
        raise CryptoError(f"the envelope has {len(envelope)} bytes, fewer than {kem.ciphertext + TAG}")
    shared = kem.decapsulate(backend, seed, envelope[: kem.ciphertext])
    key, nonce = _key_schedule(kem.kem_id, shared)
    try:
        return AESGCM(key).decrypt(nonce, envelope[kem.ciphertext :], aad)
    except InvalidTag:
        raise CryptoError("the envelope cannot be opened: another key, other associated data, or it was changed") from None


def _key_schedule(kem_id: int, shared: bytes) -> tuple[bytes, bytes]:
    """RFC 9180, section 5.1, in base mode with an empty info: the AEAD's key and its first nonce."""
    suite = b"HPKE-v1HPKE" + kem_id.to_bytes(2, "big") + _HKDF_SHA256 + _AES_256_GCM

    def extract(salt: bytes, label: bytes) -> bytes:
        return HKDF.extract(SHA256(), salt, suite + label)

    context = _MODE_BASE + extract(b"", b"psk_id_hash") + extract(b"", b"info_hash")
    secret = extract(shared, b"secret")

    def expand(label: bytes, length: int) -> bytes:
        return HKDFExpand(SHA256(), length, length.to_bytes(2, "big") + suite + label + context).derive(secret)

    return expand(b"key", _KEY), expand(b"base_nonce", _NONCE)
