"""A named key: its versions, and what is allowed with them. Values that never change; an edit makes another one.

The stored form is JSON of our own; the form that Vault's backups have is in `backups`.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from svault.engines.transit.keytypes import KEY_TYPES, KeyType
from svault.errors import BadRequestError

CONVERGENT_VERSION = 3
"""How Vault derives the nonce of convergent encryption today; older ways are refused, as OpenBao does."""


@dataclass(frozen=True)
class KeyVersion:
    """The material of one version.

    `private` is raw bytes (symmetric keys, post-quantum seeds) or PKCS #8; `public` is empty, SubjectPublicKeyInfo, or raw
    (post-quantum). `private` is empty when only a public key was imported. `created` is seconds since the epoch.
    """

    private: bytes = field(default=b"", repr=False)
    public: bytes = b""
    hmac_key: bytes = field(default=b"", repr=False)
    created: float = 0.0
    convergent_version: int = 0
    certificate_chain: tuple[bytes, ...] = ()
    """Certificates in DER, the leaf first."""

    @cached_property
    def private_key(self) -> PrivateKeyTypes:
        """The loaded PKCS #8 key. Its numbers were checked when it came in."""
        return load_der_private_key(self.private, None, unsafe_skip_rsa_key_validation=True)

    @cached_property
    def public_key(self) -> PublicKeyTypes:
        """The loaded public key."""
        return load_der_public_key(self.public)

    @cached_property
    def loaded(self) -> dict[str, Any]:
        """Prepared ciphers, so that a call does not build one."""
        return {}

    def to_document(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "private": _text(self.private),
            "public": _text(self.public),
            "hmac_key": _text(self.hmac_key),
            "created": self.created,
            "convergent_version": self.convergent_version,
            "certificate_chain": [_text(certificate) for certificate in self.certificate_chain],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "KeyVersion":
        """Read the stored form."""
        return cls(
            private=b64decode(document["private"]),
            public=b64decode(document["public"]),
            hmac_key=b64decode(document["hmac_key"]),
            created=document["created"],
            convergent_version=document["convergent_version"],
            certificate_chain=tuple(b64decode(certificate) for certificate in document["certificate_chain"]),
        )


def _text(value: bytes) -> str:
    return b64encode(value).decode("ascii")


@dataclass(frozen=True, slots=True)
class Event:
    """When a key was backed up or restored, and its latest version then."""

    time: float
    version: int


@dataclass(frozen=True, slots=True)
class Policy:
    """A named key. `auto_rotate_period` is seconds, 0 is never; `key_size` is the bytes of an `hmac` key."""

    name: str
    type: KeyType
    versions: Mapping[int, KeyVersion] = field(default_factory=dict, repr=False)
    latest_version: int = 0
    derived: bool = False
    convergent: bool = False
    exportable: bool = False
    allow_plaintext_backup: bool = False
    deletion_allowed: bool = False
    soft_deleted: bool = False
    imported: bool = False
    allow_imported_rotation: bool = False
    min_decryption_version: int = 1
    min_encryption_version: int = 0
    min_available_version: int = 0
    auto_rotate_period: int = 0
    key_size: int = 0
    backed_up: Event | None = None
    restored: Event | None = None

    def with_version(self, version: KeyVersion) -> "Policy":
        """The same key with one more version, the latest."""
        if self.convergent:
            version = replace(version, convergent_version=CONVERGENT_VERSION)
        number = self.latest_version + 1
        return replace(self, versions={**self.versions, number: version}, latest_version=number)

    def version(self, number: int) -> KeyVersion:
        """A version that may be used. Raises BadRequestError when there is none."""
        found = self.versions.get(number)
        if found is None or number < self.min_decryption_version:
            raise BadRequestError("no such key version")
        return found

    @property
    def usable(self) -> dict[int, KeyVersion]:
        """The versions that the minimum decryption version leaves."""
        return {number: version for number, version in self.versions.items() if number >= self.min_decryption_version}

    @property
    def rotation_due(self) -> float | None:
        """When the key is to be rotated by itself, or None for never."""
        if not self.auto_rotate_period or self.soft_deleted or (self.imported and not self.allow_imported_rotation):
            return None
        return self.versions[self.latest_version].created + self.auto_rotate_period

    def require_usable(self) -> None:
        """Raises BadRequestError when the key is soft-deleted."""
        if self.soft_deleted:
            raise BadRequestError("refusing to use soft-deleted key")

    def require_readable_version(self, number: int, what: str) -> None:
        """Raises BadRequestError when what a version made is not to be read; `what` is a ciphertext or signature."""
        if number > self.latest_version:
            raise BadRequestError(f"invalid {what}: version is too new")
        if number < self.min_decryption_version:
            raise BadRequestError("ciphertext or signature version is disallowed by policy (too old)")

    def version_to_use(self, number: int, purpose: str) -> int:
        """The version for making something new, 0 is the latest. Raises BadRequestError, naming the purpose."""
        if number == 0:
            return self.latest_version
        if number < 0:
            raise BadRequestError(f"requested version for {purpose} is negative")
        if number > self.latest_version:
            raise BadRequestError(f"requested version for {purpose} is higher than the latest key version")
        if number < self.min_encryption_version:
            raise BadRequestError(f"requested version for {purpose} is less than the minimum encryption key version")
        return number

    def to_bytes(self) -> bytes:
        """The stored form."""
        document = {name: getattr(self, name) for name in _PLAIN}
        document["type"] = self.type.name
        document["versions"] = {str(number): version.to_document() for number, version in self.versions.items()}
        document["backed_up"] = self.backed_up and [self.backed_up.time, self.backed_up.version]
        document["restored"] = self.restored and [self.restored.time, self.restored.version]
        return json.dumps(document, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Policy":
        """Read the stored form."""
        document = cast("dict[str, Any]", json.loads(stored))
        return cls(
            **{name: document[name] for name in _PLAIN},
            type=KEY_TYPES[document["type"]],
            versions={int(number): KeyVersion.from_document(version) for number, version in document["versions"].items()},
            backed_up=Event(*document["backed_up"]) if document["backed_up"] else None,
            restored=Event(*document["restored"]) if document["restored"] else None,
        )


_PLAIN = tuple(name for name in Policy.__slots__ if name not in {"type", "versions", "backed_up", "restored"})
