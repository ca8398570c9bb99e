"""Text inside SVG: whatever a configuration holds stays text."""

import unicodedata
from xml.sax.saxutils import escape


def escaped(value: str) -> str:
    """Text as XML character data or inside a double-quoted attribute; characters that XML has no place for become U+FFFD."""
    return escape("".join(char if _is_allowed(char) else "\ufffd" for char in value), {'"': "&quot;"})


def cut(value: str, most: int) -> str:
    """At most so many characters, on one line."""
    flat = " ".join(value.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def _is_allowed(char: str) -> bool:
    """XML 1.0's characters, without those that reorder or hide text."""
    return char in "\t\n\r" or (unicodedata.category(char) not in {"Cc", "Cs", "Cf"} and char not in "\ufffe\uffff")
