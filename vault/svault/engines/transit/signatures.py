"""Signing and verifying with a named key, in Vault's byte formats."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.utils import (
    NoDigestInfo,
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from svault.crypto.base import CryptoBackend
from svault.engines.transit.derivation import derive_ed25519
from svault.engines.transit.digests import DEFAULT, DIGESTS, NONE, digest
from svault.engines.transit.encoding import decode, decode_jws, encode, encode_jws, parse_versioned, versioned
from svault.engines.transit.keytypes import Family
from svault.engines.transit.policies import KeyVersion, Policy
from svault.errors import BadRequestError

AUTO, AS_HASH = 0, -1
"""Salt lengths of PSS in Vault's numbers: as long as possible, and as long as the hash."""
_FITTING = {"ecdsa-p256": Prehashed(hashes.SHA256()), "ecdsa-p384": Prehashed(hashes.SHA384())}
_LONGEST_CONTEXT = 255


@dataclass(frozen=True, slots=True)
class Options:
    """How to sign: a name of DIGESTS or `none`, `asn1` or `jws`, `pss` or `pkcs1v15`, and the salt's length of PSS in bytes."""

    hash: str = DEFAULT
    marshaling: str = "asn1"
    algorithm: str = "pss"
    salt_length: int = AUTO
    is_prehashed: bool = False


@dataclass(frozen=True, slots=True)
class _Work:
    """What one signature is about. `message` is already hashed where the type signs digests."""

    policy: Policy
    version: KeyVersion
    backend: CryptoBackend
    message: bytes = field(repr=False)
    context: bytes = field(repr=False)
    options: Options


def sign(
    policy: Policy, backend: CryptoBackend, message: bytes, context: bytes, options: Options, key_version: int = 0
) -> tuple[str, int, bytes]:
    """`vault:vN:...`, N, and the public key when it was derived. Raises BadRequestError when that is not possible."""
    policy.require_usable()
    number = policy.version_to_use(key_version, "signing")
    version = policy.version(number)
    if not version.private:
        raise BadRequestError("requested version for signing does not contain a private part")
    work = _work(policy, version, backend, message, context, options)
    signature = _SIGN[policy.type.family](work)
    encoded = encode_jws(signature) if options.marshaling == "jws" else encode(signature)
    derived_public = _derived(work).public_key().public_bytes_raw() if policy.derived else b""
    return versioned(number, encoded), number, derived_public


def verify(policy: Policy, backend: CryptoBackend, message: bytes, context: bytes, options: Options, signature: str) -> bool:
    """Whether the signature is the key's. Raises BadRequestError for what is not a signature, or too old."""
    policy.require_usable()
    number, encoded = parse_versioned(signature, "signature")
    policy.require_readable_version(number, "signature")
    version = policy.version(number)
    try:
        raw = decode_jws(encoded) if options.marshaling == "jws" else decode(encoded)
    except (ValueError, BadRequestError):
        raise BadRequestError("invalid base64 signature value") from None
    work = _work(policy, version, backend, message, context, options)
    try:
        return _VERIFY[policy.type.family](work, raw)
    except (InvalidSignature, _WrongDigestError):
        return False


def _work(policy: Policy, version: KeyVersion, backend: CryptoBackend, message: bytes, context: bytes, options: Options) -> _Work:
    if policy.type.signs_digests and not options.is_prehashed:
        message = digest(options.hash, message)
    return _Work(policy, version, backend, message, context, options)


class _WrongDigestError(BadRequestError):
    """What was given as a digest is not as long as one."""


def _sign_rsa(work: _Work) -> bytes:
    private: Any = work.version.private_key
    padding, algorithm = _rsa_scheme(work, PSS.MAX_LENGTH)
    try:
        signature: bytes = private.sign(work.message, padding, algorithm)
    except ValueError:
        raise BadRequestError("crypto/rsa: message too long for RSA key size") from None
    return signature


def _verify_rsa(work: _Work, signature: bytes) -> bool:
    public: Any = work.version.public_key
    padding, algorithm = _rsa_scheme(work, PSS.AUTO)
    public.verify(signature, work.message, padding, algorithm)
    return True


