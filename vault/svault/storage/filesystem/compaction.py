"""When the log has grown too long for what it holds, and how the shorter one takes its place."""

import asyncio
import threading
from concurrent.futures import Executor
from pathlib import Path

import structlog

from svault.errors import DamagedStorageError
from svault.storage.filesystem.folder import segment_name
from svault.storage.filesystem.index import Index
from svault.storage.filesystem.log import Log
from svault.storage.filesystem.merge import Merged, MergeStoppedError, merge
from svault.storage.filesystem.segment import Segment

logger = structlog.get_logger(__name__)
_MOVES_A_TURN = 1000


class Compaction:
    """Watches the segments of an open store and merges the sealed ones. A crash at any step leaves the old or the new log."""

    def __init__(
        self, folder: Path, log: Log, thread: Executor, index: Index, segments: dict[int, Segment], *, minimum: int, share: float
    ) -> None:
        """At least `minimum` bytes and the `share` of the log must be garbage. `thread` is the one that writes the log."""
        self._folder = folder
        self._log = log
        self._thread = thread
        self._index = index
        self._segments = segments
        self._minimum = minimum
        self._share = share
        self._threshold = minimum
        self._stop = threading.Event()
        self._task: asyncio.Task[None] | None = None

    def applied(self, segment: int, length: int) -> None:
        """The log has grown: the segment has so many bytes now."""
        self._segments[segment].length = length
        if self._task is None and not self._stop.is_set() and self._has_too_much_garbage():
            self._task = asyncio.create_task(self._run(), name="storage compaction")

    async def aclose(self) -> None:
        """Stop a merge that is under way."""
        self._stop.set()
        if self._task is not None:
            await self._task

    def _garbage(self) -> tuple[int, int]:
        total = sum(segment.length for segment in self._segments.values())
        return total - self._index.live_bytes, total

    def _has_too_much_garbage(self) -> bool:
        garbage, total = self._garbage()
        return garbage >= self._threshold and garbage >= self._share * total

    async def _run(self) -> None:
        try:
            await self._compact()
            self._threshold = self._minimum
        except MergeStoppedError:
            pass
        except (OSError, DamagedStorageError) as error:
            # The log stays as it is, and all that it holds; once it has grown by as much again, the next attempt is made.
            self._threshold = self._garbage()[0] + self._minimum
            logger.warning("the log was not compacted", folder=str(self._folder), error=str(error))
        finally:
            self._task = None

    async def _compact(self) -> None:
        loop = asyncio.get_running_loop()
        last, length, free, active = await loop.run_in_executor(self._thread, self._log.rotate)
        # Before any later write is: callbacks run in the order in which the thread finished its work.
        self._segments[active.number] = active
        # Before a record counts as garbage, the index must know of all commits in the sealed segments.
        while self._segments[last].length < length:  # noqa: ASYNC110 - the callbacks that do it are due already
            await asyncio.sleep(0)
        sealed = [segment for number, segment in sorted(self._segments.items()) if number <= last]
        for segment in sealed:
            segment.hold()
        try:
            merged = await asyncio.to_thread(merge, self._folder, free, sealed, self._index, self._stop)
            is_durable = await self._take_over(merged)
        except BaseException:
            for segment in sealed:
                segment.release()
            raise
        for segment in sealed:
            del self._segments[segment.number]
            segment.release()
            segment.retire()
        if is_durable:
            await asyncio.to_thread(_remove, [segment.path for segment in sealed])

    async def _take_over(self, merged: Merged) -> bool:
        loop = asyncio.get_running_loop()
        row = (merged.number, merged.length) if merged.moves else None
        path = self._folder / segment_name(merged.number)
        try:
            if row:
                self._segments[merged.number] = Segment(self._folder, *row)
            is_durable = await loop.run_in_executor(self._thread, self._log.replace_sealed, row)
        except OSError:
            if row and (segment := self._segments.pop(merged.number, None)):
                segment.retire()
            path.unlink(missing_ok=True)
            raise
        if not row:
            path.unlink(missing_ok=True)
        for count, (key, old, new) in enumerate(merged.moves):
            self._index.move(key, old, new)
            if count % _MOVES_A_TURN == 0:
                await asyncio.sleep(0)
        return is_durable


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
