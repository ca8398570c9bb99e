"""The issuers and keys of a mount, and which of them are the default.

All of them are held in memory, since the active server is the only one that writes; every change is committed to the view first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from svault.barrier.view import View, encoded
from svault.engines.pki.failures import failure
from svault.engines.pki.key_types import PrivateKey, PublicKey
from svault.engines.pki.names import is_reference
from svault.engines.pki.pem import serial_key, serial_text
from svault.engines.pki.records import Issuer, Key
from svault.errors import BadRequestError

LOCK = "authorities"
_DEFAULT = "default"


@dataclass
class Authorities:
    """What can issue. Change it only while holding `view.lock(LOCK)`."""

    view: View
    issuers: dict[str, Issuer] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    default_issuer: str = ""
    default_follows_latest: bool = False
    default_key: str = ""
    _private: dict[str, PrivateKey] = field(default_factory=dict, repr=False)

    async def load(self) -> None:
        """Read everything. Raises StorageError."""
        for name in await self.view.list("issuers/"):
            issuer = Issuer.read(await self.view.read(f"issuers/{name}"))
            self.issuers[issuer.id] = issuer
        for name in await self.view.list("keys/"):
            key = Key(**await self.view.read(f"keys/{name}"))
            self.keys[key.id] = key
        config = await self.view.read("config/authorities") or {}
        self.default_issuer = config.get("issuer", "")
        self.default_follows_latest = config.get("follows_latest", False)
        self.default_key = config.get("key", "")

    def forget(self) -> None:
        """Drop what is in memory."""
        self.issuers.clear()
        self.keys.clear()
        self._private.clear()

    def find_issuer(self, reference: str) -> Issuer | None:
        """An issuer by id, name or `default`."""
        wanted = self.default_issuer if reference == _DEFAULT else reference
        found = self.issuers.get(wanted)
        return found or next((issuer for issuer in self.issuers.values() if wanted and issuer.name == wanted), None)

    def issuer(self, reference: str) -> Issuer:
        """As `find_issuer`. Raises a failure that says what is missing."""
        found = self.find_issuer(reference)
        if found is None:
            raise failure(missing_issuer(reference))
        return found

    def find_key(self, reference: str) -> Key | None:
        """A key by id, name or `default`."""
        wanted = self.default_key if reference == _DEFAULT else reference
        found = self.keys.get(wanted)
        return found or next((key for key in self.keys.values() if wanted and key.name == wanted), None)

    def private(self, key_id: str) -> PrivateKey:
        """The private key of an id that is known; parsed once."""
        found = self._private.get(key_id)
        if found is None:
            found = self._private[key_id] = self.keys[key_id].loaded()
        return found

    def key_with(self, public: PublicKey) -> Key | None:
        """The key whose public half this is."""
        wanted = public_der(public)
        return next((key for key in self.keys.values() if public_der(self.private(key.id).public_key()) == wanted), None)

    def chain(self, issuer: Issuer) -> list[Issuer]:
        """The issuer, whoever signed it, and so on, as far as they are known here; a manual chain wins."""
        if issuer.manual_chain:
            return [self.issuers[one] for one in issuer.manual_chain if one in self.issuers]
        chain = [issuer]
        while not chain[-1].is_self_signed:
            child = chain[-1].certificate
            parent = next((one for one in self.issuers.values() if is_issued_by(child, one) and one not in chain), None)
            if parent is None:
                break
            chain.append(parent)
        return chain

    def parent_of(self, certificate: x509.Certificate) -> Issuer | None:
        """The issuer whose key signed the certificate; a root is its own."""
        return next((one for one in self.issuers.values() if is_issued_by(certificate, one)), None)

    def check_issuer_name(self, name: str, own_id: str = "") -> str:
        """The name, when an issuer may have it. Raises BadRequestError."""
        return _check_name(name, "issuer", next((one.id for one in self.issuers.values() if one.name == name), ""), own_id)

    def check_key_name(self, name: str, own_id: str = "") -> str:
        """The name, when a key may have it. Raises BadRequestError."""
        return _check_name(name, "key", next((one.id for one in self.keys.values() if one.name == name), ""), own_id)

    async def save(
        self,
        issuers: Iterable[Issuer] = (),
        keys: Iterable[Key] = (),
        *,
        gone: Iterable[str] = (),
        default_issuer: str | None = None,
        default_key: str | None = None,
        follows_latest: bool | None = None,
        beside: Mapping[str, bytes | None] | None = None,
    ) -> None:
        """Commit new and changed records, removals (ids), other defaults and further entries, all at once."""
        issuers, keys, gone = list(issuers), list(keys), set(gone)
        issuer = self.default_issuer if default_issuer is None else default_issuer
        key = self.default_key if default_key is None else default_key
        follows = self.default_follows_latest if follows_latest is None else follows_latest
        config: dict[str, Any] = {
            "issuer": "" if issuer in gone else issuer,
            "key": "" if key in gone else key,
            "follows_latest": follows,
        }
        changes: dict[str, bytes | None] = {"config/authorities": encoded(config), **(beside or {})}
        changes.update({f"issuers/{one.id}": one.stored() for one in issuers})
        changes.update({f"keys/{one.id}": one.stored() for one in keys})
        changes.update({f"{'issuers' if one in self.issuers else 'keys'}/{one}": None for one in gone})
        await self.view.commit(changes)
        self.issuers.update({one.id: one for one in issuers})
        self.keys.update({one.id: one for one in keys})
        for one in gone:
            self.issuers.pop(one, None)
            self.keys.pop(one, None)
            self._private.pop(one, None)
        self.default_issuer, self.default_key, self.default_follows_latest = config["issuer"], config["key"], follows

    def with_serial(self, serial: str) -> Issuer | None:
        """The issuer whose own certificate has this serial number."""
        wanted = serial_key(serial)
        return next(
            (one for one in self.issuers.values() if serial_key(serial_text(one.certificate.serial_number)) == wanted), None
        )


def missing_issuer(reference: str) -> str:
    """What is said of a reference that leads nowhere."""
    if reference == _DEFAULT:
        return "no default issuer currently configured"
    return f"unable to find PKI issuer for reference: {reference}"


def missing_key(reference: str) -> str:
    """What is said of a key's reference that leads nowhere."""
    if reference == _DEFAULT:
        return "no default key currently configured"
    return f"unable to find PKI key for reference: {reference}"


def new_id() -> str:
    """An id for a key or an issuer."""
    return str(uuid4())


def public_der(public: PublicKey) -> bytes:
    """A public key's SubjectPublicKeyInfo."""
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def is_issued_by(child: x509.Certificate, issuer: Issuer) -> bool:
    """Whether the issuer's key signed the certificate."""
    try:
        child.verify_directly_issued_by(issuer.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _check_name(name: str, what: str, holder: str, own_id: str) -> str:
    name = name.strip()
    if name == _DEFAULT:
        raise BadRequestError(f"reserved keyword 'default' can not be used as {what} name")
    if name and not is_reference(name):
        raise BadRequestError(f"{what} name contained invalid characters")
    if name and holder and holder != own_id:
        raise BadRequestError(f"{what} name already in use")
    return name
