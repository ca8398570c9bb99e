"""Nearest names for findings, for the first few of them: searching thousands of names costs milliseconds each time.

A configuration can be wrong in ten thousand places; nobody reads ten thousand suggestions, and a server must not
stand still for them.
"""

from collections.abc import Callable, Iterable, Sequence

from prov_corpus.similar import nearest

MOST = 10
"""Searches in one validation."""


class Suggestions:
    """Counts and remembers what was asked in one validation."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], Sequence[str]] = {}

    def ask(self, key: tuple[object, ...], search: Callable[[], Sequence[str]]) -> Sequence[str]:
        """What `search` answers for a key, each key searched once; nothing after the first `MOST` keys."""
        if key not in self._known:
            if len(self._known) >= MOST:
                return ()
            self._known[key] = search()
        return self._known[key]

    def nearest(self, what: object, name: str, names: Iterable[str]) -> Sequence[str]:
        """The names among those of a sort (`what`) that look most like this one, likeliest first; at most three."""
        return self.ask((what, name), lambda: nearest(name, names))

    def close(self, what: str, name: str, names: Iterable[str]) -> str | None:
        """The name among those of a sort (`what`) that looks most like this one, if any does."""
        return next(iter(self.ask((what, name), lambda: nearest(name, names, 1))), None)
