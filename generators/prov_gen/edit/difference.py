"""The difference between two texts, as programs that apply it take it."""

import difflib

CONTEXT = 3
"""Lines shown before and after what changes."""


def unified_diff(before: str | None, after: str, name: str) -> str:
    """The difference as `patch` and `git apply` take it; `before` is None for a file that is new."""
    shown = "".join(char if char.isprintable() else "?" for char in name)
    old = f"a/{shown}" if before is not None else "/dev/null"
    lines = difflib.unified_diff(_lines(before or ""), _lines(after), old, f"b/{shown}", n=CONTEXT)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines with their ends. Only a line feed ends one: `str.splitlines` knows more, `patch` does not."""
    *whole, rest = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([rest] if rest else [])]
