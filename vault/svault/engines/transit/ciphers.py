"""Encrypting and decrypting with a named key, in Vault's byte formats.

An AEAD's ciphertext is the nonce, then the sealed text; RSA is OAEP with SHA-256 and no label; a KEM's is an HPKE envelope. The
nonce is random, so that one version should seal no more than 2^32 texts (NIST SP 800-38D, 8.3): rotate keys that work hard.
Convergent keys take the nonce from an HMAC of the text, under a key that is derived beside the context's.
"""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256

from svault.crypto import envelope
from svault.crypto.base import CryptoBackend, CryptoError
from svault.engines.transit.derivation import derive
from svault.engines.transit.encoding import decode, encode, parse_versioned, versioned
from svault.engines.transit.keytypes import Family, KeyType
from svault.engines.transit.policies import CONVERGENT_VERSION, KeyVersion, Policy
from svault.engines.transit.xchacha import NONCE as EXTENDED_NONCE
from svault.engines.transit.xchacha import XChaCha20Poly1305
from svault.errors import BadRequestError

_NONCE, _NONCE_KEY = 12, 32
_OAEP = OAEP(MGF1(SHA256()), SHA256(), None)
_Aead = AESGCM | ChaCha20Poly1305 | XChaCha20Poly1305


def encrypt(
    policy: Policy, backend: CryptoBackend, plaintext: bytes, context: bytes = b"", aad: bytes = b"", key_version: int = 0
) -> tuple[str, int]:
    """`vault:vN:...` and N. Raises BadRequestError when the key, its version or the text cannot be used."""
    policy.require_usable()
    if not policy.type.encrypts:
        raise BadRequestError(f"message encryption not supported for key type {policy.type}")
    number = policy.version_to_use(key_version, "encryption")
    version = policy.version(number)
    match policy.type.family:
        case Family.AEAD:
            sealed = _seal(policy, version, plaintext, context, aad)
        case Family.KEM:
            sealed = envelope.seal(backend, policy.type.name, version.public, plaintext, aad)
        case _:
            public = version.public_key
            assert isinstance(public, RSAPublicKey)
            try:
                sealed = public.encrypt(plaintext, _OAEP)
            except ValueError:
                raise BadRequestError(
                    "failed to RSA encrypt the plaintext: crypto/rsa: message too long for RSA key size"
                ) from None
    return versioned(number, encode(sealed)), number


def decrypt(policy: Policy, backend: CryptoBackend, ciphertext: str, context: bytes = b"", aad: bytes = b"") -> bytes:
    """The plaintext. Raises BadRequestError when the ciphertext is not this key's, too old, or changed."""
    policy.require_usable()
    if not policy.type.encrypts:
        raise BadRequestError(f"message decryption not supported for key type {policy.type}")
    number, encoded = parse_versioned(ciphertext, "ciphertext")
    number = number or 1  # Vault's first versions counted from zero
    policy.require_readable_version(number, "ciphertext")
    version = policy.version(number)
    try:
        sealed = decode(encoded)
    except BadRequestError:
        raise BadRequestError("invalid ciphertext: could not decode base64") from None
    match policy.type.family:
        case Family.AEAD:
            return _open(policy, version, sealed, context, aad)
        case Family.KEM:
            return _unseal(policy.type, backend, version, sealed, aad)
    if not version.private:
        raise BadRequestError("cannot decrypt ciphertext, key version does not have a private counterpart")
    private = version.private_key
    assert isinstance(private, RSAPrivateKey)
    try:
        return private.decrypt(sealed, _OAEP)
    except ValueError:
        raise BadRequestError("failed to RSA decrypt the ciphertext: crypto/rsa: decryption error") from None


def _seal(policy: Policy, version: KeyVersion, plaintext: bytes, context: bytes, aad: bytes) -> bytes:
    size = policy.type.size
    if policy.convergent:
        _require_convergent(version)
        keys = derive(policy, version, context, size + _NONCE_KEY)
        cipher = _cipher(policy.type, keys[:size])
        nonce = hmac.digest(keys[size:], plaintext, "sha256")[: _nonce_size(policy.type)]
    else:
        cipher = _prepared(policy, version, context)
        nonce = os.urandom(_nonce_size(policy.type))
    return nonce + cipher.encrypt(nonce, plaintext, aad)


def _open(policy: Policy, version: KeyVersion, sealed: bytes, context: bytes, aad: bytes) -> bytes:
    if policy.convergent:
        _require_convergent(version)
    size = _nonce_size(policy.type)
    cipher = _prepared(policy, version, context)
    if len(sealed) < size:
        raise BadRequestError("invalid ciphertext length")
    try:
        return cipher.decrypt(sealed[:size], sealed[size:], aad)
    except InvalidTag:
        failed = "chacha20poly1305" if "chacha20" in policy.type.name else "cipher"
        raise BadRequestError(f"{failed}: message authentication failed") from None


def _unseal(kind: KeyType, backend: CryptoBackend, version: KeyVersion, sealed: bytes, aad: bytes) -> bytes:
    try:
        return envelope.unseal(backend, kind.name, version.private, sealed, aad)
    except CryptoError:
        raise BadRequestError("cipher: message authentication failed") from None


def _prepared(policy: Policy, version: KeyVersion, context: bytes) -> _Aead:
    if policy.derived:
        return _cipher(policy.type, derive(policy, version, context, policy.type.size))
    loaded = version.loaded
    if "aead" not in loaded:
        loaded["aead"] = _cipher(policy.type, version.private)
    cipher: _Aead = loaded["aead"]
    return cipher


def _cipher(kind: KeyType, key: bytes) -> _Aead:
    match kind.name:
        case "chacha20-poly1305":
            return ChaCha20Poly1305(key)
        case "xchacha20-poly1305":
            return XChaCha20Poly1305(key)
    return AESGCM(key)


def _nonce_size(kind: KeyType) -> int:
    return EXTENDED_NONCE if kind.name == "xchacha20-poly1305" else _NONCE


def _require_convergent(version: KeyVersion) -> None:
    """Older ways to derive the nonce are weak: ciphertexts of them are read by the Vault that made them, and rewrapped there."""
    if version.convergent_version != CONVERGENT_VERSION:
        raise BadRequestError(
            f"refusing to support decryption with old convergent encryption key: version {version.convergent_version}"
        )
