"""Where each key's value is: all of a store that stays in memory."""

from svault.storage.base import ABSENT
from svault.storage.filesystem.record import HEAD, ROW
from svault.storage.folders import Folders

Location = tuple[int, int, int, int]
"""Segment's number, offset and length of the block, sequence of the commit. A plain tuple: the collector skips those."""

_OVERHEAD = HEAD.size + ROW.size


class Index:
    """Keys and the places of their latest values, as of the last durable commit."""

    __slots__ = ("_folders", "_locations", "live_bytes")

    def __init__(self) -> None:
        self._locations: dict[str, Location] = {}
        self._folders = Folders()
        self.live_bytes = 0
        """About how many bytes of the log the present values take."""

    def get(self, key: str) -> Location | None:
        """Where a key's value is."""
        return self._locations.get(key)

    def version(self, key: str) -> int:
        """A key's version, ABSENT when it has no entry."""
        location = self._locations.get(key)
        return ABSENT if location is None else location[3]

    def put(self, key: str, location: Location) -> None:
        """A key has a new value."""
        old = self._locations.get(key)
        if old is None:
            self._folders.add(key)
            self.live_bytes += _OVERHEAD + len(key) + location[2]
        else:
            self.live_bytes += location[2] - old[2]
        self._locations[key] = location

    def delete(self, key: str) -> None:
        """A key has no value any more."""
        old = self._locations.pop(key, None)
        if old is not None:
            self._folders.remove(key)
            self.live_bytes -= _OVERHEAD + len(key) + old[2]

    def move(self, key: str, old: Location, new: Location) -> None:
        """A value was copied elsewhere; a key that was written since stays where it is."""
        if self._locations.get(key) == old:
            self._locations[key] = new

    def names(self, prefix: str) -> list[str]:
        """The names directly under a prefix."""
        return self._folders.names(prefix)
