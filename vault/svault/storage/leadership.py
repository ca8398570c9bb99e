"""Leader election over one lock with a lease: the same rules for every storage that has such a lock.

The lock lives in the storage and runs out by the storage's own clock. This side only judges how long it may still believe that
the lock is its own, and it judges carefully: from the moment before the last renewal was sent. Safety does not rest on that
judgement: every commit carries the lock's fencing token (see `base.Election`).
"""

import asyncio
import contextlib
from abc import abstractmethod
from typing import Protocol

import structlog

from svault.errors import StorageError

LEASE = 10.0
"""Seconds after which the lock of a server that died is free, unless an option says otherwise."""

RENEWALS = 3
"""How often a lease is renewed while it lasts."""

RETRIES = 20
"""Into how many pauses a lease is divided while the storage does not answer."""

log = structlog.get_logger(__name__)


class LeaderLock(Protocol):
    """A storage's lock. All methods raise StorageError when the storage does not answer."""

    @abstractmethod
    async def acquire(self, advertise: str) -> bool:
        """Take the lock when it is free or has run out, and fence all commits of this storage with it."""

    @abstractmethod
    async def renew(self) -> bool:
        """Start the lease anew; False when the lock is not ours any more."""

    @abstractmethod
    async def release(self) -> None:
        """Give the lock back when it is ours. Commits stay fenced with it, so they fail."""

    @abstractmethod
    async def holder(self) -> str | None:
        """The address that the holder advertised, or None when the lock is free or has run out."""

    @abstractmethod
    async def changed(self, limit: float) -> None:
        """Wait until the lock may have become free, at most `limit` seconds."""


class LeasedElection:
    """`base.Election` over a LeaderLock; `lease` is in seconds. Belongs to one event loop."""

    def __init__(self, lock: LeaderLock, *, lease: float = LEASE) -> None:
        self._lock = lock
        self._lease = lease
        self._lost = asyncio.Event()
        self._lost.set()
        self._renewing: asyncio.Task[None] | None = None

    async def campaign(self, advertise: str) -> None:
        """Wait until this server is the leader. A storage that does not answer meanwhile is asked again."""
        await self._stop_renewing()
        while True:
            asked_at = asyncio.get_running_loop().time()
            try:
                if await self._lock.acquire(advertise):
                    break
                await self._lock.changed(self._lease)
            except StorageError as error:
                log.warning("the storage does not answer while waiting for the leadership", error=str(error))
                await asyncio.sleep(self._lease / RETRIES)
        self._lost.clear()
        self._renewing = asyncio.create_task(self._renew(asked_at + self._lease))

    async def lost(self) -> None:
        """Wait until the leadership is lost; returns at once when there was none."""
        await self._lost.wait()

    async def leader(self) -> str | None:
        """The address that the present leader advertised, or None. Raises StorageError."""
        return await self._lock.holder()

    async def resign(self) -> None:
        """Give the leadership back at once. When the storage does not answer, the lease runs out instead."""
        if self._renewing is None:
            return
        await self._stop_renewing()
        with contextlib.suppress(StorageError):
            await self._lock.release()

    async def _stop_renewing(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.wait([self._renewing])
            self._renewing = None
        self._lost.set()

    async def _renew(self, valid_until: float) -> None:
        """Renew until the lock is lost; `valid_until` is a time of the event loop's clock."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(valid_until) as limit:
                pause = self._lease / RENEWALS
                while True:
                    await asyncio.sleep(pause)
                    asked_at = loop.time()
                    try:
                        if not await self._lock.renew():
                            return
                    except StorageError as error:
                        log.warning("the leader's lease could not be renewed", error=str(error))
                        pause = self._lease / RETRIES
                        continue
                    pause = self._lease / RENEWALS
                    limit.reschedule(asked_at + self._lease)
        except TimeoutError:
            log.warning("the leader's lease has run out: the storage did not answer in time")
        finally:
            self._lost.set()
