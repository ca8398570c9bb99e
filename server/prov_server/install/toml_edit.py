"""Set or remove one table of a TOML document in its text: every other byte stays.

A table is appended as a block of its own and found again by its header. Whatever the text looked like, the result is read
back and must hold what it should and nothing else; otherwise the edit is refused.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from stratumops.errors import InvalidInputError

# TOML's lines end at a line feed and nowhere else; `splitlines` knows a dozen other ends.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_HEADER = re.compile(r"^[ \t]*\[")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def toml_value(value: Any) -> str:
    """A string, a boolean, a number or a list of them as TOML."""
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    # JSON's strings are TOML's basic strings, but for DEL, which TOML wants escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(part: str) -> str:
    return part if _BARE_KEY.fullmatch(part) else toml_value(part)


@dataclass(frozen=True, slots=True)
class TomlDocument:
    """The text of a TOML document; `name` is the file's, for errors."""

    text: str
    name: str

    def get(self, path: Sequence[str]) -> Any:
        """The value at that path of keys, or None."""
        value: Any = self._read(self.text)
        for depth, key in enumerate(path):
            if not isinstance(value, dict):
                raise self._refused(f"{'.'.join(path[:depth])!r} is not a table")
            if key not in value:
                return None
            value = value[key]
        return value

    def set(self, path: Sequence[str], value: dict[str, Any]) -> str:
        """The text with the table `value` at that path. Raises InvalidInputError when that cannot be done without a rewrite."""
        present = self.get(path)
        if present == value:
            return self.text
        newline = "\r\n" if "\r\n" in self.text else "\n"
        rows = [f"[{'.'.join(map(_key, path))}]"]
        rows += [f"{_key(name)} = {toml_value(item)}" for name, item in value.items() if not isinstance(item, dict)]
        for name, item in value.items():
            if isinstance(item, dict):
                rows += ["", f"[{'.'.join(map(_key, [*path, name]))}]"]
                rows += [f"{_key(inner)} = {toml_value(leaf)}" for inner, leaf in item.items()]
        block = newline.join(rows) + newline
        lines = _LINE.findall(self.text)
        if present is None:
            kept = self.text
            if kept.strip("\ufeff \t\r\n"):
                kept += newline if kept.endswith("\n") else newline * 2
            return self._checked(kept + block, path, value)
        spans = self._blocks(path)
        if not spans:
            raise self._refused(f"{'.'.join(path)} is not a table with a header of its own")
        for start, end in reversed(spans[1:]):
            del lines[start:end]
        start, end = spans[0]
        return self._checked("".join([*lines[:start], block, *lines[end:]]), path, value)

    def remove(self, path: Sequence[str]) -> str:
        """The text without the table at that path; the same text when there is none."""
        if self.get(path) is None:
            return self.text
        lines = _LINE.findall(self.text)
        for start, end in reversed(self._blocks(path)):
            # The blank line that set it off goes with it.
            blank = start > 0 and not lines[start - 1].strip()
            del lines[start - 1 if blank else start : end]
        return self._checked("".join(lines), path, None)

    def _read(self, text: str) -> dict[str, Any]:
        try:
            return tomllib.loads(text.removeprefix("\ufeff").replace("\r\n", "\n"))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            place = _PLACE.search(str(error))
            line = int(place[1]) if place and place[1] else text.count("\n") + 1
            column = int(place[2]) if place and place[2] else 1
            reason = _PLACE.sub("", str(error)).strip()
            raise InvalidInputError(
                f"{self.name} is not TOML: line {line}, column {column}: {reason}",
                hint="correct the file and try again; it was left as it is",
                file=self.name,
                line=line,
                column=column,
            ) from None

    def _blocks(self, path: Sequence[str]) -> list[tuple[int, int]]:
        """The line ranges of the table and its sub-tables, without the comments that lead to the next table."""
        parts = r"[ \t]*\.[ \t]*".join(rf"(?:{re.escape(part)}|\"{re.escape(part)}\"|'{re.escape(part)}')" for part in path)
        ours = re.compile(rf"^[ \t]*\[[ \t]*{parts}[ \t]*[\].]")
        lines = _LINE.findall(self.text)
        # A line in the middle of a string or an array can look like a header; what stands before it is then no document.
        headers = [number for number, line in enumerate(lines) if _HEADER.match(line) and self._is_whole("".join(lines[:number]))]
        spans = []
        for index, start in enumerate(headers):
            if not ours.match(lines[start]):
                continue
            end = headers[index + 1] if index + 1 < len(headers) else len(lines)
            while end > start + 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
                end -= 1
            spans.append((start, end))
        return spans

    def _is_whole(self, text: str) -> bool:
        try:
            self._read(text)
        except InvalidInputError:
            return False
        return True

    def _refused(self, reason: str) -> InvalidInputError:
        return InvalidInputError(
            f"{self.name}: {reason}", hint="change this entry by hand; the file was left as it is", file=self.name
        )

    def _checked(self, after: str, path: Sequence[str], value: dict[str, Any] | None) -> str:
        wanted = deepcopy(self._read(self.text))
        table = wanted
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table.pop(path[-1], None)
        if value is not None:
            table[path[-1]] = value
        try:
            result = self._read(after)
        except InvalidInputError:
            result = None
        same = result == wanted
        if result is not None and value is None:
            # A table that held only ours disappears with it.
            same = _without_empty(result, path) == _without_empty(wanted, path)
        if not same:
            raise self._refused(f"{'.'.join(path)} cannot be changed without rewriting the rest")
        return after


def _without_empty(document: dict[str, Any], path: Sequence[str]) -> dict[str, Any]:
    if document.get(path[0]) == {}:
        return {key: item for key, item in document.items() if key != path[0]}
    return document
