"""The kinds of keys that certificates have: which sizes there are, how one is generated, stored, shown and signed with.

RSA (2048, 3072, 4096, 8192 bits), EC (NIST's P-224, P-256, P-384, P-521), Ed25519 and ML-DSA (FIPS 204: 44, 65, 87). ML-DSA-65
is also called `ml-dsa-65` and `mldsa-65`. A key is stored as PKCS #8, which holds just the 32-byte seed of an ML-DSA key.
"""

import asyncio
import base64
from dataclasses import dataclass
from typing import Any, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

from svault.engines.pki.pem import armoured
from svault.errors import BadRequestError

PrivateKey: TypeAlias = (
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | mldsa.MLDSA44PrivateKey
    | mldsa.MLDSA65PrivateKey
    | mldsa.MLDSA87PrivateKey
)
PublicKey: TypeAlias = (
    rsa.RSAPublicKey
    | ec.EllipticCurvePublicKey
    | ed25519.Ed25519PublicKey
    | mldsa.MLDSA44PublicKey
    | mldsa.MLDSA65PublicKey
    | mldsa.MLDSA87PublicKey
)
HASHES: dict[int, type[hashes.SHA256 | hashes.SHA384 | hashes.SHA512]] = {
    256: hashes.SHA256,
    384: hashes.SHA384,
    512: hashes.SHA512,
}
CURVES: dict[int, ec.EllipticCurve] = {224: ec.SECP224R1(), 256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}
_CURVE_NAMES = {curve.name for curve in CURVES.values()}
ML_DSA: dict[int, Any] = {44: mldsa.MLDSA44PrivateKey, 65: mldsa.MLDSA65PrivateKey, 87: mldsa.MLDSA87PrivateKey}
ALIASES = {"ml-dsa-65": ("mldsa", 65), "mldsa-65": ("mldsa", 65)}
SIZES = {"rsa": (2048, 3072, 4096, 8192), "ec": tuple(CURVES), "mldsa": tuple(ML_DSA)}
DEFAULT_BITS = {"rsa": 2048, "ec": 256, "mldsa": 44}
_WORDS = {"rsa": "RSA", "ec": "EC", "mldsa": "ML-DSA"}
_LABELS = {"rsa": "RSA PRIVATE KEY", "ec": "EC PRIVATE KEY"}
_CLASSES: dict[str, tuple[type, ...]] = {
    "rsa": (rsa.RSAPrivateKey, rsa.RSAPublicKey),
    "ec": (ec.EllipticCurvePrivateKey, ec.EllipticCurvePublicKey),
    "ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    "mldsa": (
        mldsa.MLDSA44PrivateKey,
        mldsa.MLDSA44PublicKey,
        mldsa.MLDSA65PrivateKey,
        mldsa.MLDSA65PublicKey,
        mldsa.MLDSA87PrivateKey,
        mldsa.MLDSA87PublicKey,
    ),
}


@dataclass(frozen=True, slots=True)
class KeyType:
    """A kind of key: the name that answers give it (`rsa`, `ec`, `ed25519`, `mldsa`) and its size (0 for Ed25519)."""

    name: str
    bits: int


def key_type_of(name: str, bits: int) -> KeyType:
    """The kind that a request or role asks for; 0 bits is the kind's default. Raises BadRequestError."""
    name, default = ALIASES.get(name, (name, DEFAULT_BITS.get(name, 0)))
    if name == "ed25519":
        return KeyType(name, 0)
    if name not in SIZES:
        raise BadRequestError(f"unknown key type {name}")
    bits = bits or default
    if name == "rsa" and bits < 2048:
        raise BadRequestError(f"RSA keys < 2048 bits are unsafe and not supported: got {bits}")
    if bits not in SIZES[name]:
        raise BadRequestError(f"unsupported bit length for {_WORDS[name]} key: {bits}")
    return KeyType(name, bits)


async def generate(kind: KeyType) -> PrivateKey:
    """A fresh key; RSA keys are searched for in a thread."""
    if kind.name == "rsa":
        return await asyncio.to_thread(rsa.generate_private_key, 65537, kind.bits)
    if kind.name == "ec":
        return ec.generate_private_key(CURVES[kind.bits])
    if kind.name == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    key: PrivateKey = ML_DSA[kind.bits].generate()
    return key


def kind_of(key: object) -> KeyType:
    """The kind of a private or public key. Raises BadRequestError for a kind that certificates here cannot have."""
    for name, classes in _CLASSES.items():
        if isinstance(key, classes):
            if name == "mldsa":
                return KeyType(name, int(type(key).__name__.removeprefix("MLDSA")[:2]))
            if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey) and key.curve.name not in _CURVE_NAMES:
                break
            return KeyType(name, getattr(key, "key_size", 0))
    raise BadRequestError("the key is of a type that is not supported")


def load_private(der: bytes) -> PrivateKey:
    """A key of PKCS #8, PKCS #1 or SEC 1. Raises BadRequestError, which never says what was in it."""
    try:
        key = load_der_private_key(der, password=None)
        kind_of(key)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise BadRequestError("unable to parse private key: not an unencrypted PKCS #8, PKCS #1 or SEC 1 key") from None
    return key  # type: ignore[return-value]  # kind_of refuses every other kind


def pkcs8(key: PrivateKey) -> bytes:
    """A key as it is stored."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def shown(key: PrivateKey, output: str, private_key_format: str) -> str:
    """A key for the client: PKCS #8 when asked for or when the kind has no older form, as PEM or as DER in base64."""
    label = "" if private_key_format == "pkcs8" else _LABELS.get(kind_of(key).name, "")
    der = key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL if label else PrivateFormat.PKCS8, NoEncryption())
    return base64.b64encode(der).decode() if output == "der" else armoured(label or "PRIVATE KEY", der)


def signature_hash(key: PrivateKey, signature_bits: int) -> hashes.SHA256 | hashes.SHA384 | hashes.SHA512 | None:
    """The digest that the key signs with: the curve's own for EC, the wanted one for RSA, none for the others."""
    kind = kind_of(key)
    if kind.name == "ec":
        return HASHES[{384: 384, 521: 512}.get(kind.bits, 256)]()
    return HASHES.get(signature_bits, hashes.SHA256)() if kind.name == "rsa" else None


def pss(key: PrivateKey, digest: hashes.HashAlgorithm | None, is_wanted: bool) -> padding.PSS | None:
    """RSASSA-PSS with a salt as long as the digest (RFC 4055), when wanted and the key is RSA."""
    if not is_wanted or digest is None or not isinstance(key, rsa.RSAPrivateKey):
        return None
    return padding.PSS(padding.MGF1(digest), padding.PSS.DIGEST_LENGTH)
