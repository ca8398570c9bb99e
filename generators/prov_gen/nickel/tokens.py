"""Nickel text as tokens, as far as finding places needs it. Source: the lexer of Nickel 1.x (core/src/parser/lexer.rs).

Strings are one token each, interpolations included. A text that this cannot follow raises LostError; nothing here decides what
is valid, that is Nickel's work.
"""

import re
from dataclasses import dataclass
from typing import Literal

MAX_NESTED_STRINGS = 40

Kind = Literal["name", "string", "dynamic", "multiline", "tag", "number", "op", "end"]


class LostError(Exception):
    """The text does not read as Nickel, or is nested too deeply to be followed."""


@dataclass(frozen=True, slots=True)
class Token:
    """`text[start:end]` of one kind; `dynamic` is a quoted string with an interpolation in it."""

    kind: Kind
    text: str
    start: int
    end: int


_STATIC = r'"(?:[^"\\%]|\\.|%(?!\{))*"'
_TOKEN = re.compile(
    rf"""(?P<space>\s+|\#[^\n]*)
    |(?P<name>_*+[A-Za-z][A-Za-z0-9_'-]*+(?P<percents>%++(?="))?|_++)
    |(?P<string>{_STATIC})
    |(?P<dynamic>")
    |(?P<tag>'(?:[A-Za-z_][A-Za-z0-9_'-]*|{_STATIC}))
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|0[xXoObB][0-9a-fA-F]+)
    |(?P<op>=>|==|!=|<=|>=|\|>|\|\||->|&&|\+\+|\.\.|.)""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED_PART = re.compile(r'(?:[^"\\%]|\\.|%(?!\{))*(?P<stop>"|%\{)', re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_NAMED = {"n": "\n", "r": "\r", "t": "\t"}


def tokenize(text: str) -> list[Token]:
    """All tokens of a text, with an `end` token after the last. Raises LostError."""
    tokens: list[Token] = []
    position = 0
    while position < len(text):
        position = _next(text, position, tokens, 0)
    tokens.append(Token("end", "", len(text), len(text)))
    return tokens


def _next(text: str, position: int, tokens: list[Token], depth: int) -> int:
    match = _TOKEN.match(text, position)
    if match is None:
        raise LostError
    kind, end = match.lastgroup, match.end()
    if kind == "space":
        return end
    if match["percents"]:
        kind, end = "multiline", _multiline_end(text, end + 1, match["percents"], depth)
    elif kind == "dynamic":
        end = _quoted_end(text, end, depth)
    elif kind not in {"name", "string", "tag", "number"}:
        kind = "op"
    tokens.append(Token(kind, text[position:end], position, end))  # type: ignore[arg-type]  # the groups are the kinds
    return end


def _quoted_end(text: str, position: int, depth: int) -> int:
    while True:
        match = _QUOTED_PART.match(text, position)
        if match is None:
            raise LostError
        if match["stop"] == '"':
            return match.end()
        position = _interpolation_end(text, match.end(), depth)


def _multiline_end(text: str, position: int, percents: str, depth: int) -> int:
    stop = re.compile(rf'"{percents}|{percents}\{{')
    while True:
        match = stop.search(text, position)
        if match is None:
            raise LostError
        if match.group().startswith('"'):
            return match.end()
        position = _interpolation_end(text, match.end(), depth)


def _interpolation_end(text: str, position: int, depth: int) -> int:
    """Behind the `}` that closes an interpolation which began before `position`."""
    if depth >= MAX_NESTED_STRINGS:
        raise LostError
    open_braces = 1
    inner: list[Token] = []
    while position < len(text):
        inner.clear()
        position = _next(text, position, inner, depth + 1)
        if inner and inner[0].kind == "op":
            open_braces += {"{": 1, "}": -1}.get(inner[0].text, 0)
            if open_braces == 0:
                return position
    raise LostError


def unquote(literal: str) -> str:
    """The value of a quoted string without interpolation."""
    return _ESCAPE.sub(_unescape, literal[1:-1])


def _unescape(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code is None:
        return _NAMED.get(match[3], match[3])
    try:
        return chr(int(code, 16))
    except (ValueError, OverflowError):
        raise LostError from None
