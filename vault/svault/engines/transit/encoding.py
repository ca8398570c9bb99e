"""The texts that pass through transit: base64 with Go's sentences, and `vault:v1:...` in front of what a key version made."""

import re
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from binascii import a2b_base64, b2a_base64
from string import ascii_letters, digits

from svault.errors import BadRequestError

PREFIX = "vault:v"
_ALPHABET = frozenset((ascii_letters + digits + "+/").encode())
_LINE_BREAKS = frozenset(b"\r\n")
_PADDING = ord("=")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}")


def encode(value: bytes) -> str:
    """Bytes in standard base64."""
    return b2a_base64(value, newline=False).decode("ascii")


def decode(text: str, context: str = "") -> bytes:
    """Bytes of a standard base64 text, line breaks ignored. Raises BadRequestError with Go's sentence behind `context`."""
    if len(text) % 4 == 0 and not text.endswith("==="):  # strict mode takes padding behind a whole group
        try:
            return a2b_base64(text, strict_mode=True)
        except ValueError:
            pass
    data = text.encode(errors="replace")
    damaged = _damaged_at(data)
    if damaged is not None:
        raise BadRequestError(f"{context}illegal base64 data at input byte {damaged}")
    return b64decode(data)


def _damaged_at(data: bytes) -> int | None:
    """The byte that Go's decoder names, or None when it would decode the text."""
    index = filled = 0
    while index < len(data):
        character = data[index]
        index += 1
        if character in _ALPHABET:
            filled = (filled + 1) % 4
        elif character not in _LINE_BREAKS:
            if character != _PADDING or filled < 2:
                return index - 1
            return _damaged_padding(data, index, needs_another=filled == 2)
    return index - filled if filled else None


def _damaged_padding(data: bytes, index: int, *, needs_another: bool) -> int | None:
    """As above, behind the first `=`."""
    index = _behind_line_breaks(data, index)
    if needs_another:
        if index == len(data):
            return index
        if data[index] != _PADDING:
            return index - 1
        index = _behind_line_breaks(data, index + 1)
    return index if index < len(data) else None


def _behind_line_breaks(data: bytes, index: int) -> int:
    while index < len(data) and data[index] in _LINE_BREAKS:
        index += 1
    return index


def encode_jws(value: bytes) -> str:
    """Bytes as JSON Web Signatures write them (RFC 7515): URL-safe base64 without padding."""
    return urlsafe_b64encode(value).rstrip(b"=").decode("ascii")


def decode_jws(text: str) -> bytes:
    """Bytes of URL-safe base64 without padding. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text) or len(text) % 4 == 1:
        raise ValueError("not URL-safe base64 without padding")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def versioned(version: int, encoded: str) -> str:
    """What a key version made, as clients get it."""
    return f"{PREFIX}{version}:{encoded}"


def parse_versioned(text: str, what: str, unprefixed: str = "") -> tuple[int, str]:
    """The key version and the encoded rest of what `versioned` wrote; `what` is what it should be, for BadRequestError."""
    if not text.startswith(PREFIX):
        raise BadRequestError(unprefixed or f"invalid {what}: no prefix")
    number, separator, encoded = text[len(PREFIX) :].partition(":")
    if not separator:
        raise BadRequestError(f"invalid {what}: wrong number of fields")
    if not _NUMBER.fullmatch(number):
        raise BadRequestError(f"invalid {what}: version number could not be decoded")
    return int(number), encoded
