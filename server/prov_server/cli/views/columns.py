"""Rows of words in columns, quickly: a thousand resources have some four thousand lines.

On a terminal the columns that may fold share the room that is left, and a folded cell goes on below itself, further in. A
pipe gets each row as one line without colours and without spaces at its end.
"""

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.text import Text

Cell = tuple[str, str]
"""Words and their style."""
Row = Sequence[Cell]

_GAP = "  "
_HANGING = 2
_LEAST = 24
"""What folding leaves of a column, in cells of the terminal."""


def print_columns(console: Console, rows: Sequence[Row], justify: str, folding: Sequence[int]) -> None:
    """Print rows with a cell for each letter of `justify` (l, r); `folding`: the columns that may fold, in that order."""
    widths = _widths(rows, len(justify))
    if is_narrow(console):
        _fit(widths, console.width, folding)
    print_lines(console, (line for row in rows for line in _lines(row, widths, justify)))


def fits(console: Console, rows: Sequence[Row], folding: Sequence[int]) -> bool:
    """Whether `print_columns` finds room for the rows, folded where they may be."""
    if not is_narrow(console):
        return True
    widths = _widths(rows, len(rows[0]))
    _fit(widths, console.width, folding)
    return sum(widths) + len(_GAP) * (len(widths) - 1) <= console.width


def _widths(rows: Sequence[Row], count: int) -> list[int]:
    return [max((cell_len(row[at][0]) for row in rows), default=0) for at in range(count)]


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines at once; a terminal wraps what is longer than itself."""
    if console.is_terminal:
        said = list(lines)
        if said:
            console.print(Text("\n").join(said), soft_wrap=True)
    elif plain := [line.plain.rstrip() for line in lines]:
        console.out("\n".join(plain), highlight=False)


def is_narrow(console: Console) -> bool:
    """Whether lines have an end: on a terminal, and where somebody said how wide it is."""
    from prov_server.cli.console import PLAIN_WIDTH

    return console.is_terminal or console.width < PLAIN_WIDTH


def _fit(widths: list[int], room: int, folding: Sequence[int]) -> None:
    for at in folding:
        over = sum(widths) + len(_GAP) * (len(widths) - 1) - room
        if over > 0:
            widths[at] = max(min(_LEAST, widths[at]), widths[at] - over)


def _lines(row: Row, widths: Sequence[int], justify: str) -> Iterable[Text]:
    folded = [_fold(words, width) for (words, _), width in zip(row, widths, strict=True)]
    for number in range(max(map(len, folded))):
        line = Text(end="")
        for at, (_, style) in enumerate(row):
            words = folded[at][number] if number < len(folded[at]) else ""
            space = " " * (widths[at] - cell_len(words))
            line.append(words + space if justify[at] == "l" else space + words, style or None)
            if at + 1 < len(row):
                line.append(_GAP)
        line.rstrip()
        yield line


def _fold(words: str, width: int) -> list[str]:
    """The words in lines of at most so many cells, at spaces where there are any."""
    if cell_len(words) <= width:
        return [words]
    indent = " " * (len(words) - len(words.lstrip(" ")))
    lines, line = [], indent
    hanging = indent + " " * _HANGING
    for word in words.split():
        joined = f"{line} {word}" if line.strip() else line + word
        if cell_len(joined) <= width:
            line = joined
            continue
        if line.strip():
            lines.append(line)
        line = hanging + word if lines else indent + word
        while cell_len(line) > width:
            start = hanging if lines else indent
            first, *_ = chop_cells(line[len(start) :], max(1, width - len(start)))
            lines.append(start + first)
            line = hanging + line[len(start) + len(first) :]
    return [*lines, line] if line.strip() else lines
