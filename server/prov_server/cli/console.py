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

# What a terminal would obey instead of show: C0 and C1 controls but tab and newline, marks that reorder text; and what it shows
# as nothing at all, so that two names look alike: signs without width, blank letters, tags.
_HIDDEN = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e007f"
)
_CONTROL = re.compile(f"[{_HIDDEN}]")
_BREAKING = re.compile(f"[\t\n{_HIDDEN}]")


def visible(text: str) -> str:
    """The text with what cannot be seen spelled out, so that a configuration cannot drive the terminal that shows it.

    Lines and tabs stay: it is for texts of several lines. `one_line` is for names and values.
    """
    return _CONTROL.sub(_spelled, text)


def one_line(text: str) -> str:
    """As `visible`, with line ends and tabs spelled out too, so that no value pretends to be a line of its own."""
    return _BREAKING.sub(_spelled, text)


def _spelled(match: re.Match[str]) -> str:
    return f"\\u{{{ord(match.group()):x}}}"


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
