"""A small pool of warm workers.

A worker is *fresh* (Nickel loaded, nothing of a user's seen) until its first job seals it with an allow-list. It then serves
only jobs with that same list. A worker that failed in any way is ended and replaced.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from prov_gen.nickel.allowlist import AllowList
from prov_gen.nickel.errors import NickelUnavailableError
from prov_gen.nickel.process import WorkerProcess

Start = Callable[[], Awaitable[WorkerProcess]]


class Pool:
    """At most `size` jobs at a time. Belongs to one event loop; nothing starts before the first job or `warm`."""

    def __init__(self, start: Start, *, size: int, jobs_per_worker: int, retire_bytes: int) -> None:
        self._start = start
        self._size = size
        self._jobs_per_worker = jobs_per_worker
        self._retire_bytes = retire_bytes
        self._slots = asyncio.Semaphore(size)
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._starting: set[asyncio.Task[None]] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._failure: NickelUnavailableError | None = None
        self._stays_warm = False
        self._closed = False

    def warm(self) -> list[asyncio.Task[None]]:
        """Start what is missing to `size` workers, in the background, and keep it so; answers with the tasks.

        Without it (a command that evaluates once and ends) a worker starts only when a job needs one.
        """
        self._stays_warm = True
        self._refill()
        return list(self._starting)

    @asynccontextmanager
    async def lease(self, allow: AllowList) -> AsyncIterator[WorkerProcess]:
        """A worker that may run a job with this allow-list, for the length of the block.

        Leaving the block by any exception, cancellation included, ends the worker. Raises NickelUnavailableError.
        """
        async with self._slots:
            worker = await self._acquire(allow)
            self._busy.add(worker)
            clean = False
            try:
                yield worker
                clean = True
            finally:
                self._busy.discard(worker)
                spent = worker.jobs >= self._jobs_per_worker or worker.resident_bytes > self._retire_bytes
                if clean and not spent and not self._closed:
                    self._idle.append(worker)
                else:
                    self._discard(worker)
                    self._refill()

    async def ready(self) -> None:
        """Return at once when a worker lives, at work or not; else start one. Raises NickelUnavailableError when none starts."""
        while not self._lives():
            if self._closed:
                raise _shut_down()
            if not self._starting:
                self._start_in_background()
            await asyncio.wait(self._starting, return_when=asyncio.FIRST_COMPLETED)
            if self._failure is not None and not self._lives():
                raise self._take_failure()

    def _lives(self) -> bool:
        return any(worker.is_alive for worker in (*self._idle, *self._busy))

    async def aclose(self) -> None:
        """End every worker and wait until none is left. Jobs that were running fail with `nickel_closed`."""
        self._closed = True
        for task in self._starting:
            task.cancel()
        if self._starting:
            await asyncio.wait(self._starting)
        for worker in [*self._idle, *self._busy]:
            self._discard(worker)
        self._idle.clear()
        while self._ending:
            await asyncio.wait(self._ending)

    @property
    def is_closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    async def _acquire(self, allow: AllowList) -> WorkerProcess:
        while True:
            if self._closed:
                raise _shut_down()
            worker = self._take(allow)
            if worker is not None:
                worker.fingerprint, worker.owner = allow.fingerprint, allow.owner
                return worker
            if not self._starting:
                self._start_in_background()
            await asyncio.wait(self._starting, return_when=asyncio.FIRST_COMPLETED)
            if self._failure is not None and not self._idle:
                raise self._take_failure()

    def _take_failure(self) -> NickelUnavailableError:
        assert self._failure is not None
        failure, self._failure = self._failure, None
        return failure

    def _take(self, allow: AllowList) -> WorkerProcess | None:
        """An idle worker for the list, or None after making room for a new one."""
        for worker in list(self._idle):
            # Sealed with a list of the same workspace that is no longer true: no job will ask for it again.
            is_stale = worker.owner == allow.owner and worker.fingerprint not in {None, allow.fingerprint}
            if is_stale or not worker.is_alive:
                self._idle.remove(worker)
                self._discard(worker)
        for wanted in (allow.fingerprint, None):
            for worker in self._idle:
                if worker.fingerprint == wanted:
                    self._idle.remove(worker)
                    if wanted is None:
                        # A warm one stands ready for the next change of the workspace.
                        self._busy.add(worker)
                        self._refill()
                    return worker
        if self._idle and len(self._idle) + len(self._busy) + len(self._starting) >= self._size:
            self._discard(self._idle.pop(0))
        return None

    def _refill(self) -> None:
        if self._stays_warm and not self._closed:
            for _ in range(self._size - len(self._idle) - len(self._busy) - len(self._starting)):
                self._start_in_background()

    def _start_in_background(self) -> None:
        task = asyncio.get_running_loop().create_task(self._add_idle(), name="nickel worker start")
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _add_idle(self) -> None:
        try:
            worker = await self._start()
        except NickelUnavailableError as error:
            # For the job that waits for this worker, or the next one.
            self._failure = error
            return
        self._failure = None
        if self._closed:
            self._discard(worker)
        else:
            self._idle.append(worker)

    def _discard(self, worker: WorkerProcess) -> None:
        worker.kill()
        task = asyncio.get_running_loop().create_task(worker.ended(), name="nickel worker end")
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)


def _shut_down() -> NickelUnavailableError:
    return NickelUnavailableError("nickel_closed", "the Nickel evaluator is shut down", hint="start it again")
