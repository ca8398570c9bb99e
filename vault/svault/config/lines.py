"""In which line of the file a key stands, in both forms."""

import re
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from stratumops.settings_text import line_of as toml_line


class LineOf(Protocol):
    """The line, from 1, of the key at this path; None when the file does not say it."""

    def __call__(self, path: Sequence[str]) -> int | None:
        """Find it."""
        ...


def in_toml(text: str) -> LineOf:
    """For a TOML text."""
    return partial(toml_line, text)


def in_json(text: str) -> LineOf:
    """For a JSON text: each key of the path is looked for after the one before it; indexes of lists are passed over."""

    def find(path: Sequence[str]) -> int | None:
        position, line = 0, None
        for key in path:
            match = re.compile(rf'"{re.escape(key)}"\s*:').search(text, position)
            if match is not None:
                position = match.end()
                line = text.count("\n", 0, match.start()) + 1
        return line

    return find
