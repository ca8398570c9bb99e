"""Names: what the user calls a thing, as a DNS label, unique among its kind."""

import re

from prov_gen.understand.tokens import fold

_OTHER = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """The DNS label nearest to a text: "" when nothing of it can stay."""
    return _OTHER.sub("-", fold(text)).strip("-")[:63].strip("-")


class Names:
    """The names taken so far, for one kind of thing."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, base: str, count: int, *, several: bool = False) -> list[str]:
        """`count` free names: the base alone for one thing, numbered where there are several ("web-1", "web-2")."""
        if count == 1 and not several and base not in self._taken:
            self._taken.add(base)
            return [base]
        found: list[str] = []
        number = 1
        stem = base[:57].rstrip("-")
        while len(found) < count:
            name = f"{stem}-{number}"
            if name not in self._taken:
                self._taken.add(name)
                found.append(name)
            number += 1
        return found

    def is_taken(self, name: str) -> bool:
        """Whether something has this name."""
        return name in self._taken

    def take_exactly(self, name: str) -> str:
        """This name, or the next free one that begins with it."""
        if name in self._taken:
            return self.take(name, 2)[0]
        self._taken.add(name)
        return name
