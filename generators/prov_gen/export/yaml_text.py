"""JSON values as YAML in block style: what any YAML 1.1 or 1.2 parser reads back as the same values.

A text is written without quotes only where no parser could take it for anything else; a text of several lines is a literal
block where that keeps every character. Source: YAML 1.2.2, sections 5.7 (escapes) and 8.1 (block scalars).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

INDENT = "  "
_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")
# YAML 1.1 takes these words for booleans and null, in any case.
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def yaml_text(value: Any) -> str:
    """One document, its last line ended. Raises TypeError for a value that JSON does not have."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _entry(f"{_scalar(str(key))}:", inner, deep=not isinstance(inner, list))
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _element(inner)
    else:
        yield _scalar(value)


def _entry(start: str, value: Any, *, deep: bool) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield start
        margin = INDENT if deep else ""
        yield from (margin + line for line in _lines(value))
    elif isinstance(value, str) and _is_block(value):
        yield from _block(start, value)
    else:
        yield f"{start} {_scalar(value)}"


def _element(value: Any) -> Iterator[str]:
    if isinstance(value, str) and _is_block(value):
        yield from _block("-", value)
        return
    for number, line in enumerate(_lines(value)):
        yield f"{INDENT if number else '- '}{line}" if line else ""


def _block(start: str, text: str) -> Iterator[str]:
    yield f"{start} {'|' if text.endswith(chr(10)) else '|-'}"
    yield from (INDENT + line if line else "" for line in text.removesuffix("\n").split("\n"))


def _is_block(text: str) -> bool:
    lines = text.removesuffix("\n").split("\n")
    return (
        "\n" in text
        and not text.startswith((" ", "\n"))
        and lines[-1] != ""
        and all(line.isprintable() and line == line.rstrip() for line in lines)
    )


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)
    if isinstance(value, float) and not isinstance(value, bool):
        # YAML 1.1 wants a dot in a number with an exponent.
        text = json.dumps(value)
        return text if "e" not in text or "." in text else text.replace("e", ".0e")
    return json.dumps(value)


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    if char.isprintable():
        return char
    if char in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[char]
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
