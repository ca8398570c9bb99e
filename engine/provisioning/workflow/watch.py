"""What an operation keeps an eye on while it runs: its lease, whether a person cancelled, whether this process stops."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Self, TypeVar

from provisioning.errors import LeaseLostError, StateLockedError
from provisioning.state.holder import this_process
from provisioning.state.model import Lease
from provisioning.state.store import StateStore
from stratumops.errors import UnavailableError

T = TypeVar("T")
LOOK_SECONDS = 0.25
"""How often a cancellation, which another process may have written down, is looked for."""


class CancelledByPersonError(Exception):
    """A person cancelled while the operation waited for something."""


class Watch:
    """The lease of an operation with its heartbeat, and the reasons to start nothing more. Entered on the event loop.

    `under` is the operation that the lease is taken for (a rollback goes on under that of what it undoes).
    """

    def __init__(self, store: StateStore, operation: str, *, under: str, seconds: float, is_stopping: Callable[[], bool]) -> None:
        self._store = store
        self._operation = operation
        self._under = under
        self._seconds = seconds
        self._is_stopping = is_stopping
        self._lease: Lease | None = None
        self._renewed = 0.0
        self._task: asyncio.Task[None] | None = None
        self.is_lost = False
        self.is_cancelled = False
        self.wake = asyncio.Event()

    async def __aenter__(self) -> Self:
        self.is_cancelled = (await asyncio.to_thread(self._store.operation, self._operation)).wants_cancel
        self._task = asyncio.create_task(self._look(), name=f"watch {self._operation}")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def lease(self) -> Lease:
        """The lease under which everything is written. Raises LeaseLostError."""
        if self._lease is None or self.is_lost:
            raise LeaseLostError(
                f"{self._operation} lost its lease of the state", hint="another process goes on with it: look at its status"
            )
        return self._lease

    @property
    def is_interrupted(self) -> bool:
        """Whether this process must leave the operation to another one (or to itself, later)."""
        return self.is_lost or self._is_stopping()

    def must_stop(self) -> bool:
        """Whether nothing new may start."""
        return self.is_cancelled or self.is_interrupted

    async def take(self, wait_seconds: float | None) -> None:
        """Take the lease, waiting for it that long (None is for as long as it takes). Raises StateLockedError."""
        deadline = None if wait_seconds is None else time.monotonic() + wait_seconds
        while True:
            try:
                self._lease = await asyncio.to_thread(self._store.acquire, this_process(), self._under, self._seconds)
            except StateLockedError:
                if deadline is not None and time.monotonic() >= deadline:
                    raise
            else:
                self._renewed = time.monotonic()
                return
            await self.pause(LOOK_SECONDS)
            self._raise_when_ended()

    async def release(self) -> None:
        """Give the lease back."""
        if self._lease is not None and not self.is_lost:
            lease, self._lease = self._lease, None
            await asyncio.to_thread(self._store.release, lease)

    async def unless_cancelled(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for what may take days. Raises CancelledByPersonError, asyncio.CancelledError when this process stops."""
        task = asyncio.ensure_future(waiting)
        try:
            while not task.done():
                await asyncio.wait({task}, timeout=LOOK_SECONDS)
                if not task.done():
                    self._raise_when_ended()
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        return task.result()

    async def pause(self, seconds: float) -> None:
        """Wait, but not when nothing new may start."""
        if not self.must_stop():
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), seconds)

    def _raise_when_ended(self) -> None:
        if self.is_interrupted:
            raise asyncio.CancelledError
        if self.is_cancelled:
            raise CancelledByPersonError

    async def _look(self) -> None:
        while not self.must_stop() or self._lease is not None:
            await asyncio.sleep(LOOK_SECONDS)
            with suppress(UnavailableError):  # a busy database is asked again at the next look
                await self._look_once()
            if self.must_stop():
                self.wake.set()

    async def _look_once(self) -> None:
        if not self.is_cancelled:
            self.is_cancelled = (await asyncio.to_thread(self._store.operation, self._operation)).wants_cancel
        lease = self._lease
        if lease is not None and time.monotonic() - self._renewed > self._seconds / 3:
            try:
                renewed = await asyncio.to_thread(self._store.renew, lease, self._seconds)
            except LeaseLostError:
                # Not when it was given back meanwhile, which is no loss.
                self.is_lost = self._lease is lease
                return
            if self._lease is lease:
                self._lease, self._renewed = renewed, time.monotonic()
