"""All leases of the vault: what they stand for, when they end, and who ends them."""

import asyncio
import heapq
import json
import logging
import secrets
import string
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from svault.barrier.view import View
from svault.errors import BadRequestError, VaultError
from svault.leases.lease import ACTIVE, INTENT, IRREVOCABLE, TOKEN, StoredLease
from svault.logical.clock import Clock

_log = logging.getLogger(__name__)
MAX_ATTEMPTS = 6
FIRST_RETRY_SECONDS = 10.0
_CONCURRENT = 16
_LETTERS = string.ascii_letters + string.digits
Revoke = Callable[[StoredLease], Awaitable[None]]


def new_id(path: str) -> str:
    """A fresh lease id under a request's path."""
    return f"{path.rstrip('/')}/{''.join(secrets.choice(_LETTERS) for _ in range(24))}"


class LeaseRegistry:
    """Belongs to an unsealed vault. `revoke` undoes what a lease stands for and raises when that must be tried again."""

    def __init__(self, view: View, clock: Clock, revoke: Revoke) -> None:
        self._view = view
        self._clock = clock
        self._revoke = revoke
        self._leases: dict[str, StoredLease] = {}
        self._of_token: defaultdict[str, set[str]] = defaultdict(set)
        self._own: dict[str, StoredLease] = {}
        self._due: list[tuple[float, str]] = []
        self._changed = asyncio.Event()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._worker: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load every lease; what ended or was never activated while the server was away is revoked at once."""
        async for key in self._view.walk("expire/"):
            stored = await self._view.get(key)
            if stored is not None:
                self._hold(StoredLease(**json.loads(stored)))
        self._worker = asyncio.create_task(self._work(), name="leases")

    async def stop(self) -> None:
        """Stop revoking; nothing is lost, the next start goes on."""
        tasks = [task for task in (self._worker, *self._running.values()) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._leases.clear()
        self._of_token.clear()
        self._own.clear()
        self._due.clear()

    def __len__(self) -> int:
        return len(self._leases)

    def __iter__(self) -> Iterator[StoredLease]:
        return iter(list(self._leases.values()))

    def get(self, lease_id: str) -> StoredLease | None:
        """A lease that has not ended, or None."""
        lease = self._leases.get(lease_id)
        return None if lease is None or lease.state == INTENT or self.has_ended(lease) else lease

    def kept(self, lease_id: str) -> StoredLease | None:
        """A lease that stands for something, also one that has ended and could not be revoked yet, or None."""
        lease = self._leases.get(lease_id)
        return None if lease is None or lease.state == INTENT else lease

    def has_ended(self, lease: StoredLease) -> bool:
        """Whether its time is over, whatever the machine's clock was set to meanwhile."""
        return bool(lease.expires) and self._clock.monotonic() >= lease.deadline

    def remaining(self, lease: StoredLease) -> int:
        """Seconds left; 0 for one that never ends."""
        return max(0, round(lease.deadline - self._clock.monotonic())) if lease.expires else 0

    def names(self, prefix: str) -> list[str]:
        """The names directly under a prefix, folders with `/`."""
        rests = (lease_id.removeprefix(prefix) for lease_id in self._leases if lease_id.startswith(prefix))
        return sorted({head + slash for head, slash, _ in (rest.partition("/") for rest in rests)})

    async def intend(self, lease: StoredLease) -> None:
        """Write down that something is about to be created."""
        lease.state, lease.issued = INTENT, self._clock.time()
        await self._view.put(lease.key, lease.encoded())
        self._leases[lease.id] = lease
        self._of_token[lease.token].add(lease.id)

    async def activate(self, lease: StoredLease, ttl: int, also: Mapping[str, bytes | None] | None = None) -> None:
        """Let a lease begin: it ends after `ttl` seconds (0: never). `also` is stored in the same commit."""
        lease.state, lease.issued = ACTIVE, self._clock.time()
        lease.expires = lease.issued + ttl if ttl else 0.0
        await self._view.commit({lease.key: lease.encoded(), **(also or {})})
        self._hold(lease)

    async def extend(self, lease: StoredLease, ttl: int, also: Mapping[str, bytes | None] | None = None) -> None:
        """Let a lease end `ttl` seconds from now."""
        now = self._clock.time()
        before = lease.expires, lease.last_renewal
        lease.expires, lease.last_renewal = (now + ttl if ttl else 0.0), now
        try:
            await self._view.commit({lease.key: lease.encoded(), **(also or {})})
        except VaultError:
            lease.expires, lease.last_renewal = before
            raise
        self._hold(lease)

    def _hold(self, lease: StoredLease) -> None:
        now = self._clock.monotonic()
        # Never longer than what was granted, should the machine's clock have been set back meanwhile.
        granted = lease.expires - (lease.last_renewal or lease.issued)
        lease.deadline = now + min(lease.expires - self._clock.time(), granted)
        self._leases[lease.id] = lease
        if lease.kind == TOKEN:
            self._own[lease.token] = lease
        self._of_token[lease.token].add(lease.id)
        if lease.state == INTENT:
            self._schedule(lease, now)
        elif lease.state == ACTIVE and lease.expires:
            self._schedule(lease, lease.deadline)

    def _schedule(self, lease: StoredLease, when: float) -> None:
        if len(self._due) > 4 * len(self._leases) + 1000:  # renewals leave their old times behind
            # What has been tried comes again at a time of its own, which stands here alone.
            tried = {held.id for held in self if held.attempts and held.state != IRREVOCABLE}
            self._due = [one for one in self._due if one[1] in tried]
            ends = (held for held in self if held.state == ACTIVE and held.expires and not held.attempts)
            self._due += [(held.deadline, held.id) for held in ends]
            heapq.heapify(self._due)
        heapq.heappush(self._due, (when, lease.id))
        if self._due[0][1] == lease.id:
            self._changed.set()

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            while self._due and self._due[0][0] <= self._clock.monotonic() and len(self._running) < _CONCURRENT:
                _, lease_id = heapq.heappop(self._due)
                lease = self._leases.get(lease_id)
                if lease and lease_id not in self._running and self._is_due(lease):
                    self._begin(lease)
            wait = min(max(self._due[0][0] - self._clock.monotonic(), 0.01), 1.0) if self._due else None
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    def _is_due(self, lease: StoredLease) -> bool:
        return lease.state == INTENT or (lease.state == ACTIVE and (self.has_ended(lease) or lease.attempts > 0))

    def _begin(self, lease: StoredLease) -> None:
        task = asyncio.create_task(self._end(lease), name=f"revoke {lease.kind}")
        self._running[lease.id] = task

        def ended(_: asyncio.Task[None]) -> None:
            self._running.pop(lease.id, None)
            self._changed.set()

        task.add_done_callback(ended)

    async def _end(self, lease: StoredLease) -> None:
        """Revoke once; on failure plan the next attempt."""
        try:
            await self._revoke(lease)
            await self._forget(lease)
        except VaultError as error:
            await self._failed(lease, error.message)
        except Exception as error:  # noqa: BLE001 - whatever an engine raises, the lease stays and is tried again
            _log.exception("a lease could not be revoked")
            await self._failed(lease, type(error).__name__)

    async def _failed(self, lease: StoredLease, why: str) -> None:
        lease.attempts += 1
        lease.error = why
        if lease.attempts >= MAX_ATTEMPTS:
            lease.state = IRREVOCABLE
            _log.error("a lease is irrevocable now", extra={"lease_id": lease.id, "error": why})
        else:
            self._schedule(lease, self._clock.monotonic() + FIRST_RETRY_SECONDS * 2 ** (lease.attempts - 1))
        try:
            await self._view.put(lease.key, lease.encoded())
        except VaultError:
            _log.warning("an attempt to revoke a lease could not be written down", extra={"lease_id": lease.id})

    async def _forget(self, lease: StoredLease) -> None:
        await self._view.delete(lease.key)
        self.drop(lease)

    def drop(self, lease: StoredLease) -> None:
        """Forget a lease whose entry has been removed."""
        self._leases.pop(lease.id, None)
        if lease.kind == TOKEN:
            self._own.pop(lease.token, None)
        held = self._of_token.get(lease.token)
        if held is not None:
            held.discard(lease.id)
            if not held:
                del self._of_token[lease.token]

    async def revoke(self, lease: StoredLease, *, force: bool = False) -> None:
        """Revoke now. Raises what the engine raised, and goes on trying; with `force` the lease is forgotten in any case."""
        if lease.id in self._running:
            await asyncio.wait([self._running[lease.id]])
            if lease.id not in self._leases:
                return
        try:
            await self._revoke(lease)
        except Exception as error:
            if not force:
                await self._failed(lease, error.message if isinstance(error, VaultError) else type(error).__name__)
                raise
            _log.warning("a lease was forgotten although it could not be revoked", extra={"lease_id": lease.id})
        await self._forget(lease)

    async def abandon(self, lease: StoredLease) -> None:
        """What was intended did not happen, or only half of it: revoke it, now if that works."""
        await self._end(lease)

    def of_token(self, token: str) -> list[StoredLease]:
        """The leases that end with a token, its own one left out."""
        return [self._leases[lease_id] for lease_id in self._of_token.get(token, ()) if self._leases[lease_id].kind != TOKEN]

    def own_lease(self, token: str) -> StoredLease | None:
        """The lease that ends a token, or None for a root token."""
        return self._own.get(token)

    async def end_now(self, leases: list[StoredLease], also: Mapping[str, bytes | None] | None = None) -> None:
        """Let leases end at this moment, to be revoked in the background. `also` is stored in the same commit."""
        now, before = self._clock.time(), [lease.expires for lease in leases]
        for lease in leases:
            lease.expires = min(lease.expires or now, now)
        try:
            await self._view.commit({lease.key: lease.encoded() for lease in leases} | dict(also or {}))
        except VaultError:
            for lease, expires in zip(leases, before, strict=True):
                lease.expires = expires
            raise
        for lease in leases:
            if lease.id in self._leases:
                self._hold(lease)

    def under(self, prefix: str) -> list[StoredLease]:
        """The leases of a prefix. Raises BadRequestError for the empty one."""
        if not prefix.strip("/"):
            raise BadRequestError("a prefix is needed")
        return [lease for lease in self if lease.id.startswith(prefix)]

    def irrevocable(self) -> list[dict[str, Any]]:
        """The leases that need a person."""
        return [{"lease_id": lease.id, "error": lease.error} for lease in self if lease.state == IRREVOCABLE]
