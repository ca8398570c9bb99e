"""Keys on their way between vaults: an AES key under RSA-OAEP, then the key under AES-KWP (PKCS #11's CKM_RSA_AES_KEY_WRAP)."""

import asyncio
import os

from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA224, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap_with_padding, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import load_der_private_key

from svault.barrier.view import View
from svault.engines.transit.material import PUBLIC_EXPONENT, private_der
from svault.errors import BadRequestError

_ENTRY = "wrapping-key"
_BITS, _AES_KEY = 4096, 32
_HASHES: dict[str, HashAlgorithm] = {
    "SHA1": SHA1(),  # noqa: S303 - as Vault: OAEP does not need a hash that resists collisions
    "SHA224": SHA224(),
    "SHA256": SHA256(),
    "SHA384": SHA384(),
    "SHA512": SHA512(),
}


def _oaep(hash_name: str) -> OAEP:
    algorithm = _HASHES.get(hash_name.upper())
    if algorithm is None:
        raise BadRequestError(f"unknown hash function: {hash_name}")
    return OAEP(MGF1(algorithm), algorithm, None)


def wrap(destination: RSAPublicKey, key: bytes, hash_name: str) -> bytes:
    """A key for the owner of an RSA key. Raises BadRequestError for an unknown hash."""
    ephemeral = os.urandom(_AES_KEY)
    return destination.encrypt(ephemeral, _oaep(hash_name)) + aes_key_wrap_with_padding(ephemeral, key)


def unwrap(own: RSAPrivateKey, wrapped: bytes, hash_name: str) -> bytes:
    """The key that was wrapped for `own`. Raises BadRequestError when it was not, or was changed; never says which."""
    padding = _oaep(hash_name)
    modulus = own.key_size // 8
    if len(wrapped) <= modulus:
        raise BadRequestError("provided ciphertext is too short")
    try:
        ephemeral = own.decrypt(wrapped[:modulus], padding)
        if len(ephemeral) != _AES_KEY:
            raise BadRequestError("expected ephemeral AES key to be 256-bit")
        return aes_key_unwrap_with_padding(ephemeral, wrapped[modulus:])
    except (ValueError, InvalidUnwrap):
        raise BadRequestError(
            "the ciphertext cannot be unwrapped: it is not wrapped for this key, or with another hash"
        ) from None


async def wrapping_key(view: View) -> RSAPrivateKey:
    """The mount's RSA-4096 key that imports are wrapped with; made at its first use."""
    async with view.lock(_ENTRY):
        stored = await view.get(_ENTRY)
        if stored is None:
            fresh = await asyncio.to_thread(generate_private_key, PUBLIC_EXPONENT, _BITS)
            await view.put(_ENTRY, private_der(fresh))
            return fresh
    key = load_der_private_key(stored, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    return key
