"""The types of keys that transit keeps, as data: everything else asks a type what it can do.

Source: Vault's API page of the transit engine. The post-quantum types are ours (FIPS 203, FIPS 204, HPKE).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from svault.errors import BadRequestError

DEFAULT = "aes256-gcm96"
HMAC_MINIMUM, HMAC_MAXIMUM = 32, 512
"""Bytes of an `hmac` key."""


class Family(StrEnum):
    """What types of one kind have in common: how their keys are made and used."""

    AEAD = "aead"
    RSA = "rsa"
    ECDSA = "ecdsa"
    ED25519 = "ed25519"
    HMAC = "hmac"
    ML_DSA = "ml-dsa"
    KEM = "kem"


@dataclass(frozen=True, slots=True)
class KeyType:
    """A type of keys.

    `number` is how Vault's backups write it (a text for a type that Vault does not have), `size` the bytes of a symmetric key or
    seed, of an RSA modulus, or of a coordinate of the curve; `shown` is how a version's public key is named.
    """

    name: str
    family: Family
    number: int | str
    size: int
    shown: str = ""

    def __str__(self) -> str:
        return self.name

    @property
    def encrypts(self) -> bool:
        """Whether it encrypts and decrypts."""
        return self.family in {Family.AEAD, Family.RSA, Family.KEM}

    @property
    def signs(self) -> bool:
        """Whether it signs and verifies."""
        return self.family in {Family.RSA, Family.ECDSA, Family.ED25519, Family.ML_DSA}

    @property
    def derives(self) -> bool:
        """Whether a key of its own can be derived for each context."""
        return self.family in {Family.AEAD, Family.ED25519}

    @property
    def authenticates_data(self) -> bool:
        """Whether encryption takes associated data."""
        return self.family in {Family.AEAD, Family.KEM}

    @property
    def signs_digests(self) -> bool:
        """Whether the input is hashed before it is signed."""
        return self.family in {Family.RSA, Family.ECDSA}

    @property
    def has_public_key(self) -> bool:
        """Whether there is a public key."""
        return self.family not in {Family.AEAD, Family.HMAC}

    @property
    def is_pkcs8(self) -> bool:
        """Whether its private key is kept and imported as PKCS #8; it is raw bytes otherwise."""
        return self.family in {Family.RSA, Family.ECDSA, Family.ED25519}


_ALL = (
    KeyType("aes256-gcm96", Family.AEAD, 0, 32),
    KeyType("ecdsa-p256", Family.ECDSA, 1, 32, "P-256"),
    KeyType("ed25519", Family.ED25519, 2, 32, "ed25519"),
    KeyType("rsa-2048", Family.RSA, 3, 256, "rsa-2048"),
    KeyType("rsa-4096", Family.RSA, 4, 512, "rsa-4096"),
    KeyType("chacha20-poly1305", Family.AEAD, 5, 32),
    KeyType("ecdsa-p384", Family.ECDSA, 6, 48, "P-384"),
    KeyType("ecdsa-p521", Family.ECDSA, 7, 66, "P-521"),
    KeyType("aes128-gcm96", Family.AEAD, 8, 16),
    KeyType("rsa-3072", Family.RSA, 9, 384, "rsa-3072"),
    KeyType("hmac", Family.HMAC, 10, 0),
    KeyType("xchacha20-poly1305", Family.AEAD, 11, 32),
    KeyType("ml-dsa-65", Family.ML_DSA, "ml-dsa-65", 32, "ml-dsa-65"),
    KeyType("ml-kem-768", Family.KEM, "ml-kem-768", 64, "ml-kem-768"),
    KeyType("x25519-ml-kem-768", Family.KEM, "x25519-ml-kem-768", 32, "x25519-ml-kem-768"),
)
KEY_TYPES: Mapping[str, KeyType] = MappingProxyType({known.name: known for known in _ALL})
NUMBERS: Mapping[int | str, KeyType] = MappingProxyType({known.number: known for known in _ALL})
_OTHER_SPELLINGS = {"mldsa-65": "ml-dsa-65"}


def key_type(name: str) -> KeyType:
    """The type of a name as clients spell it. Raises BadRequestError."""
    found = KEY_TYPES.get(_OTHER_SPELLINGS.get(name, name))
    if found is None:
        raise BadRequestError(f"unknown key type {name}")
    return found
