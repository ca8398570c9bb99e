"""Rows on a terminal that is too narrow for their columns: each as some lines, what does not fit on one going on further in."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from prov_server.cli.views.columns import Row, fits, print_columns, print_lines

_INDENT = 2
_LEAST = 8

Tall = Sequence[Text]
"""One row as lines: what it is about, then what is told of it."""


def print_rows(
    console: Console, heading: Row, rows: Sequence[tuple[Row, Tall]], justify: str, folding: Sequence[int] = ()
) -> None:
    """Print a table where it fits (see `columns.print_columns`), else the lines of each row."""
    wide = [heading, *(row for row, _ in rows)]
    if fits(console, wide, folding):
        print_columns(console, wide, justify, folding)
    else:
        print_lines(console, (line for _, tall in rows for line in _lines(console, tall)))


def _lines(console: Console, tall: Tall) -> Iterable[Text]:
    for number, words in enumerate(tall):
        indent = _INDENT if number else 0
        room = max(console.width - indent, _LEAST)
        is_long = words.cell_len > room
        for part, line in enumerate(words.wrap(console, room - _INDENT if is_long else room, overflow="fold")):
            line.rstrip()
            yield Text.assemble(" " * (indent + _INDENT if part else indent), line)
