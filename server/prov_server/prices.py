"""The price book of a workspace, read when it is first needed and again when its files change."""

import contextlib
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

Stamp = tuple[tuple[str, int, int, int], ...]


@dataclass
class Prices:
    """Called, it answers the book. Raises what `load_book` raises (a damaged file of the workspace's own)."""

    workspace: Workspace
    _read: "tuple[Stamp, PriceBook] | None" = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> "PriceBook":
        """The book as the files are now."""
        from prov_judge.prices.store import load_book  # noqa: PLC0415 - only who asks for prices pays for them

        with self._lock:
            stamp = _stamp(self.workspace)
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, load_book(self.workspace)
            return self._read[1]


def _stamp(workspace: Workspace) -> Stamp:
    """Names, sizes, times and inodes of the price files: enough to see that one was replaced. What is not there is no part."""
    from prov_judge.prices.store import own_paths  # noqa: PLC0415 - as above

    found = []
    for path in own_paths(workspace):
        with contextlib.suppress(OSError):
            status = path.stat()
            found.append((path.name, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)
