"""What one mounted engine may ask of the core."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.leases.lease import StoredLease
from svault.leases.registry import LeaseRegistry, new_id
from svault.logical.request import Identity, Lease, Request

_log = logging.getLogger(__name__)


class MountSystem:
    """The `System` of one mount. `intended` collects, by request id, leases that no answer has activated yet."""

    def __init__(
        self,
        entry: MountEntry,
        settings: CoreSettings,
        leases: LeaseRegistry,
        intended: dict[str, list[StoredLease]],
        find_identity: Callable[[str], Awaitable[Identity | None]],
    ) -> None:
        self._entry = entry
        self._settings = settings
        self._leases = leases
        self._intended = intended
        self._find_identity = find_identity
        self._tasks: set[asyncio.Future[None]] = set()

    async def intend_lease(self, request: Request, lease: Lease) -> Lease:
        """Write down that something is about to be created outside the vault."""
        lease.id = new_id(request.mount_path + request.path)
        stored = StoredLease(lease.id, lease.kind, self._entry.uuid, request.identity.token_hash, dict(lease.internal))
        self._intended.setdefault(request.id, []).append(stored)
        await self._leases.intend(stored)
        return lease

    def default_lease_ttl(self) -> int:
        """Seconds, the mount's or the system's."""
        return self._entry.default_lease_ttl or self._settings.default_lease_ttl

    def max_lease_ttl(self) -> int:
        """Seconds, the mount's or the system's."""
        return self._entry.max_lease_ttl or self._settings.max_lease_ttl

    async def identity_of(self, entity_id: str) -> Identity | None:
        """An entity, or None."""
        return await self._find_identity(entity_id)

    def spawn(self, work: Awaitable[None], name: str) -> None:
        """Do something in the background."""
        task = asyncio.ensure_future(_logged(work, name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Cancel what runs in the background."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _logged(work: Awaitable[None], name: str) -> None:
    try:
        await work
    except Exception:  # noqa: BLE001 - nobody awaits it: the log is where its failure is seen
        _log.exception("background work failed", extra={"work": name})
