"""New key versions: generated here, or read from what somebody imports."""

import asyncio
import os
from functools import partial
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_public_key,
)

from svault.crypto import envelope
from svault.crypto.base import CryptoBackend
from svault.engines.transit.keytypes import HMAC_MAXIMUM, HMAC_MINIMUM, KEY_TYPES, Family, KeyType
from svault.engines.transit.policies import KeyVersion
from svault.errors import BadRequestError

HMAC_KEY = 32
PUBLIC_EXPONENT = 65537
CURVES: dict[str, ec.EllipticCurve] = {"ecdsa-p256": ec.SECP256R1(), "ecdsa-p384": ec.SECP384R1(), "ecdsa-p521": ec.SECP521R1()}
_PUBLIC_KEYS: dict[Family, type] = {
    Family.RSA: rsa.RSAPublicKey,
    Family.ECDSA: ec.EllipticCurvePublicKey,
    Family.ED25519: ed25519.Ed25519PublicKey,
}
_NIST_NAMES = {curve.name: KEY_TYPES[name].shown for name, curve in CURVES.items()}


async def generated(kind: KeyType, backend: CryptoBackend, now: float, key_size: int = 0) -> KeyVersion:
    """A fresh version. RSA keys take a while and are made in a thread. Raises BadRequestError for a wrong `key_size`."""
    version = partial(KeyVersion, created=now, hmac_key=os.urandom(HMAC_KEY))
    match kind.family:
        case Family.AEAD:
            return version(private=os.urandom(kind.size))
        case Family.HMAC:
            if not HMAC_MINIMUM <= key_size <= HMAC_MAXIMUM:
                raise BadRequestError(f"invalid key size for HMAC key, must be between {HMAC_MINIMUM} and {HMAC_MAXIMUM} bytes")
            key = os.urandom(key_size)
            return version(private=key, hmac_key=key)
        case Family.ML_DSA | Family.KEM:
            seed = os.urandom(kind.size)
            return version(private=seed, public=public_of_seed(kind, backend, seed))
        case Family.RSA:
            pair: Any = await asyncio.to_thread(rsa.generate_private_key, PUBLIC_EXPONENT, kind.size * 8)
        case Family.ECDSA:
            pair = ec.generate_private_key(CURVES[kind.name])
        case _:
            pair = ed25519.Ed25519PrivateKey.generate()
    return version(private=private_der(pair), public=public_der(pair.public_key()))


def imported(kind: KeyType, backend: CryptoBackend, now: float, key: bytes, *, is_private: bool) -> KeyVersion:
    """A version from raw bytes or PKCS #8 (private), or a PEM (public). Raises BadRequestError."""
    version = partial(KeyVersion, created=now, hmac_key=os.urandom(HMAC_KEY))
    if kind.is_pkcs8:
        if not is_private:
            return version(public=public_der(_parsed_public(kind, key)))
        private = _parsed_private(kind, key)
        return version(private=private_der(private), public=public_der(private.public_key()))
    is_right_size = HMAC_MINIMUM <= len(key) <= HMAC_MAXIMUM if kind.family is Family.HMAC else len(key) == kind.size
    if not is_right_size:
        raise BadRequestError(f"invalid key size {len(key)} bytes for key type {kind}")
    if kind.family is Family.HMAC:
        return version(private=key, hmac_key=key)
    return version(private=key, public=public_of_seed(kind, backend, key) if kind.has_public_key else b"")


def public_of_seed(kind: KeyType, backend: CryptoBackend, seed: bytes) -> bytes:
    """The raw public key of a post-quantum seed."""
    return backend.dsa_public(seed) if kind.family is Family.ML_DSA else envelope.public_of(backend, kind.name, seed)


def private_der(key: Any) -> bytes:
    """PKCS #8."""
    der: bytes = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return der


def public_der(key: Any) -> bytes:
    """SubjectPublicKeyInfo."""
    der: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return der


def public_pem(key: Any) -> str:
    """SubjectPublicKeyInfo in PEM."""
    pem: bytes = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


def _parsed_private(kind: KeyType, der: bytes) -> Any:
    try:
        key = load_der_private_key(der, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadRequestError("error parsing asymmetric key: it is not a PKCS #8 private key") from None
    _require_type(kind, key.public_key())
    return key


def _parsed_public(kind: KeyType, pem: bytes) -> Any:
    if b"-----BEGIN " not in pem:
        raise BadRequestError("error parsing public key: not in PEM format")
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadRequestError("error parsing public key: it is not a SubjectPublicKeyInfo") from None
    _require_type(kind, key)
    return key


def _require_type(kind: KeyType, public: Any) -> None:
    family = next((family for family, known in _PUBLIC_KEYS.items() if isinstance(public, known)), None)
    if family is not kind.family:
        raise BadRequestError(f"invalid key type: expected {kind}, got {family or 'another'}")
    if isinstance(public, rsa.RSAPublicKey) and public.key_size != kind.size * 8:
        raise BadRequestError(f"invalid key size: expected {kind.size} bytes, got {(public.key_size + 7) // 8} bytes")
    if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name != CURVES[kind.name].name:
        curve = _NIST_NAMES.get(public.curve.name, public.curve.name)
        raise BadRequestError(f"invalid curve: expected {kind.shown}, got {curve}")
