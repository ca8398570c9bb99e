"""Object identifiers, and the names that have one: RFC 5280 otherName, written `OID;UTF8:text`, and its DER."""

import re

from cryptography import x509

from svault.errors import BadRequestError

_OID = re.compile(r"[0-2](\.\d{1,30}){1,60}")
_UTF8_STRING = 0x0C


def is_oid(text: str) -> bool:
    """Whether this is an object identifier in dotted form, which a certificate can hold."""
    try:
        return _OID.fullmatch(text) is not None and bool(x509.ObjectIdentifier(text))
    except ValueError:
        return False


def usage_oid(text: str) -> x509.ObjectIdentifier:
    """The object identifier of an extended key usage. Raises BadRequestError."""
    if not is_oid(text):
        raise BadRequestError(f'"{text}" could not be parsed as a valid oid for an extended key usage')
    return x509.ObjectIdentifier(text)


def parse_other_name(text: str, prefix: str = "could not parse requested other SAN") -> tuple[str, str]:
    """`(OID, text)` of an other name. Raises BadRequestError with the prefix."""
    oid, separator, rest = text.partition(";")
    if not separator:
        raise BadRequestError(f'{prefix}: expected a semicolon in other SAN "{text}"')
    kind, colon, value = rest.partition(":")
    if not colon:
        raise BadRequestError(f'{prefix}: expected a colon in other SAN "{text}"')
    if kind.lower() not in {"utf8", "utf-8"}:
        raise BadRequestError(f'{prefix}: only utf8 other SANs are supported; found non-supported type in other SAN "{text}"')
    if not is_oid(oid):
        raise BadRequestError(f'{prefix}: "{oid}" is not an object identifier')
    return oid, value


def other_name(oid: str, value: str) -> x509.OtherName:
    """The name as it stands in a certificate."""
    return x509.OtherName(x509.ObjectIdentifier(oid), der_text(value))


def der_text(value: str) -> bytes:
    """A DER UTF8String."""
    content = value.encode()
    size = len(content)
    if size < 128:
        length = bytes([size])
    else:
        digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
        length = bytes([128 + len(digits)]) + digits
    return bytes([_UTF8_STRING]) + length + content


def text_of(der: bytes) -> str | None:
    """The text of a DER UTF8String, or None when it is something else."""
    if len(der) < 2 or der[0] != _UTF8_STRING:
        return None
    digits = der[1] - 128
    start = 2 if digits < 0 else 2 + digits
    try:
        text = der[start:].decode()
    except UnicodeDecodeError:
        return None
    return text if der_text(text) == der else None
