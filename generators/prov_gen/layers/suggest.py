"""Nearest names for findings, for the first few of them: searching thousands of names costs milliseconds each time.

A configuration can be wrong in ten thousand places; nobody reads ten thousand suggestions, and a server must not
stand still for them.
"""

from collections.abc import Callable, Sequence
from difflib import get_close_matches

MOST = 50


class Suggestions:
    """Counts and remembers what was asked in one validation."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, ...], Sequence[str]] = {}

    def ask(self, key: tuple[str, ...], search: Callable[[], Sequence[str]]) -> Sequence[str]:
        """What `search` answers for a key, each key searched once; nothing after the first `MOST` keys."""
        if key not in self._known:
            if len(self._known) >= MOST:
                return ()
            self._known[key] = search()
        return self._known[key]

    def close(self, name: str, names: Sequence[str]) -> Sequence[str]:
        """The name that looks most like this one, if any does."""
        return self.ask(("name", name), lambda: get_close_matches(name, names, n=1))
