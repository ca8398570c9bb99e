"""User text inside Markdown, and tables: what a configuration holds can neither format, link, mention nor embed anything."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Row = TypeVar("Row")
MAX_CELL = 240
MAX_ROWS = 40
"""Rows of a table unless told otherwise: a comment must stay readable, and below the limit of the host that shows it."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "$": "&#36;"}
"""What a backslash does not make harmless everywhere: a table's bar, and the dollar that begins mathematics at GitHub."""

_MARKUP = "\\`*_[]!~"
_COUNTED = 40
"""Room for the sentence that counts what is left out."""

_LINKED = re.compile(r"@|#(?=[0-9])|://|www(?=\.)")


def text(value: str, most: int = MAX_CELL) -> str:
    """Text in a line or a cell. Zero-width spaces keep hosts from making links and mentions of `@name`, `#1` and addresses."""
    flat = _LINKED.sub("\\g<0>\u200b", shortened(value, most))
    for char, entity in _ENTITIES.items():
        flat = flat.replace(char, entity)
    for char in _MARKUP:
        flat = flat.replace(char, f"\\{char}")
    return flat


def code(value: str, most: int = MAX_CELL) -> str:
    """Text as code, in a cell too."""
    return f"`{shortened(value, most).replace('`', chr(39)).replace('|', '¦')}`" if value.strip() else ""


def shortened(value: str, most: int) -> str:
    """One line of at most so many characters."""
    flat = " ".join(value.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def table(
    head: Sequence[str],
    rows: Iterable[Row],
    cells: Callable[[Row], Sequence[str]],
    most: int = MAX_ROWS,
    room: int | None = None,
) -> str:
    """A table of cells that are Markdown already. What is more than `most` rows, or takes more than `room` characters with
    all that stands before it, is counted below it."""
    every = list(rows)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    length, shown = sum(map(len, lines)) + _COUNTED, 0
    for row in every[:most]:
        line = f"| {' | '.join(cells(row))} |"
        length += len(line) + 1
        if room is not None and length > room:
            break
        lines.append(line)
        shown += 1
    if len(every) > shown:
        lines += ["", f"... and {len(every) - shown:,} more."]
    return "\n".join(lines)


def folded(title: str, body: str) -> str:
    """A part that opens on a click."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
