"""Where text goes: results to stdout, notes and errors to stderr; colours only on a terminal and never with NO_COLOR."""

import os
import re
import sys
from typing import IO, Any, cast

from rich.console import Console
from rich.theme import Theme

PLAIN_WIDTH = 240
"""Of a pipe: wide enough that each row of a table is one line, for grep and its like."""

THEME = Theme(
    {
        "error": "bold red",
        "warning": "bold yellow",
        "info": "bold cyan",
        "good": "green",
        "fix": "green",
        "quiet": "dim",
        "name": "cyan",
        "heading": "bold",
    }
)

# What a terminal would obey instead of show: C0 and C1 controls but tab and newline, and marks that reorder text.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """The text with control characters spelled out, so that a configuration cannot drive the terminal that shows it."""
    return _CONTROL.sub(lambda match: f"\\u{{{ord(match.group()):x}}}", text)


def console(stream: IO[str] | None = None, *, record: bool = False, width: int | None = None) -> Console:
    """A console for a stream (stdout when left out). A pipe gets plain text of a fixed width."""
    target = stream or sys.stdout
    if width is None and not target.isatty() and not os.environ.get("COLUMNS"):
        width = PLAIN_WIDTH
    return Console(file=target, theme=THEME, highlight=False, emoji=False, markup=False, record=record, width=width)


def tolerant(stream: Any) -> None:
    """Let a stream write what its encoding lacks as escapes instead of failing."""
    if hasattr(stream, "reconfigure"):
        cast("Any", stream).reconfigure(errors="backslashreplace")
