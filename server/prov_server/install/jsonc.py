"""Read JSON, with or without comments, and remember where everything stands in the text.

A value that is only read would do with `json`. To change one entry of a person's file and leave every other byte alone,
the places are needed: of keys, values, commas and comments. Strict mode is RFC 8259; with `comments`, `//` and `/* */`
comments and one trailing comma are accepted too, as VS Code, Zed and others do.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from stratumops.errors import InvalidInputError

MAX_DEPTH = 200

_SPACE = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"//[^\r\n]*|/\*.*?\*/", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


@dataclass(slots=True)
class Member:
    """`"key": value` of an object; offsets count characters, ends are exclusive."""

    key: str
    start: int
    node: "Node"
    comma: int | None = None
    """Where the comma after it stands, if there is one."""


@dataclass(slots=True)
class Node:
    """A value and its place; `members` are an object's, in the order of the text."""

    start: int
    end: int
    value: Any
    members: list[Member] = field(default_factory=list)

    def member(self, key: str) -> Member | None:
        """The member of that key. Raises InvalidInputError when the object has it twice."""
        found = [one for one in self.members if one.key == key]
        if len(found) > 1:
            raise InvalidInputError(f"the key {key!r} stands there twice", hint="remove one of the two")
        return found[0] if found else None


def parse(text: str, *, comments: bool, name: str = "the file") -> Node:
    """The document in `text`. Raises InvalidInputError with line and column where it is broken."""
    return _Reader(text, comments=comments, name=name).document()


class _Reader:
    def __init__(self, text: str, *, comments: bool, name: str) -> None:
        self.text, self.comments, self.name = text, comments, name
        self.at = 0

    def document(self) -> Node:
        self.skip()
        node = self.read(0)
        self.skip()
        if self.at != len(self.text):
            raise self.broken("there is more text after the end of the document")
        return node

    def broken(self, reason: str, at: int | None = None) -> InvalidInputError:
        at = self.at if at is None else at
        line = self.text.count("\n", 0, at) + 1
        column = at - (self.text.rfind("\n", 0, at) + 1) + 1
        kind = "JSON with comments" if self.comments else "JSON"
        return InvalidInputError(
            f"{self.name} is not {kind}: line {line}, column {column}: {reason}",
            hint="correct the file and try again; it was left as it is",
            file=self.name,
            line=line,
            column=column,
        )

    def skip(self) -> None:
        while True:
            self.at = self.space_end(self.at)
            if not self.text.startswith("/", self.at):
                return
            comment = _COMMENT.match(self.text, self.at)
            if comment is None:
                raise self.broken(
                    "a comment does not end" if self.text.startswith("/*", self.at) else "a value cannot start with '/'"
                )
            if not self.comments:
                raise self.broken("comments are not allowed in this file")
            self.at = comment.end()

    def space_end(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def read(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.broken(f"it is nested deeper than {MAX_DEPTH} levels")
        match self.text[self.at : self.at + 1]:
            case "{":
                return self.object(depth)
            case "[":
                return self.array(depth)
            case '"':
                return self.string()
            case "":
                raise self.broken("a value is missing at the end")
            case other:
                found = _LITERAL.match(self.text, self.at)
                if found is None:
                    raise self.broken(f"a value cannot start with {other!r}")
                start, self.at = self.at, found.end()
                return Node(start, self.at, self.decode(found[0], start))

    def decode(self, literal: str, start: int) -> Any:
        try:
            return json.loads(literal)
        except ValueError:
            raise self.broken("this number is too long", start) from None

    def string(self) -> Node:
        found = _STRING.match(self.text, self.at)
        if found is None:
            raise self.broken("a string does not end on its line, or holds a wrong escape")
        start, self.at = self.at, found.end()
        return Node(start, self.at, json.loads(found[0]))

    def object(self, depth: int) -> Node:
        start = self.at
        node = Node(start, start, {})
        self.at += 1
        while True:
            self.skip()
            if self.closes("}", node.members[-1].comma is not None if node.members else False):
                node.end = self.at
                return node
            if node.members and node.members[-1].comma is None:
                raise self.broken("a comma or '}' is missing")
            if not self.text.startswith('"', self.at):
                raise self.broken("a key in double quotes is missing")
            key = self.string()
            self.skip()
            if not self.text.startswith(":", self.at):
                raise self.broken("a ':' is missing after the key")
            self.at += 1
            self.skip()
            value = self.read(depth + 1)
            node.value[key.value] = value.value
            node.members.append(Member(key.value, key.start, value, self.comma()))

    def array(self, depth: int) -> Node:
        start = self.at
        items: list[Any] = []
        comma: int | None = None
        self.at += 1
        while True:
            self.skip()
            if self.closes("]", comma is not None):
                return Node(start, self.at, items)
            if items and comma is None:
                raise self.broken("a comma or ']' is missing")
            items.append(self.read(depth + 1).value)
            comma = self.comma()

    def comma(self) -> int | None:
        self.skip()
        if not self.text.startswith(",", self.at):
            return None
        self.at += 1
        return self.at - 1

    def closes(self, bracket: str, after_comma: bool) -> bool:
        if not self.text.startswith(bracket, self.at):
            return False
        if after_comma and not self.comments:
            raise self.broken("a comma stands before the closing bracket")
        self.at += 1
        return True
