"""The hash functions that transit knows, by Vault's names."""

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from cryptography.hazmat.primitives import hashes

DEFAULT = "sha2-256"
NONE = "none"
"""No hash: a PKCS #1 v1.5 signature of the input itself, without the hash's name."""
DIGESTS: Mapping[str, hashes.HashAlgorithm] = MappingProxyType(
    {
        "sha1": hashes.SHA1(),  # noqa: S303 - as Vault: the one who signs chooses
        "sha2-224": hashes.SHA224(),
        "sha2-256": hashes.SHA256(),
        "sha2-384": hashes.SHA384(),
        "sha2-512": hashes.SHA512(),
        "sha3-224": hashes.SHA3_224(),
        "sha3-256": hashes.SHA3_256(),
        "sha3-384": hashes.SHA3_384(),
        "sha3-512": hashes.SHA3_512(),
    }
)


def hashlib_name(algorithm: str) -> str:
    """What `hashlib` and `hmac` call it."""
    return DIGESTS[algorithm].name.replace("-", "_")


def digest(algorithm: str, data: bytes) -> bytes:
    """The hash of data."""
    return hashlib.new(hashlib_name(algorithm), data).digest()