def _rsa_scheme(work: _Work, longest_salt: Any) -> tuple[AsymmetricPadding, Any]:
    options = work.options
    if options.hash == NONE:
        return PKCS1v15(), NoDigestInfo()
    algorithm = DIGESTS[options.hash]
    padding: AsymmetricPadding = PKCS1v15()
    if options.algorithm == "pss":
        if not AS_HASH <= options.salt_length <= work.policy.type.size - 2 - algorithm.digest_size:
            raise BadRequestError(f"requested salt length {options.salt_length} is invalid")
        length = {AUTO: longest_salt, AS_HASH: PSS.DIGEST_LENGTH}.get(options.salt_length, options.salt_length)
        padding = PSS(MGF1(algorithm), length)
    elif options.algorithm != "pkcs1v15":
        raise BadRequestError(f"unsupported rsa signature algorithm {options.algorithm}")
    if len(work.message) != algorithm.digest_size:
        wanted = "with given hash" if options.algorithm == "pss" else "message"
        raise _WrongDigestError(f"crypto/rsa: input must be hashed {wanted}")
    return padding, Prehashed(algorithm)


def _sign_ecdsa(work: _Work) -> bytes:
    private: Any = work.version.private_key
    signature: bytes = private.sign(*_fitted(work))
    if work.options.marshaling == "jws":
        size = work.policy.type.size
        return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(signature))
    return signature


def _verify_ecdsa(work: _Work, signature: bytes) -> bool:
    public: Any = work.version.public_key
    if work.options.marshaling == "jws":
        half = len(signature) // 2
        signature = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    else:
        try:
            decode_dss_signature(signature)
        except ValueError:
            raise BadRequestError("supplied signature is invalid") from None
    public.verify(signature, *_fitted(work))
    return True


def _fitted(work: _Work) -> tuple[bytes, ECDSA]:
    """A digest of any length as one of the curve's length: ECDSA takes the leftmost bits, and leading zeros change nothing."""
    kind = work.policy.type
    if not work.message:
        raise _WrongDigestError("ecdsa: hash cannot be empty")
    if kind.name in _FITTING:
        return work.message[: kind.size].rjust(kind.size, b"\0"), ECDSA(_FITTING[kind.name])
    longest = hashes.SHA512().digest_size
    if len(work.message) > longest:
        raise BadRequestError(f"a prehashed input for {kind} has at most {longest} bytes")
    return work.message.rjust(longest, b"\0"), ECDSA(Prehashed(hashes.SHA512()))


def _derived(work: _Work) -> Ed25519PrivateKey:
    try:
        return derive_ed25519(work.policy, work.version, work.context)
    except BadRequestError as error:
        raise BadRequestError(f"error deriving key: {error.errors[0]}") from None


def _sign_ed25519(work: _Work) -> bytes:
    private: Any = _derived(work) if work.policy.derived else work.version.private_key
    signature: bytes = private.sign(work.message)
    return signature


def _verify_ed25519(work: _Work, signature: bytes) -> bool:
    public: Any = _derived(work).public_key() if work.policy.derived else work.version.public_key
    public.verify(signature, work.message)
    return True


def _sign_ml_dsa(work: _Work) -> bytes:
    _require_pure(work)
    return work.backend.dsa_sign(work.version.private, work.message, work.context)


def _verify_ml_dsa(work: _Work, signature: bytes) -> bool:
    _require_pure(work)
    return work.backend.dsa_verify(work.version.public, work.message, signature, work.context)


def _require_pure(work: _Work) -> None:
    """FIPS 204, 5.2: the message itself is signed, under a context of at most 255 bytes."""
    if work.options.is_prehashed:
        raise BadRequestError(f"key type {work.policy.type} signs the message itself; send it without prehashed")
    if len(work.context) > _LONGEST_CONTEXT:
        raise BadRequestError(f"the context of key type {work.policy.type} has at most {_LONGEST_CONTEXT} bytes")


_SIGN: dict[Family, Callable[[_Work], bytes]] = {
    Family.RSA: _sign_rsa,
    Family.ECDSA: _sign_ecdsa,
    Family.ED25519: _sign_ed25519,
    Family.ML_DSA: _sign_ml_dsa,
}
_VERIFY: dict[Family, Callable[[_Work, bytes], bool]] = {
    Family.RSA: _verify_rsa,
    Family.ECDSA: _verify_ecdsa,
    Family.ED25519: _verify_ed25519,
    Family.ML_DSA: _verify_ml_dsa,
}
