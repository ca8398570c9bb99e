"""User text inside Markdown, and tables: what a configuration holds can neither format, link, mention nor embed anything."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Row = TypeVar("Row")
MAX_CELL = 240
MAX_ROWS = 40
"""Rows of a table unless told otherwise: a comment must stay readable, and below the limit of the host that shows it."""

_MARKUP = "\\`*_[]!~"
_LINKED = re.compile(r"@|#(?=[0-9])|://|www(?=\.)")


def text(value: str, most: int = MAX_CELL) -> str:
    """Text in a line or a cell. Zero-width spaces keep hosts from making links and mentions of `@name`, `#1` and addresses."""
    flat = shortened(value, most).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("|", "&#124;")
    for char in _MARKUP:
        flat = flat.replace(char, f"\\{char}")
    return _LINKED.sub("\\g<0>\u200b", flat)


def code(value: str, most: int = MAX_CELL) -> str:
    """Text as code, in a cell too."""
    return f"`{shortened(value, most).replace('`', chr(39)).replace('|', '¦')}`" if value.strip() else ""


def shortened(value: str, most: int) -> str:
    """One line of at most so many characters."""
    flat = " ".join(value.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def table(head: Sequence[str], rows: Iterable[Row], cells: Callable[[Row], Sequence[str]], most: int = MAX_ROWS) -> str:
    """A table of cells that are Markdown already; what is more than `most` rows is counted below it."""
    every = list(rows)
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cells(row))} |" for row in every[:most]]
    if len(every) > most:
        lines += ["", f"... and {len(every) - most:,} more."]
    return "\n".join(lines)


def folded(title: str, body: str) -> str:
    """A part that opens on a click."""
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"
