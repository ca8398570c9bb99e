"""PEM and DER in and out (RFC 7468): the blocks of a bundle, certificates, requests, CRLs, and Vault's output formats."""

import base64
import re
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from svault.errors import BadRequestError

FORMATS = ("pem", "der", "pem_bundle")
SHORTEST = 75
"""Less than this many characters cannot be PEM: probably a file's name was sent instead of its contents."""
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*+)-----END \1-----")


def blocks(text: str) -> list[tuple[str, bytes]]:
    """The blocks of PEM text as `(label, DER)`; text between them is skipped. Raises BadRequestError for broken base64."""
    found = []
    for label, body in _BLOCK.findall(text):
        try:
            found.append((label, base64.b64decode("".join(body.split()), validate=True)))
        except ValueError:
            raise BadRequestError(f"error when parsing block {len(found) + 1}: invalid PEM data") from None
    return found


def certificate_from(text: str, sentence: str) -> x509.Certificate:
    """The first certificate of PEM text. Raises BadRequestError with the sentence when there is none."""
    for label, der in blocks(text):
        if label == "CERTIFICATE":
            return certificate_from_der(der)
    raise BadRequestError(sentence)


def certificate_from_der(der: bytes) -> x509.Certificate:
    """A certificate whose names, key and extensions can all be read. Raises BadRequestError."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.subject, certificate.issuer, list(certificate.extensions), certificate.public_key()
        _ = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    except Exception:  # noqa: BLE001 - the parser raises several kinds, and warnings that a caller may have made errors
        raise BadRequestError("certificate could not be parsed: x509: malformed certificate") from None
    return certificate


def certificate_pem(certificate: x509.Certificate) -> str:
    """A certificate as PEM, without the line break at its end."""
    return certificate.public_bytes(Encoding.PEM).decode().rstrip("\n")


def certificate_der(certificate: x509.Certificate) -> bytes:
    """A certificate as DER."""
    return certificate.public_bytes(Encoding.DER)


def armoured(label: str, der: bytes) -> str:
    """DER as PEM, without the line break at its end."""
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----"


def format_of(value: str) -> str:
    """The output format asked for. Raises BadRequestError."""
    if value not in FORMATS:
        raise BadRequestError('the "format" path parameter must be "pem", "der", or "pem_bundle"')
    return value


def printed(certificate: x509.Certificate, output: str) -> str:
    """A certificate as PEM, or DER in base64."""
    return base64.b64encode(certificate_der(certificate)).decode() if output == "der" else certificate_pem(certificate)


def bundled(parts: Sequence[str]) -> str:
    """PEM blocks below each other."""
    return "\n".join(part for part in parts if part)


def serial_text(serial: int) -> str:
    """A serial number as Vault writes it: `0a:41:b1`."""
    return serial.to_bytes(max(1, (serial.bit_length() + 7) // 8), "big").hex(":")


def serial_key(text: str) -> str:
    """A serial number as it is stored: lower case, with `-`."""
    return text.strip().lower().replace(":", "-")
