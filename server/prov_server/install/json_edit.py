"""Set or remove one entry of a JSON document in its text: every other byte stays, comments and key order with them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prov_server.install.jsonc import Node, parse
from stratumops.errors import InvalidInputError

_INDENTED_KEY = re.compile(r'^([ \t]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """The text of a JSON document and how it may be written. `name` is the file's, for errors."""

    text: str
    comments: bool
    name: str

    def get(self, path: Sequence[str]) -> Any:
        """The value at that path of keys, or None."""
        node: Node | None = None if self._is_blank() else self._root()
        for depth, key in enumerate(path):
            if node is None:
                return None
            self._must_be_object(node, path[:depth])
            member = node.member(key)
            node = member.node if member else None
        return None if node is None else node.value

    def set(self, path: Sequence[str], value: Any) -> str:
        """The text with `value` at that path; missing objects on the way are made.

        Raises InvalidInputError when the text is broken or something on the way is not an object.
        """
        if self._is_blank():
            for key in reversed(path):
                value = {key: value}
            return self._newline().join(json.dumps(value, indent=2, ensure_ascii=False).split("\n")) + self._newline()
        node = self._root()
        for depth, key in enumerate(path):
            self._must_be_object(node, path[:depth])
            member = node.member(key)
            if member is None:
                for missing in reversed(path[depth + 1 :]):
                    value = {missing: value}
                return self._insert(node, key, value)
            node = member.node
        if node.value == value:
            return self.text
        return self.text[: node.start] + self._render(value, self._indent_at(node.start), node) + self.text[node.end :]

    def remove(self, path: Sequence[str]) -> str:
        """The text without the entry at that path; the same text when there is none."""
        if self._is_blank():
            return self.text
        node = self._root()
        for depth, key in enumerate(path[:-1]):
            self._must_be_object(node, path[:depth])
            member = node.member(key)
            if member is None:
                return self.text
            node = member.node
        self._must_be_object(node, path[:-1])
        return self._without(node, path[-1])

    def _is_blank(self) -> bool:
        return not self.text.strip("\ufeff \t\r\n")

    def _root(self) -> Node:
        # A byte order mark is no part of the document; as a space it keeps every place where it is.
        text = self.text.replace("\ufeff", " ", 1) if self.text.startswith("\ufeff") else self.text
        return parse(text, comments=self.comments, name=self.name)

    def _must_be_object(self, node: Node, path: Sequence[str]) -> None:
        if not isinstance(node.value, dict):
            where = repr(".".join(path)) if path else "the document"
            raise InvalidInputError(
                f"{self.name}: {where} is not an object",
                hint="correct the file and try again; it was left as it is",
                file=self.name,
            )

    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.text else "\n"

    def _unit(self) -> str:
        found = _INDENTED_KEY.search(self.text)
        return found[1] if found else "  "

    def _indent_at(self, at: int) -> str:
        line = self.text[self.text.rfind("\n", 0, at) + 1 : at]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _render(self, value: Any, indent: str, near: Node) -> str:
        """`value` as JSON: on lines of its own, or on one line where the text around it is on one line."""
        if near.value and "\n" not in self.text[near.start : near.end]:
            return json.dumps(value, ensure_ascii=False)
        lines = json.dumps(value, indent=self._unit(), ensure_ascii=False).split("\n")
        return (self._newline() + indent).join(lines)

    def _insert(self, node: Node, key: str, value: Any) -> str:
        """Put a member behind the last one of an object, after the comments that belong to that."""
        text, newline = self.text, self._newline()
        close = node.end - 1
        last = node.members[-1] if node.members else None
        # What stands between the last value (or the opening brace) and the closing brace: spaces and comments.
        tail_start = node.start + 1 if last is None else last.node.end if last.comma is None else last.comma + 1
        tail = text[tail_start:close].rstrip(" \t\r\n")
        on_one_line = last is not None and "\n" not in text[node.start : node.end]
        outer = self._indent_at(node.start)
        starts_line = last is not None and not text[text.rfind("\n", 0, last.start) + 1 : last.start].strip(" \t")
        indent = self._indent_at(last.start) if last is not None and starts_line else outer + self._unit()
        member = f"{json.dumps(key, ensure_ascii=False)}: {self._render(value, indent, node)}"
        comma_before = "," if last is not None and last.comma is None else ""
        comma_after = "," if last is not None and last.comma is not None else ""
        before = text[:tail_start] + comma_before + tail
        if on_one_line:
            return before + " " + member + comma_after + text[tail_start + len(tail) :]
        space_before_close = text[tail_start + len(tail) : close]
        if "\n" not in space_before_close:
            space_before_close = newline + outer
        return before + newline + indent + member + comma_after + space_before_close + text[close:]

    def _without(self, node: Node, key: str) -> str:
        member = node.member(key)
        if member is None:
            return self.text
        text = self.text
        index = node.members.index(member)
        start = member.start
        end = member.node.end if member.comma is None else member.comma + 1
        line_start = text.rfind("\n", 0, start) + 1
        if not text[line_start:start].strip(" \t") and line_start > node.start:
            start = max(line_start - (2 if text[line_start - 2 : line_start] == "\r\n" else 1), node.start + 1)
        elif index == 0 and member.comma is not None:
            end += len(text[end:]) - len(text[end:].lstrip(" \t"))
        else:
            start = len(text[:start].rstrip(" \t"))
        previous = node.members[index - 1] if index else None
        if index == len(node.members) - 1 and member.comma is None and previous is not None and previous.comma is not None:
            text = text[: previous.comma] + text[previous.comma + 1 :]
            start, end = start - 1, end - 1
        text = text[:start] + text[end:]
        if len(node.members) == 1:
            close = node.end - 1 - (len(self.text) - len(text))
            if not text[node.start + 1 : close].strip(" \t\r\n"):
                text = text[: node.start + 1] + text[close:]
        return text
