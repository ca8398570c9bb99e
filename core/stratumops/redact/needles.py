"""The forms in which a secret value may turn up in a text."""

import base64
import html
import json
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import quote, quote_plus

MIN_LENGTH = 6
"""Shorter values are not looked for: they are parts of ordinary words and numbers, and every text would lose some."""
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_MIN_LINE = 16
_MAX_LINES = 256


class Needle(NamedTuple):
    """Bytes to look for. In base64 the characters beside it hold some bits of the value too: those flagged are taken along."""

    data: bytes
    takes_left: bool = False
    takes_right: bool = False

    def __repr__(self) -> str:
        return f"Needle(<{len(self.data)} bytes>)"


def needles(value: str) -> set[Needle]:
    """All forms of a value: as it is, base64 (three alignments, both alphabets), hex, percent-encoded, JSON and HTML.

    Of a value with several lines (a key file) also each longer line by itself.
    """
    found = set(_forms(value))
    if "\n" in value:
        for line in value.splitlines()[:_MAX_LINES]:
            bare = line.strip()
            if len(bare) >= _MIN_LINE and not bare.startswith("-----"):
                found |= set(_forms(bare))
    return {needle for needle in found if len(needle.data) >= MIN_LENGTH}


def _forms(value: str) -> Iterator[Needle]:
    data = value.encode("utf-8", "surrogatepass")
    for shift in range(3):
        yield from _base64(data, shift)
    ascii_only = json.dumps(value)[1:-1]
    texts = {
        value,
        data.hex(),
        data.hex().upper(),
        ascii_only,
        json.dumps(value, ensure_ascii=False)[1:-1],
        json.dumps(ascii_only)[1:-1],  # JSON inside JSON: an answer that quotes another
        ascii_only.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026"),  # as Go escapes
        ascii_only.replace("/", r"\/"),
        html.escape(value),
    }
    for escaped in (quote(data, safe=""), quote(data), quote_plus(data)):
        texts |= {escaped, _lower_escapes(escaped)}
    for text in texts:
        yield Needle(text.encode("utf-8", "surrogatepass"))


def _base64(data: bytes, shift: int) -> Iterator[Needle]:
    """The characters that a value alone determines when `shift` bytes of something else stand before it."""
    bits = 8 * (shift + len(data))
    start, end = -(-8 * shift // 6), bits // 6
    takes_left, takes_right = bool(8 * shift % 6), bool(bits % 6)
    whole = base64.b64encode(bytes(shift) + data)[start:end]
    for alphabet in (whole, whole.translate(_URL_SAFE), quote(whole, safe="").encode()):
        yield Needle(alphabet, takes_left, takes_right)


def _lower_escapes(text: str) -> str:
    parts = text.split("%")
    return parts[0] + "".join(f"%{part[:2].lower()}{part[2:]}" for part in parts[1:])
