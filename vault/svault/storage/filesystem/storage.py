"""The filesystem backend: the parts of this package put together."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import structlog

from svault.errors import DamagedStorageError, StorageError
from svault.storage.base import Entry, Write
from svault.storage.filesystem.commits import CommitQueue
from svault.storage.filesystem.compaction import Compaction
from svault.storage.filesystem.faults import refused
from svault.storage.filesystem.folder import LOCK, FolderLock, prepare, segment_name, segment_numbers
from svault.storage.filesystem.log import Log
from svault.storage.filesystem.manifest import drop_unfinished
from svault.storage.filesystem.record import CHECKSUM, is_intact
from svault.storage.filesystem.recovery import Recovered, create, recover
from svault.storage.filesystem.segment import Segment

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Opened:
    """What an open store holds."""

    lock: FolderLock
    found: Recovered
    log: Log


@dataclass(slots=True)
class _Running:
    opened: _Opened
    thread: ThreadPoolExecutor
    compaction: Compaction
    queue: CommitQueue


class FilesystemStorage:
    """Entries in a folder of this machine, for one server at a time. The folder gets mode 0700, its files 0600.

    A commit is answered when it is on the disk. Reads and commits go on while the log is compacted, which is when at least
    `compact_bytes` and the share `compact_share` of it are values that were replaced or deleted.
    """

    def __init__(self, path: str | Path, *, compact_bytes: int = 16 << 20, compact_share: float = 0.5) -> None:
        self._folder = Path(path).absolute()
        self._compact_bytes = compact_bytes
        self._compact_share = compact_share
        self._running: _Running | None = None

    async def open(self) -> None:
        """Lock the folder and read its log; what a crash left unfinished is dropped.

        Raises StorageError (another process has it, it cannot be written), DamagedStorageError (names files, offsets and keys).
        A damaged value whose key is known is no obstacle: reading that key is refused, and a warning is logged here.
        """
        if self._running is not None:
            return
        opened = await asyncio.to_thread(_locked, self._folder)
        found = opened.found
        for text in found.lost_values() + found.worn:
            logger.warning("the storage is damaged", where=text)
        thread = ThreadPoolExecutor(1, "storage-log")
        compaction = Compaction(
            self._folder, opened.log, thread, found.index, found.segments, minimum=self._compact_bytes, share=self._compact_share
        )
        queue = CommitQueue(opened.log, found.index, thread, found.mark.sequence, compaction.applied)
        self._running = _Running(opened, thread, compaction, queue)

    async def aclose(self) -> None:
        """Finish the commits that are on their way, and let the next process have the folder."""
        running, self._running = self._running, None
        if running is None:
            return
        try:
            await running.queue.drain()
            await running.compaction.aclose()
        finally:
            await asyncio.to_thread(_closed, running)
            running.opened.found.close()

    async def get(self, key: str) -> Entry | None:
        """The entry of a key, as of the last commit. Raises DamagedStorageError naming file, offset and key; StorageError."""
        found = self._opened().opened.found
        location = found.index.get(key)
        if location is None:
            return None
        number, offset, length, version = location
        segment = found.segments[number]
        try:
            data = segment.cached(offset, length)
            if data is None:
                data = await _from_disk(segment, offset, length)
        except OSError as error:
            raise refused("read", segment.path, error) from error
        if len(data) != length or not is_intact(version, key, data):
            problem = "is damaged" if len(data) == length else "is cut off"
            raise DamagedStorageError(
                f"{segment.path}: the value of {key!r} at offset {offset} {problem}",
                path=str(segment.path),
                offset=offset,
                key=key,
            )
        return Entry(bytes(memoryview(data)[CHECKSUM.size :]), version)

    async def list(self, prefix: str) -> list[str]:
        """The names directly under a prefix (empty, or ending in `/`), sorted; folders end in `/`."""
        return self._opened().opened.found.index.names(prefix)

    async def commit(self, writes: Sequence[Write], expect: Mapping[str, int] | None = None) -> dict[str, int]:
        """Do all writes or none; returns the new versions. Raises CommitConflictError, StorageError.

        A caller that is cancelled while it waits does not take its commit back.
        """
        return await self._opened().queue.submit(writes, expect or {})

    def _opened(self) -> _Running:
        if self._running is None:
            raise StorageError(f"the storage in {self._folder} is not open")
        return self._running


async def _from_disk(segment: Segment, offset: int, length: int) -> bytes:
    """Read in another thread. The segment stays open until that is done, also when nobody waits for it any more."""
    segment.hold()
    job = asyncio.get_running_loop().run_in_executor(None, os.pread, segment.handle, length, offset)

    def done(job: "asyncio.Future[bytes]") -> None:
        segment.release()
        job.exception()

    job.add_done_callback(done)
    return await asyncio.shield(job)


def _locked(folder: Path) -> _Opened:
    prepare(folder)
    try:
        lock = FolderLock(folder)
    except OSError as error:
        raise refused("lock", folder / LOCK, error) from error
    try:
        return _taken_up(folder, lock)
    except OSError as error:
        lock.release()
        raise refused("open the store in", folder, error) from error
    except BaseException:
        lock.release()
        raise


def _taken_up(folder: Path, lock: FolderLock) -> _Opened:
    found = recover(folder)
    if found is None:
        create(folder)
        found = recover(folder)
        assert found is not None
    try:
        return _Opened(lock, found, _continued(folder, found))
    except BaseException:
        found.close()
        raise


def _continued(folder: Path, found: Recovered) -> Log:
    if found.damages:
        raise DamagedStorageError(*found.damages, hint="restore the folder from a backup", path=str(folder))
    numbers = segment_numbers(folder)
    log = Log(folder, found.sealed, found.mark, max(numbers) + 1)
    try:
        log.settle()
        drop_unfinished(folder)
        for number in set(numbers) - found.segments.keys():
            (folder / segment_name(number)).unlink()
    except BaseException:
        log.release()
        raise
    return log


def _closed(running: _Running) -> None:
    opened = running.opened
    try:
        running.thread.submit(opened.log.close).result()
    except OSError as error:
        # All that was answered is synced; only the mark that notices a log cut off later could not be.
        logger.warning("the storage was not closed cleanly", error=str(refused("close", opened.log.path, error)))
    finally:
        running.thread.shutdown()
        opened.lock.release()
