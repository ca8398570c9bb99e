"""From Nickel's report to the user's files: whose place is it, and what is it called there."""

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from prov_gen.nickel.diagnostics import Diagnostic, Excerpt, parse
from prov_gen.nickel.locate import Position, SourceMap
from prov_gen.nickel.source import LOCATED, Expression, NickelSource

# What py-nickel and the program call the text that they are handed.
_MAIN = frozenset({"python", "<stdin>"})


class Reader:
    """Reads Nickel's reports about one source. `root` is the workspace's, `schemas` the folder of the shipped ones.

    A large source takes a while, so its places are found once and only when a report asks for them: use it in a thread.
    """

    def __init__(self, source: NickelSource, *, root: Path | None, schemas: Path) -> None:
        self._source = source
        self._lines = source.text.split("\n")
        self._root = root
        self._schemas = schemas

    def diagnostics(self, report: str, expression: Expression) -> tuple[Diagnostic, ...]:
        """The findings in a report about an expression made from the source; at least one."""
        return tuple(parse(report, locate=lambda place: self._locate(place, expression.shift), clean=self._clean))

    def _locate(self, place: Excerpt, shift: int) -> Excerpt | None:
        if place.file in _MAIN:
            line = place.line - shift
            if line == 0:
                # Our own parenthesis before the text: Nickel means the whole value.
                whole = self._whole
                return replace(place, file=whole.file, line=whole.line, column=whole.column, end_column=whole.end_column)
            if not 1 <= line <= len(self._lines):
                return None
            # Nickel shows a tab as spaces, so the markers' width says nothing there.
            end = None if "\t" in self._lines[line - 1] else place.end_column
            return replace(place, file=self._source.name, line=line, end_column=end)
        if self._root is not None and Path(place.file).is_relative_to(self._root):
            return replace(place, file=os.path.relpath(place.file, self._root))
        return None

    @cached_property
    def _whole(self) -> Position:
        found = SourceMap(self._source.text, self._source.name).find(())
        return found or Position(self._source.name, 1, 1, None, is_exact=False)

    def _clean(self, text: str) -> str:
        if self._root is not None:
            text = text.replace(f"{self._root}{os.sep}", "")
        text = text.replace(f"{self._schemas}{os.sep}", "")
        for main in ("python", "<stdin>"):
            text = text.replace(f"when parsing {main}", f"in {self._source.name}")
        return text


def located_in(diagnostics: Sequence[Diagnostic]) -> Position | None:
    """The place that the failing contract of `source.failing_at` was applied to, when the report is about that."""
    for found in diagnostics:
        if LOCATED in found.message and found.file and found.line is not None and found.column is not None:
            return Position(found.file, found.line, found.column, found.end_column, is_exact=True)
    return None
