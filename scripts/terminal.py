"""Colour for the small programs beside this file: only on a terminal, and never when NO_COLOR is set."""

import os
import sys

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def paint(text: str, style: str) -> str:
    """Return `text` in `style` (bold, dim, red, green or yellow) where standard output shows colours."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\033[{_CODES[style]}m{text}\033[0m"
