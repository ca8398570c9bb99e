"""Fields changed in Nickel text: values replaced where they stand, fields added to the record literal that lacks them.

What only evaluation knows (a function's result, an imported record) is merged with the field at Nickel's priority `force`, which
wins over any other definition. Source: the Nickel manual, "Merging". The text is read once, whatever the number of fields.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from prov_gen.edit.change import CannotEditError, leaves
from prov_gen.edit.splices import Splice
from prov_gen.findings import Path, path_text
from prov_gen.nickel import SourceMap, nickel_key
from prov_gen.nickel.locate import Written
from prov_gen.nickel.tokens import LostError, tokenize
from prov_gen.stated import INDENT, LINE_WIDTH, Block, Field, layout


def edit_nickel(text: str, fields: Sequence[tuple[Path, Any]], *, forced: bool = False) -> list[Splice]:
    """What changes these fields (path in the text, value as `stated.layout` takes it) of the text.

    `forced` adds fields at priority `force`, for records that are merged with others that define them too. Whether the text
    means what it should is for the caller to ask Nickel. Raises CannotEditError.
    """
    editor = _Editor(text, forced=forced)
    refused: dict[Path, str] = {}
    for path, value in fields:
        try:
            editor.place(path, value, path)
        except CannotEditError as error:
            refused[path] = str(error)
    if refused:
        raise CannotEditError(next(iter(refused.values())), refused)
    return editor.splices()


@dataclass(slots=True)
class _Addition:
    """Fields that a record lacks, or that a value without fields of its own is to have."""

    target: Written
    fields: dict[str, Any] = field(default_factory=dict)
    paths: list[Path] = field(default_factory=list)


class _Editor:
    def __init__(self, text: str, *, forced: bool) -> None:
        try:
            tokens = tokenize(text)
        except LostError:
            raise CannotEditError("the text cannot be followed") from None
        self._source = text
        self._forced = forced
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._map = SourceMap(text, "")
        self._tokens = tokens
        self._starts = [token.start for token in tokens]
        self._splices: list[Splice] = []
        self._additions: dict[int, _Addition] = {}

    def place(self, path: Path, value: Any, owner: Path) -> None:
        """Note what is to be done for the value at `path`, which is that of `owner` or within it."""
        trail = self._map.trail(path)
        if not trail:
            raise CannotEditError("the text cannot be followed")
        here = trail[-1]
        if len(trail) == len(path) + 1:
            if here.keys is not None and isinstance(value, Block):
                for leaf, inner in leaves(path, value):
                    self.place(leaf, inner, owner)
            elif self._is_defined(here, path):
                self._replace(here, value, owner)
            else:
                raise CannotEditError(f"{path_text(path)} is written in parts")
            return
        for index in range(len(trail) - 1, -1, -1):
            rest, target = path[index:], trail[index]
            if any(isinstance(step, int) for step in rest):
                raise CannotEditError(f"{path_text(path[: index + 1])} is computed")
            if self._is_literal(target) or (index == len(trail) - 1 and self._is_bare(target)):
                self._add(target, [str(step) for step in rest], value, owner)
                return
        raise CannotEditError(f"{path_text(path)} has no record in the text that it could be added to")

    def splices(self) -> list[Splice]:
        """Everything that is to be done."""
        for addition in self._additions.values():
            self._write(addition)
        return self._splices

    def _is_literal(self, target: Written) -> bool:
        return target.keys is not None and self._source[target.start] == "{" and self._source[target.end - 1] == "}"

    def _is_bare(self, target: Written) -> bool:
        """Whether it has no fields in the text: it is computed, or null."""
        return not target.is_known or self._source[target.start : target.end] == "null"

    def _is_defined(self, target: Written, path: Path) -> bool:
        """Whether the span is all that stands behind a field's `=`."""
        before = self._tokens[bisect_left(self._starts, target.start) - 1].text if target.start else ""
        return before == "=" if isinstance(path[-1], str) else before in {"[", ","}

    def _replace(self, target: Written, value: Any, owner: Path) -> None:
        first = self._line_start(target.start)
        new = layout(value, self._margin(target.start), {}, column=target.start - first)
        self._splices.append(Splice(target.start, target.end, self._lines(new), (owner,)))

    def _add(self, target: Written, names: list[str], value: Any, owner: Path) -> None:
        addition = self._additions.setdefault(target.start, _Addition(target))
        addition.paths.append(owner)
        fields = addition.fields
        for name in names[:-1]:
            inner = fields.setdefault(name, {})
            if not isinstance(inner, dict):
                raise CannotEditError("two changes meet in one place")
            fields = inner
        # A value of dots is a record of further names here, so a dictionary as a value is kept apart from it.
        fields[names[-1]] = value if not isinstance(value, dict) else _Value(value)

    def _write(self, addition: _Addition) -> None:
        target, paths = addition.target, tuple(addition.paths)
        if not self._is_literal(target):
            rows = self._rows(addition.fields, frozenset(), forced=not target.is_known)
            inside = ", ".join(f"{name} = {_flat(value)}" for name, value in rows)
            before = self._source[target.start : target.end]
            new = f"({before}) & {{ {inside} }}" if not target.is_known else f"{{ {inside} }}"
            self._splices.append(Splice(target.start, target.end, self._lines(new), paths))
            return
        rows = self._rows(addition.fields, target.keys or frozenset(), forced=self._forced)
        closing = bisect_left(self._starts, target.end - 1)
        first, last = self._tokens[bisect_left(self._starts, target.start) + 1], self._tokens[closing - 1]
        is_empty = last.start == target.start
        separator = "" if is_empty or last.text == "," else ","
        if "\n" in self._source[last.end : target.end]:
            opens_line = not is_empty and "\n" in self._source[target.start : first.start]
            margin = self._margin(first.start) if opens_line else self._margin(target.start) + INDENT
            added = "".join(f"{self._newline}{margin}{self._row(name, value, margin)}," for name, value in rows)
            self._splices.append(Splice(last.end, last.end, separator, paths))
            at = self._line_end(last.end)
            self._splices.append(Splice(at, at, added, paths))
            return
        margin, start = self._margin(target.start), self._line_start(target.start)
        line = ", ".join(f"{name} = {_flat(value)}" for name, value in rows)
        # A record within others on its line stays there: its fields on lines of their own would seem to be those others'.
        is_inner = not {"{", "["}.isdisjoint(self._source[start : target.start])
        is_short = self._line_end(target.end) - start + len(line) <= LINE_WIDTH or "\n" not in self._source.strip()
        if "\n" not in line and (is_inner or is_short):
            self._splices.append(Splice(last.end, target.end - 1, f"{separator} {line} ", paths))
            return
        inner = margin + INDENT
        lines = "".join(f"{inner}{self._row(name, value, inner)},{self._newline}" for name, value in rows)
        self._splices.append(Splice(last.end, target.end - 1, f"{separator}{self._newline}{lines}{margin}", paths))

    def _rows(self, fields: dict[str, Any], keys: frozenset[str], *, forced: bool) -> list[tuple[str, Any]]:
        """What stands on both sides of each `=`. A name that the record has already is written with dots, beside the others."""
        rows: list[tuple[str, Any]] = []
        for name, value in fields.items():
            if forced or name in keys:
                mark = " | force" if forced else ""
                rows += [(f"{text}{mark}", leaf) for text, leaf in _dotted(nickel_key(name), value)]
            else:
                rows.append((nickel_key(name), _block(value)))
        return rows

    def _row(self, name: str, value: Any, margin: str) -> str:
        return self._lines(f"{name} = {layout(value, margin, {}, column=len(margin) + len(name) + 3)}")

    def _lines(self, text: str) -> str:
        return text.replace("\n", self._newline)

    def _line_start(self, position: int) -> int:
        return self._source.rfind("\n", 0, position) + 1

    def _line_end(self, position: int) -> int:
        end = self._source.find("\n", position)
        if end == -1:
            return len(self._source)
        return end - 1 if end > position and self._source[end - 1] == "\r" else end

    def _margin(self, position: int) -> str:
        line = self._source[self._line_start(position) : position]
        return line[: len(line) - len(line.lstrip(" \t"))]


@dataclass(frozen=True, slots=True)
class _Value:
    """A dictionary that is a value."""

    value: dict[str, Any]


def _dotted(name: str, value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [row for key, item in value.items() for row in _dotted(f"{name}.{nickel_key(key)}", item)]
    return [(name, _block(value))]


def _flat(value: Any) -> str:
    """A value on one line, as far as it can be."""
    if not isinstance(value, Block):
        return layout(value, "", {})
    inside = ", ".join(f"{nickel_key(one.name)} = {_flat(one.value)}" for one in value)
    return f"{{ {inside} }}" if inside else "{}"


def _block(value: Any) -> Any:
    if isinstance(value, _Value):
        return value.value
    return Block(tuple(Field(key, "", _block(item)) for key, item in value.items())) if isinstance(value, dict) else value
