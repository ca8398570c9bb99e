"""Certificate signing requests (RFC 2986): read, checked, made, shown."""

import base64

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from svault.engines.pki.key_types import PrivateKey, kind_of, pss, signature_hash
from svault.engines.pki.pem import blocks
from svault.engines.pki.roles import Role
from svault.engines.pki.subject import Names
from svault.errors import BadRequestError


def load_csr(text: str) -> x509.CertificateSigningRequest:
    """The request of PEM text, its own signature checked. Raises BadRequestError."""
    if not text:
        raise BadRequestError('"csr" is empty')
    found = blocks(text)
    if not found:
        raise BadRequestError("csr contains no data")
    try:
        csr = x509.load_der_x509_csr(found[0][1])
        _ = csr.subject, list(csr.extensions), csr.public_key()
        is_signed = csr.is_signature_valid
    except Exception:  # noqa: BLE001 - the parser raises several kinds, and warnings that a caller may have made errors
        raise BadRequestError("certificate request could not be parsed: asn1: syntax error") from None
    if not is_signed:
        raise BadRequestError("request signature invalid: the request is not signed with its own key")
    return csr


def shown_csr(csr: x509.CertificateSigningRequest, output: str) -> str:
    """A request as PEM, or DER in base64."""
    der = csr.public_bytes(Encoding.DER)
    return base64.b64encode(der).decode() if output == "der" else csr.public_bytes(Encoding.PEM).decode().rstrip("\n")


def make_csr(names: Names, role: Role, key: PrivateKey, *, is_ca: bool) -> x509.CertificateSigningRequest:
    """A request for the key; `is_ca` asks for a CA certificate. Raises BadRequestError."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(names.subject(role))
    alternatives = names.alternatives()
    if alternatives is not None:
        builder = builder.add_extension(alternatives, critical=False)
    if is_ca:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    digest = signature_hash(key, role.signature_bits)
    return builder.sign(key, digest, rsa_padding=pss(key, digest, role.use_pss))


def check_key(csr: x509.CertificateSigningRequest, role: Role) -> None:
    """Whether the role takes the request's key. Raises BadRequestError."""
    kind = kind_of(csr.public_key())
    if role.key_type == "any":
        if kind.name == "rsa" and kind.bits < 2048:
            raise BadRequestError("RSA keys < 2048 bits are unsafe and not supported")
        return
    wanted = role.kind()
    if kind.name != wanted.name:
        raise BadRequestError(f"role requires keys of type {wanted.name}")
    if kind.bits < wanted.bits:
        raise BadRequestError(f"role requires a minimum of a {wanted.bits}-bit key, but CSR's key is {kind.bits} bits")
