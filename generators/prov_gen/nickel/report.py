"""From Nickel's report to the user's files: whose place is it, and what is it called there."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from prov_gen.nickel.diagnostics import Diagnostic, Excerpt, parse
from prov_gen.nickel.locate import Position, SourceMap
from prov_gen.nickel.source import LOCATED, Expression, NickelSource

# What py-nickel and the program call the text that they are handed.
_MAIN = frozenset({"python", "<stdin>"})


def diagnostics_of(
    report: str, source: NickelSource, expression: Expression, *, root: Path | None, schemas: Path
) -> tuple[Diagnostic, ...]:
    """The findings in a report about an expression made from a source; at least one."""
    lines = source.text.split("\n")

    def locate(place: Excerpt) -> Excerpt | None:
        if place.file in _MAIN:
            line = place.line - expression.shift
            if line == 0:
                # Our own parenthesis before the text: Nickel means the whole value.
                return _whole(place, source)
            if not 1 <= line <= len(lines):
                return None
            # Nickel shows a tab as spaces, so the markers' width says nothing there.
            end = None if "\t" in lines[line - 1] else place.end_column
            return replace(place, file=source.name, line=line, end_column=end)
        if root is not None and Path(place.file).is_relative_to(root):
            return replace(place, file=os.path.relpath(place.file, root))
        return None

    def clean(text: str) -> str:
        if root is not None:
            text = text.replace(f"{root}{os.sep}", "")
        text = text.replace(f"{schemas}{os.sep}", "")
        return text.replace("when parsing python", f"in {source.name}").replace("when parsing <stdin>", f"in {source.name}")

    return tuple(parse(report, locate=locate, clean=clean))


def _whole(place: Excerpt, source: NickelSource) -> Excerpt:
    root = SourceMap(source.text, source.name).find(()) or Position(source.name, 1, 1, None, is_exact=False)
    return replace(place, file=root.file, line=root.line, column=root.column, end_column=root.end_column)


def located_in(diagnostics: Sequence[Diagnostic]) -> Position | None:
    """The place that the failing contract of `source.failing_at` was applied to, when the report is about that."""
    for found in diagnostics:
        if LOCATED in found.message and found.file and found.line is not None and found.column is not None:
            return Position(found.file, found.line, found.column, found.end_column, is_exact=True)
    return None
