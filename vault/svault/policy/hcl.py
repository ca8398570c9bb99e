"""HCL 1 as policies use it, and its JSON form: text to items with their lines.

    path "secret/*" { capabilities = ["read", "list"] }         # also // and /* */ comments, and heredocs

A parser of our own, because python-hcl2 reads another language, HCL 2, which refuses what Vault takes (several attributes of a
block on one line); its import takes 430 ms and its first policy 2.4 s. This one reads the 16 rules of `default` in 1 ms. Grammar:
HashiCorp's HCL 1. Not taken: `${...}`; an attribute that stands twice in a block is refused in `parse.py`, as Vault 1.21 does.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

MAX_DEPTH = 16

_TOKEN = re.compile(
    r"""
      (?P<blank>[ \t\r\n]+|\#[^\n]*|//[^\n]*|/\*(?s:.*?)\*/)
    | <<(?P<indented>-?)(?P<anchor>[\w.-]+)\r?\n(?P<heredoc>(?s:.*?\n)??)[ \t]*(?P=anchor)(?=\r?\n|\Z)
    | (?P<string>"(?:[^"\\\n]|\\.)*")
    | (?P<number>-?(?:0[xX][0-9a-fA-F]{1,15}|\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,2})?)(?![\w.]))
    | (?P<name>[^\W\d][\w.-]*)
    | (?P<mark>[{}\[\]=,:])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|(.))")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\", "/": "/"}
_WORDS = {"true": True, "false": False}


class HclError(ValueError):
    """The text is not HCL (or JSON): a sentence that begins with the place, `At 3:14: ...`."""


@dataclass(frozen=True, slots=True)
class Item:
    """A key with what stands behind it; `path "a" {...}` has the key `path` and the label `a`. `line` counts from 1."""

    key: str
    labels: tuple[str, ...]
    value: Any
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between braces, in the order of writing."""

    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: Any
    at: int


def is_json(text: str) -> bool:
    """Whether a text is to be read as JSON."""
    return text.lstrip().startswith("{")


def parse(text: str) -> Block:
    """The items of a text in HCL or JSON. A value is text, a number, a boolean, a list or a Block. Raises HclError."""
    parsed = _Parser(text).document(is_json=is_json(text))
    if is_json(text):
        try:
            json.loads(text)
        except ValueError as error:
            raise HclError(f"the JSON is not valid: {error}") from None
    return parsed


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._tokens()
        self.next = 0
        self.depth = 0

    def _error(self, at: int, sentence: str) -> HclError:
        line = self.text.count("\n", 0, at) + 1
        return HclError(f"At {line}:{at - (self.text.rfind(chr(10), 0, at) + 1) + 1}: {sentence}")

    def _tokens(self) -> list[_Token]:
        tokens: list[_Token] = []
        at, end = 0, len(self.text)
        while at < end:
            found = _TOKEN.match(self.text, at)
            if found is None:
                unfinished = {'"': "literal not terminated", "/*": "comment not terminated", "<<": "heredoc not terminated"}
                starts = (sentence for start, sentence in unfinished.items() if self.text.startswith(start, at))
                raise self._error(at, next(starts, "illegal char"))
            kind = str(found.lastgroup)
            if kind == "string":
                tokens.append(_Token(kind, self._unescaped(found["string"][1:-1], at), at))
            elif kind == "heredoc":
                body = found["heredoc"]
                tokens.append(_Token("string", re.sub(r"(?m)^[ \t]+", "", body) if found["indented"] else body, at))
            elif kind == "number":
                number = found["number"]
                is_hex, is_whole = "x" in number.lower(), number.lstrip("-").isdigit()
                tokens.append(_Token(kind, int(number, 16) if is_hex else int(number) if is_whole else float(number), at))
            elif kind != "blank":
                tokens.append(_Token(kind, found[kind], at))
            at = found.end()
        tokens.append(_Token("end", "EOF", end))
        return tokens

    def _unescaped(self, text: str, at: int) -> str:
        def one(found: re.Match[str]) -> str:
            digits = found[1] or found[2] or found[3]
            code = int(digits, 16) if digits else int(found[4], 8) if found[4] else -1
            if code > 0x10FFFF or (found[5] and found[5] not in _ESCAPED):
                raise self._error(at, "unknown escape sequence in the text")
            return chr(code) if code >= 0 else _ESCAPED[found[5]]

        if "\\" not in text:
            return text
        try:
            return _ESCAPE.sub(one, text).encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise self._error(at, "half of a surrogate pair in the text") from None

    def _take(self) -> _Token:
        token = self.tokens[self.next]
        self.next += token.kind != "end"
        return token

    def _is(self, *marks: str) -> bool:
        token = self.tokens[self.next]
        return token.kind == "mark" and token.value in marks

    def document(self, *, is_json: bool) -> Block:
        if is_json:
            self.next += 1
            block = self._block("}")
            if self._take().kind != "end":
                raise self._error(self.tokens[self.next - 1].at, "nothing may follow the object")
            return block
        return self._block("")

    def _block(self, end: str) -> Block:
        """Items up to the closing brace (taken), or up to the end of the text."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(self.tokens[self.next].at, f"nested deeper than {MAX_DEPTH} levels")
        items: list[Item] = []
        while not self._is("}"):
            if self.tokens[self.next].kind == "end":
                if end:
                    raise self._error(self.tokens[self.next].at, "object expected closing RBRACE got: EOF")
                return Block(tuple(items))
            items.append(self._item())
            if self._is(","):
                self.next += 1
        if not end:
            raise self._error(self.tokens[self.next].at, "a closing brace without an opening one")
        self.next += 1
        self.depth -= 1
        return Block(tuple(items))

    def _item(self) -> Item:
        first = self.tokens[self.next]
        keys: list[str] = []
        while self.tokens[self.next].kind in {"name", "string"}:
            keys.append(self._take().value)
        token = self._take()
        line = self.text.count("\n", 0, first.at) + 1
        if not keys:
            raise self._error(token.at, f"expected: IDENT | STRING | ASSIGN | LBRACE got: {token.value}")
        if token.kind == "mark" and token.value == "{":
            return Item(keys[0], tuple(keys[1:]), self._block("}"), line)
        if token.kind == "mark" and token.value in "=:" and len(keys) == 1:
            return Item(keys[0], (), self._value(), line)
        raise self._error(first.at, f"key '{keys[-1]}' expected start of object ('{{') or assignment ('=')")

    def _value(self) -> Any:
        token = self._take()
        if token.kind in {"string", "number"}:
            return token.value
        if token.kind == "name" and token.value in _WORDS:
            return _WORDS[token.value]
        if token.kind == "mark" and token.value == "{":
            return self._block("}")
        if token.kind == "mark" and token.value == "[":
            return self._list()
        raise self._error(token.at, f"Unknown token: {token.value}")

    def _list(self) -> list[Any]:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._error(self.tokens[self.next].at, f"nested deeper than {MAX_DEPTH} levels")
        values: list[Any] = []
        while not self._is("]"):
            values.append(self._value())
            if self._is(","):
                self.next += 1
            elif not self._is("]"):
                token = self.tokens[self.next]
                raise self._error(token.at, f"error parsing list, expected comma or list end, got: {token.value}")
        self.next += 1
        self.depth -= 1
        return values
