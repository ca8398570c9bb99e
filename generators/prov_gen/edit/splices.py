"""A changed text as what is put in place of what: so one knows which lines a change touches, and all else stays as it is."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prov_gen.edit.change import CannotEditError
from prov_gen.findings import Path


@dataclass(frozen=True, slots=True)
class Splice:
    """`text` in place of the characters from `start` to `end` (exclusive); `paths` are the fields that it is about."""

    start: int
    end: int
    text: str
    paths: tuple[Path, ...]


def spliced(text: str, splices: Sequence[Splice]) -> str:
    """The text with everything in its place. Raises CannotEditError when two changes are in each other's way."""
    parts, position = [], 0
    for splice in sorted(splices, key=lambda one: (one.start, one.end)):
        if splice.start < position:
            raise CannotEditError("two changes meet in one place")
        parts += [text[position : splice.start], splice.text]
        position = splice.end
    return "".join([*parts, text[position:]])


class Lines:
    """Where the lines of a text begin, numbered from 0. Only a line feed ends one."""

    def __init__(self, text: str) -> None:
        self._starts = [0, *(index + 1 for index, char in enumerate(text) if char == "\n")]

    def number(self, position: int) -> int:
        """The line that a character is in."""
        return bisect_right(self._starts, position) - 1

    def around(self, splices: Iterable[Splice], margin: int) -> dict[Path, set[int]]:
        """The lines that each field's change touches, with so many before and after them."""
        found: dict[Path, set[int]] = {}
        for splice in splices:
            lines = range(self.number(splice.start) - margin, self.number(splice.end) + margin + 1)
            for path in splice.paths:
                found.setdefault(path, set()).update(lines)
        return found
