"""Group commit: whoever commits while the log is being written joins the next write, so that one sync serves all of them."""

import asyncio
import struct
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from svault.errors import StorageError
from svault.storage.base import ABSENT, CommitConflictError, Write
from svault.storage.filesystem.faults import refused
from svault.storage.filesystem.index import Index
from svault.storage.filesystem.log import Log
from svault.storage.filesystem.record import Change, block, encode


@dataclass(slots=True)
class _Pending:
    sequence: int
    record: bytes
    changes: list[Change]
    expect: Mapping[str, int]
    answer: "asyncio.Future[dict[str, int]]"


class CommitQueue:
    """Takes commits on the event loop, lets one thread write them, and applies to the index what is durable."""

    def __init__(self, log: Log, index: Index, thread: Executor, sequence: int, applied: Callable[[int, int], None]) -> None:
        """`applied(segment, bytes)` is called after each write that succeeded; `sequence` is the last commit's."""
        self._log = log
        self._index = index
        self._thread = thread
        self._sequence = sequence
        self._applied = applied
        self._loop = asyncio.get_running_loop()
        self._waiting: list[_Pending] = []
        self._writing: list[_Pending] = []
        self._has_turn = False
        # Keys that commits on their way have changed: the version they will have, and the commit.
        self._ahead: dict[str, tuple[int, int]] = {}

    def submit(self, writes: Sequence[Write], expect: Mapping[str, int]) -> "asyncio.Future[dict[str, int]]":
        """Queue a commit; it is answered when it is durable. Raises CommitConflictError, StorageError (too long a key)."""
        self._compare(expect)
        sequence = self._sequence + 1
        record, changes = b"", list[Change]()
        if writes:
            try:
                record, changes = encode(
                    sequence, [(w.key, None if w.value is None else block(sequence, w.key, w.value)) for w in writes]
                )
            except (struct.error, UnicodeEncodeError):
                raise StorageError("a key or value is too long for the store, or a key is not text") from None
        self._sequence = sequence
        pending = _Pending(sequence, record, changes, dict(expect), self._loop.create_future())
        self._enqueue(pending)
        if not self._has_turn:
            self._has_turn = True
            # Not at once, but after everything else that is ready now: it may want to commit too.
            self._loop.call_soon(self._write)
        return pending.answer

    async def drain(self) -> None:
        """Wait until everything queued is answered."""
        while answers := [pending.answer for pending in (*self._writing, *self._waiting)]:
            await asyncio.wait(answers)
            await asyncio.sleep(0)

    def _compare(self, expect: Mapping[str, int]) -> None:
        for key, version in expect.items():
            ahead = self._ahead.get(key)
            if version != (self._index.version(key) if ahead is None else ahead[0]):
                raise CommitConflictError(key)

    def _enqueue(self, pending: _Pending) -> None:
        self._waiting.append(pending)
        for change in pending.changes:
            self._ahead[change.key] = (ABSENT if change.length is None else pending.sequence, pending.sequence)

    def _write(self) -> None:
        self._writing, self._waiting = self._waiting, []
        data = b"".join([pending.record for pending in self._writing])
        job = self._loop.run_in_executor(self._thread, self._log.append, data, self._writing[-1].sequence)
        job.add_done_callback(self._finish)

    def _finish(self, job: "asyncio.Future[tuple[int, int]]") -> None:
        batch, self._writing = self._writing, []
        error = job.exception()
        if error is None:
            self._apply(batch, *job.result())
        else:
            self._refuse(batch, error)
        if self._waiting:
            self._write()
        else:
            self._has_turn = False

    def _apply(self, batch: list[_Pending], segment: int, begin: int) -> None:
        offset = begin
        for pending in batch:
            sequence = pending.sequence
            versions: dict[str, int] = {}
            for key, place, length in pending.changes:
                if length is None:
                    self._index.delete(key)
                    versions.pop(key, None)
                else:
                    self._index.put(key, (segment, offset + place, length, sequence))
                    versions[key] = sequence
                ahead = self._ahead.get(key)
                if ahead is not None and ahead[1] == sequence:
                    del self._ahead[key]
            offset += len(pending.record)
            if not pending.answer.done():
                pending.answer.set_result(versions)
        self._applied(segment, offset)

    def _refuse(self, batch: list[_Pending], error: BaseException) -> None:
        for pending in batch:
            if not pending.answer.done():
                # One exception a caller: each gets a traceback of its own.
                refusal = refused("write", self._log.path, error) if isinstance(error, OSError) else error
                refusal.__cause__ = error if refusal is not error else None
                pending.answer.set_exception(refusal)
        # Those that wait were compared with what has not come to be: compare them again.
        waiting, self._waiting = self._waiting, []
        self._ahead.clear()
        for pending in waiting:
            try:
                self._compare(pending.expect)
            except CommitConflictError as conflict:
                if not pending.answer.done():
                    pending.answer.set_exception(conflict)
            else:
                self._enqueue(pending)
