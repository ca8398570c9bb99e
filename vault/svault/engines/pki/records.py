"""What is stored about keys and issuers, as JSON."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any

from cryptography import x509

from svault.barrier.view import encoded
from svault.engines.pki.key_types import PrivateKey, kind_of, load_private, pkcs8
from svault.engines.pki.pem import certificate_der, certificate_from_der

USAGES = ("crl-signing", "issuing-certificates", "ocsp-signing", "read-only")


@dataclass(frozen=True, slots=True)
class Key:
    """A private key; `type` is `rsa`, `ec`, `ed25519` or `mldsa`."""

    id: str
    name: str
    type: str
    pkcs8: str = field(repr=False)
    """PKCS #8 in base64."""

    @classmethod
    def of(cls, key_id: str, name: str, private: PrivateKey) -> "Key":
        """A record of a new key."""
        return cls(key_id, name, kind_of(private).name, base64.b64encode(pkcs8(private)).decode())

    def stored(self) -> bytes:
        """The entry."""
        return encoded(asdict(self))

    def loaded(self) -> PrivateKey:
        """The key itself."""
        return load_private(base64.b64decode(self.pkcs8))


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a certificate's readers find its issuer, its CRL and OCSP (RFC 5280 4.2.2.1, 4.2.1.13)."""

    issuing_certificates: tuple[str, ...] = ()
    crl_distribution_points: tuple[str, ...] = ()
    delta_crl_distribution_points: tuple[str, ...] = ()
    ocsp_servers: tuple[str, ...] = ()
    enable_templating: bool = False

    @classmethod
    def of(cls, raw: dict[str, Any] | None) -> "Urls":
        """The record of an entry."""
        return cls(**tuples(raw or {}))

    def is_empty(self) -> bool:
        """Whether there is no URL at all."""
        return not (self.issuing_certificates or self.crl_distribution_points or self.ocsp_servers)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A CA certificate, whose key may be here (`key_id`) or elsewhere (empty)."""

    id: str
    name: str
    der: str = field(repr=False)
    """The certificate's DER in base64."""
    key_id: str = ""
    usage: tuple[str, ...] = USAGES
    leaf_not_after_behavior: str = "err"
    manual_chain: tuple[str, ...] = ()
    revocation_signature_algorithm: str = ""
    revoked: float = 0.0
    urls: Urls = Urls()

    @classmethod
    def of(cls, issuer_id: str, name: str, certificate: x509.Certificate, key_id: str, algorithm: str = "") -> "Issuer":
        """A record of a new issuer."""
        der = base64.b64encode(certificate_der(certificate)).decode()
        return cls(issuer_id, name, der, key_id, revocation_signature_algorithm=algorithm)

    @classmethod
    def read(cls, raw: dict[str, Any]) -> "Issuer":
        """The record of an entry."""
        return cls(**{**tuples(raw), "urls": Urls.of(raw["urls"])})

    def stored(self) -> bytes:
        """The entry."""
        return encoded(asdict(self))

    def changed(self, **values: Any) -> "Issuer":
        """The same issuer with other values."""
        return replace(self, **values)

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate itself."""
        return _parsed(self.der)

    @property
    def is_self_signed(self) -> bool:
        """Whether it is a root: it names itself as its issuer."""
        return self.certificate.subject == self.certificate.issuer


def tuples(raw: Mapping[str, Any]) -> dict[str, Any]:
    """JSON's lists as the tuples that records hold."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


@lru_cache(maxsize=1024)
def _parsed(der: str) -> x509.Certificate:
    return certificate_from_der(base64.b64decode(der))
