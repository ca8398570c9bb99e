"""JSON values as Nickel text that evaluates back to the same value, laid out as a person would write it.

The only way in which a caller's words enter Nickel source. Source: the Nickel manual, "Syntax" (strings, identifiers).
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from stratumops.errors import InvalidInputError

LINE_WIDTH = 100
INDENT = "  "
MAX_DEPTH = 200

_IDENTIFIER = re.compile(r"_*[A-Za-z][A-Za-z0-9_'-]*")
# Words that cannot be a bare field name, and those that newer Nickels made keywords: quoting one too many is harmless.
_KEYWORDS = frozenset(
    {"Array", "Bool", "Dyn", "Number", "String", "as", "default", "doc", "else", "false", "force", "forall", "fun", "if"}
    | {"import", "in", "include", "let", "match", "merge", "not_exported", "null", "optional", "or", "priority", "rec"}
    | {"then", "true"}
)
_PLAIN = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# Control characters, line separators, direction marks and the byte order mark are written by number: they would be
# invisible in a review.
_SPECIAL = re.compile(
    '["\\\\\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|%(?=\\{)'  # interpolation starts with %{
)
_INTEGERS = range(-(2**63), 2**64)
_EXACT = 2.0**53


def nickel_string(text: str) -> str:
    """A Nickel string literal. `%` is escaped only before `{`, where it would start an interpolation.

    Raises InvalidInputError for lone surrogates, which are not text.
    """
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInputError("a text holds a lone surrogate, which is no character", hint="send valid Unicode")
    return '"' + _SPECIAL.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match.group()
    return _PLAIN.get(char) or f"\\u{{{ord(char):x}}}"


def nickel_key(name: str) -> str:
    """A record key: bare when it is an identifier and no keyword, else quoted."""
    return name if _IDENTIFIER.fullmatch(name) and name not in _KEYWORDS else nickel_string(name)


def nickel_tag(name: str) -> str:
    """An enum tag: `'aws`, or `'"m5.large"` when it is no identifier."""
    return f"'{name}" if _IDENTIFIER.fullmatch(name) else f"'{nickel_string(name)}"


def nickel_number(value: float) -> str:
    """A number, exactly; negative ones in parentheses so that they stand wherever a value may.

    Raises InvalidInputError for what JSON cannot carry: NaN, infinities, integers beyond 64 bits.
    """
    if isinstance(value, int):
        if value not in _INTEGERS:
            raise InvalidInputError(f"the integer {value:.3e} does not fit 64 bits", hint="write it as a text")
        text = str(value)
    elif math.isfinite(value) and abs(value) >= _EXACT and int(value) in _INTEGERS:
        # The shortest decimal of such a float is a different integer, and Nickel's numbers are exact.
        text = str(int(value))
    elif math.isfinite(value):
        text = repr(value).replace("e+", "e")
    else:
        raise InvalidInputError(f"{value} is not a number that a configuration can hold", hint="use a finite number")
    return f"({text})" if text.startswith("-") else text


def nickel_literal(value: Any, *, indent: int = 0) -> str:
    """Any JSON value as Nickel text. `indent` is the number of spaces that the text's first line already stands at.

    Short arrays and records of scalars stay on one line; everything else is one entry per line with a trailing comma.
    Raises InvalidInputError for values that are not JSON or are nested deeper than `MAX_DEPTH`.
    """
    return _write(value, " " * indent, indent, 0)


def _write(value: Any, margin: str, column: int, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise InvalidInputError(f"a value is nested deeper than {MAX_DEPTH} levels", hint="flatten the configuration")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return nickel_string(value)
    if isinstance(value, int | float):
        return nickel_number(value)
    inner = margin + INDENT
    if isinstance(value, Mapping):
        entries = []
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidInputError(f"a record key is a {type(key).__name__}, not a text", hint="use text keys")
            name = nickel_key(key)
            entries.append(f"{name} = {_write(item, inner, len(inner) + len(name) + 3, depth + 1)}")
        flat = depth > 0 and not any(_is_container(item) for item in value.values())
        return _layout(entries, "{ ", " }", "{", "}", margin, column, flat=flat)
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        entries = [_write(item, inner, len(inner), depth + 1) for item in value]
        return _layout(entries, "[", "]", "[", "]", margin, column, flat=not any(_is_container(item) for item in value))
    raise InvalidInputError(f"a {type(value).__name__} is not a JSON value", hint="use texts, numbers, lists and records")


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and len(value) > 0


def _layout(
    entries: list[str], left: str, right: str, opening: str, closing: str, margin: str, column: int, *, flat: bool
) -> str:
    if not entries:
        return opening + closing
    line = left + ", ".join(entries) + right
    if flat and column + len(line) < LINE_WIDTH:
        return line
    inner = margin + INDENT
    body = "".join(f"{inner}{entry},\n" for entry in entries)
    return f"{opening}\n{body}{margin}{closing}"
