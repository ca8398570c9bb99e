"""One certificate: what goes into it, and the signature of its issuer (RFC 5280)."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import AuthorityInformationAccessOID

from svault.engines.pki.key_types import PrivateKey, PublicKey, pss, signature_hash
from svault.engines.pki.records import Urls
from svault.engines.pki.validity import Validity
from svault.errors import BadRequestError


@dataclass(slots=True)
class Template:
    """A certificate to be signed; `extensions` are with whether each is critical."""

    subject: x509.Name
    public_key: PublicKey
    validity: Validity
    extensions: list[tuple[x509.ExtensionType, bool]] = field(default_factory=list)
    serial_number: int = field(default_factory=x509.random_serial_number)
    """By default 159 random bits."""

    def add(self, *extensions: x509.ExtensionType | None, is_critical: bool = False) -> None:
        """Add extensions; None is left out."""
        self.extensions += [(one, is_critical) for one in extensions if one is not None]

    def override(self, asked: Iterable[x509.Extension[x509.ExtensionType]], fixed: frozenset[x509.ObjectIdentifier]) -> None:
        """Take over extensions of a request in place of ours, but none of the fixed kinds."""
        taken = [one for one in asked if one.oid not in fixed]
        replaced = {one.oid for one in taken}
        self.extensions = [one for one in self.extensions if one[0].oid not in replaced]
        self.extensions += [(one.value, one.critical) for one in taken]


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose name and key sign: an issuer, or a new root itself."""

    subject: x509.Name
    key: PrivateKey
    key_identifier: bytes
    signature_bits: int = 0
    is_pss: bool = False


def key_identifier(public_key: PublicKey) -> bytes:
    """The SHA-1 of a public key that subject key identifiers are (RFC 5280 4.2.1.2, method 1)."""
    return x509.SubjectKeyIdentifier.from_public_key(public_key).digest


def identifier_of(certificate: x509.Certificate) -> bytes:
    """The subject key identifier of a certificate; computed when it has none."""
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return key_identifier(certificate.public_key())  # type: ignore[arg-type]  # refused by the builder when it is no signing key


async def sign(template: Template, signer: Signer) -> x509.Certificate:
    """The signed certificate. Raises BadRequestError for what X.509 cannot hold."""
    valid = template.validity
    try:
        builder = (
            x509.CertificateBuilder()
            .subject_name(template.subject)
            .issuer_name(signer.subject)
            .public_key(template.public_key)
            .serial_number(template.serial_number)
            .not_valid_before(valid.not_before.replace(microsecond=0))
            .not_valid_after(valid.not_after.replace(microsecond=0))
        )
        for extension, is_critical in template.extensions:
            builder = builder.add_extension(extension, is_critical)
        digest = signature_hash(signer.key, signer.signature_bits)
        padding = pss(signer.key, digest, signer.is_pss)
        if isinstance(signer.key, ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey):
            return builder.sign(signer.key, digest)
        return await asyncio.to_thread(builder.sign, signer.key, digest, rsa_padding=padding)
    except (ValueError, TypeError) as reason:
        raise BadRequestError(f"unable to create certificate: {reason}") from None


def access_extensions(urls: Urls) -> list[x509.ExtensionType]:
    """Where the issuer, OCSP and the CRL are found, as extensions. Raises BadRequestError for a URL that is not ASCII."""
    try:
        access = [_access(AuthorityInformationAccessOID.OCSP, url) for url in urls.ocsp_servers]
        access += [_access(AuthorityInformationAccessOID.CA_ISSUERS, url) for url in urls.issuing_certificates]
        points = [_point(url) for url in urls.crl_distribution_points]
        delta = [_point(url) for url in urls.delta_crl_distribution_points]
    except ValueError:
        raise BadRequestError(
            "a URL of the authority information access holds characters that a certificate cannot hold"
        ) from None
    found: list[x509.ExtensionType] = [x509.AuthorityInformationAccess(access)] if access else []
    found += [x509.CRLDistributionPoints(points)] if points else []
    return found + ([x509.FreshestCRL(delta)] if delta else [])


def name_constraints(domains: Sequence[str]) -> x509.NameConstraints | None:
    """The constraint of a CA to DNS domains, or None (RFC 5280 4.2.1.10). Raises BadRequestError."""
    try:
        return x509.NameConstraints([x509.DNSName(domain) for domain in domains], None) if domains else None
    except ValueError:
        raise BadRequestError("permitted_dns_domains holds what is not a domain name") from None


def _access(method: x509.ObjectIdentifier, url: str) -> x509.AccessDescription:
    return x509.AccessDescription(method, x509.UniformResourceIdentifier(url))


def _point(url: str) -> x509.DistributionPoint:
    return x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)
