"""The price book of a workspace, read when it is first needed and again when its files change."""

from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

Stamp = tuple[tuple[str, int, int], ...]


@dataclass
class Prices:
    """Called, it answers the book. Raises what `load_book` raises (a damaged file of the workspace's own)."""

    workspace: Workspace
    _read: "tuple[Stamp, PriceBook] | None" = None
    _lock: Lock = field(default_factory=Lock)

    def __call__(self) -> "PriceBook":
        """The book as the files are now."""
        from prov_judge.prices.store import folder, load_book  # noqa: PLC0415 - only who asks for prices pays for them

        with self._lock:
            stamp = _stamp(folder(self.workspace))
            if self._read is None or self._read[0] != stamp:
                self._read = stamp, load_book(self.workspace)
            return self._read[1]


def _stamp(folder: Path) -> Stamp:
    """Names, sizes and times of the price files: enough to see that one was replaced."""
    found = []
    for path in sorted(folder.glob("*.csv")) if folder.is_dir() else ():
        status = path.stat()
        found.append((path.name, status.st_size, status.st_mtime_ns))
    return tuple(found)
