"""Fields changed in JSON text: values replaced where they stand, members added behind the last one, in the text's own layout."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prov_gen.edit.change import CannotEditError, Edit, set_value
from prov_gen.edit.splices import Splice
from prov_gen.findings import Path, path_text

_INDENT = re.compile(r"\n([ \t]+)\S")
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def edit_json(text: str, edits: Sequence[Edit]) -> list[Splice]:
    """What changes these fields of the JSON text. Raises CannotEditError."""
    try:
        json.loads(text)
        editor = _Editor(text)
    except (ValueError, RecursionError) as error:
        raise CannotEditError(f"it is not JSON that can be read again: {error}") from None
    for edit in edits:
        editor.place(edit)
    return editor.splices()


@dataclass(slots=True)
class _Value:
    """A value at `text[start:end]`; `members` of an object, `items` of an array."""

    start: int
    end: int
    members: "dict[str, _Member] | None" = None
    items: "list[_Value] | None" = None


@dataclass(frozen=True, slots=True)
class _Member:
    start: int
    name_end: int
    value: _Value


@dataclass(slots=True)
class _Addition:
    """Members that an object lacks, or that a null is to have."""

    target: _Value
    members: dict[str, Any] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)


class _Editor:
    def __init__(self, text: str) -> None:
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        found = _INDENT.search(text)
        self._unit = found[1] if found else None
        self._root = self._value(self._after_space(0))
        self._replaced: list[Splice] = []
        self._additions: dict[int, _Addition] = {}

    def place(self, edit: Edit) -> None:
        """Note what is to be done for one field."""
        here = self._root
        for index, step in enumerate(edit.path):
            child = self._child(here, step)
            if child is None:
                self._add(here, edit, index)
                return
            here = child
        new = self._written(
            edit.value, self._margin(here.start), is_broken=self._unit is not None and isinstance(edit.value, dict)
        )
        self._replaced.append(Splice(here.start, here.end, new, (edit.path,)))

    def splices(self) -> list[Splice]:
        """Everything that is to be done."""
        return [*self._replaced, *(self._addition(one) for one in self._additions.values())]

    def _child(self, value: _Value, step: str | int) -> _Value | None:
        if isinstance(step, int):
            return value.items[step] if value.items is not None and step < len(value.items) else None
        member = (value.members or {}).get(step)
        return member.value if member else None

    def _add(self, target: _Value, edit: Edit, index: int) -> None:
        is_null = self._text[target.start : target.end] == "null"
        if target.members is None and not is_null:
            raise CannotEditError(f"{path_text(edit.path[: index + 1])} is in no object")
        addition = self._additions.setdefault(target.start, _Addition(target))
        set_value(addition.members, edit.path[index:], edit.value)
        addition.paths.append(edit.path)

    def _addition(self, addition: _Addition) -> Splice:
        target, paths = addition.target, tuple(addition.paths)
        if not target.members:
            new = self._written(addition.members, self._margin(target.start), is_broken=self._unit is not None)
            return Splice(target.start, target.end, new, paths)
        first, *_, last = [next(iter(target.members.values())), *target.members.values()]
        colon = self._text[last.name_end : last.value.start]
        colon = ": " if "\n" in colon else colon
        at = last.value.end
        is_broken = "\n" in self._text[target.start : first.start] and "\n" in self._text[at : target.end]
        if is_broken:
            margin = self._margin(first.start)
            rows = [f"{json.dumps(name, ensure_ascii=False)}{colon}{self._written(value, margin, is_broken=True)}"
                    for name, value in addition.members.items()]  # fmt: skip
            return Splice(at, at, "".join(f",{self._newline}{margin}{row}" for row in rows), paths)
        comma = "," if colon == ":" else ", "
        rest = json.dumps(addition.members, ensure_ascii=False, separators=(comma, colon))[1:-1]
        return Splice(at, at, f"{comma}{rest}", paths)

    def _written(self, value: Any, margin: str, *, is_broken: bool) -> str:
        """A value as text: over several lines below this margin, or on one."""
        if not is_broken or not isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False)
        lines = json.dumps(value, ensure_ascii=False, indent=self._unit).split("\n")
        return f"{self._newline}{margin}".join(lines)

    def _margin(self, position: int) -> str:
        start = self._text.rfind("\n", 0, position) + 1
        line = self._text[start:position]
        return line[: len(line) - len(line.lstrip())]

    def _after_space(self, position: int) -> int:
        found = _SPACE.match(self._text, position)
        return found.end() if found else position

    def _value(self, start: int) -> _Value:
        """The value that begins here. The text was read before, so its form is known to be right."""
        opening = self._text[start]
        if opening not in "{[":
            _, end = _DECODER.raw_decode(self._text, start)
            return _Value(start, end)
        found = _Value(start, start, members={} if opening == "{" else None, items=[] if opening == "[" else None)
        position = self._after_space(start + 1)
        while self._text[position] not in "}]":
            if found.members is not None:
                name, name_end = _DECODER.raw_decode(self._text, position)
                colon = self._after_space(name_end)
                value = self._value(self._after_space(colon + 1))
                # The last of two members with one name is the one that counts, here as when it is read.
                found.members.pop(name, None)
                found.members[name] = _Member(position, name_end, value)
            else:
                value = self._value(position)
                assert found.items is not None
                found.items.append(value)
            position = self._after_space(value.end)
            if self._text[position] == ",":
                position = self._after_space(position + 1)
        found.end = position + 1
        return found
