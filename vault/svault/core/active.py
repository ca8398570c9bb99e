"""What a vault is made of while it is unsealed and this server is the active one."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from svault.audit.broker import AuditBroker
from svault.auth.token.engine import TokenEngine
from svault.auth.token.entry import Token
from svault.auth.token.store import TokenStore
from svault.barrier.barrier import Barrier
from svault.barrier.view import KeyLocks, View
from svault.core import kinds
from svault.core.authorize import Authorizer
from svault.core.mount_entry import MountEntry
from svault.core.mount_system import MountSystem
from svault.core.mounts import Mounted, MountTable
from svault.core.wrapping import Wrapping
from svault.crypto.base import DSA_SEED
from svault.errors import SealedError, StandbyError, VaultError
from svault.identity import IdentityEngine
from svault.identity.base import MountInfo
from svault.leases.lease import TOKEN, StoredLease
from svault.leases.registry import LeaseRegistry
from svault.logical.engine import Engine, Mount
from svault.logical.request import Identity
from svault.policy.cedar import CedarPolicies
from svault.policy.store import PolicyStore
from svault.sys import SystemEngine

if TYPE_CHECKING:
    from svault.core.core import Core

_log = logging.getLogger(__name__)
_CHAIN = "core/audit-chain"
_TICK_SECONDS = 1.0
DRAIN_SECONDS = 5.0
_COUNT_EVERY = 3600.0
BUILT_IN = (
    ("sys/", "system", "system endpoints used for control, policy and debugging"),
    ("identity/", "identity", "identity store"),
    ("cubbyhole/", "cubbyhole", "per-token private secret storage"),
    ("auth/token/", "token", "token based credentials"),
)


class _Gate:
    """The barrier as long as this server is the active one: what is still under way afterwards can neither read nor write."""

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self.is_open = True

    def _opened(self) -> Barrier:
        if not self.is_open:
            raise SealedError if self._barrier.is_sealed else StandbyError("Vault is in standby mode")
        return self._barrier

    def get(self, key: str) -> Awaitable[bytes | None]:
        """See Barrier."""
        return self._opened().get(key)

    def list(self, prefix: str) -> Awaitable[list[str]]:
        """See Barrier."""
        return self._opened().list(prefix)

    def commit(self, changes: Mapping[str, bytes | None]) -> Awaitable[None]:
        """See Barrier."""
        return self._opened().commit(changes)


class Active:
    """The parts that exist while the vault is unsealed and this server is the active one."""

    def __init__(self, core: "Core") -> None:
        self._gate = _Gate(core.barrier)
        root = View(self._gate, "", KeyLocks())
        system = root.within("sys/")
        self.core = core
        self.root = root
        self.intended: dict[str, list[StoredLease]] = {}
        self.leases = LeaseRegistry(system, core.clock, self._revoke)
        self.tokens = TokenStore(system, core.clock, self.leases, self._dropped)
        self.wrapping = Wrapping(system, core.clock, self.tokens)
        self.policies = PolicyStore(root.within("sys/policy/"), core.clock)
        self.cedar = CedarPolicies(root.within("sys/cedar/"))
        self.authorizer = Authorizer(self)
        self.audit = AuditBroker(root.within("core/audit/"), core.clock, core.crypto)
        self.mounts = MountTable(root, self._make)
        self._ticker: asyncio.Task[None] | None = None
        self._requests = 0
        self._idle = asyncio.Event()

    def begin(self) -> None:
        """A request begins: what it needs is not stopped before its `end`."""
        self._requests += 1

    def end(self) -> None:
        """A request has ended."""
        self._requests -= 1
        if not self._requests:
            self._idle.set()

    @property
    def identity(self) -> IdentityEngine:
        """The identity engine, which every vault has."""
        mounted = self.mounts.at("identity/")
        assert mounted is not None
        assert isinstance(mounted.engine, IdentityEngine)
        return mounted.engine

    async def start(self) -> None:
        """Load everything. A failure leaves the vault sealed."""
        seed = await self.root.get(_CHAIN)
        if seed is None:
            seed = os.urandom(DSA_SEED)
            await self.root.put(_CHAIN, seed)
        await self.policies.start()
        await self.cedar.start()
        await self.tokens.start()
        built_in = [MountEntry(path, kind, description=text, is_local=path == "cubbyhole/") for path, kind, text in BUILT_IN]
        await self.mounts.start(built_in)
        self.identity.mount_of = self._auth_mount
        await self.audit.start(seed)
        await self.leases.start()
        await self._drop_forgotten()
        self._ticker = asyncio.create_task(self._tick(), name="vault tick")

    async def stop(self) -> None:
        """Stop everything; what was acknowledged is stored."""
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        # New requests are refused already; those under way end with their audit.
        self._idle.clear()
        if self._requests:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._idle.wait()
        await self.leases.stop()
        for mounted in self.mounts:
            system = mounted.mount.system
            assert isinstance(system, MountSystem)
            await system.stop()
        await self.mounts.stop()
        await self.audit.stop()
        self._gate.is_open = False

    async def _tick(self) -> None:
        counted = self.core.clock.monotonic()
        while True:
            await asyncio.sleep(_TICK_SECONDS)
            for mounted in self.mounts:
                try:
                    await mounted.engine.tick()
                except Exception:  # noqa: BLE001 - one engine's failure must not stop the others
                    _log.exception("periodic work of an engine failed", extra={"mount": mounted.entry.path})
            if self.core.clock.monotonic() - counted > _COUNT_EVERY:
                counted = self.core.clock.monotonic()
                try:
                    await self.core.barrier.save_count()
                except VaultError:
                    _log.warning("the keyring could not be written")

    def _make(self, entry: MountEntry) -> Mounted:
        system = MountSystem(entry, self.core.settings, self.leases, self.intended, self._identity)
        mount = Mount(
            path=entry.path,
            uuid=entry.uuid,
            accessor=entry.accessor,
            view=self.root.within(entry.prefix),
            clock=self.core.clock,
            crypto=self.core.crypto,
            system=system,
            tuned=entry.tuned(),
        )
        return Mounted(entry, mount, self._engine(entry, mount))

    def _engine(self, entry: MountEntry, mount: Mount) -> Engine:
        own: Callable[[Mount, Active], Engine] | None = {"system": SystemEngine, "token": TokenEngine}.get(entry.kind)
        return own(mount, self) if own else kinds.make(entry.kind, mount, is_auth=entry.is_auth)

    def _auth_mount(self, accessor: str) -> MountInfo | None:
        found = next((mounted.entry for mounted in self.mounts if mounted.entry.accessor == accessor), None)
        return MountInfo(found.path, found.kind, found.is_local) if found is not None and found.is_auth else None

    async def _identity(self, entity_id: str) -> Identity | None:
        entity = self.identity.entity(entity_id)
        return None if entity is None else Identity(entity.id, entity.name, metadata=entity.metadata or {})

    async def _revoke(self, lease: StoredLease) -> None:
        """Undo what a lease stands for."""
        if lease.kind == TOKEN:
            await self.tokens.revoke_tree(lease.token)
            return
        mounted = self.mounts.by_uuid(lease.mount)
        if mounted is None:
            _log.warning("the engine of a lease is gone", extra={"lease_id": lease.id})
            return
        await mounted.engine.revoke(lease.record())

    async def _drop_forgotten(self) -> None:
        """Remove the cubbyholes of tokens that ended right before a crash."""
        cubbyhole = self.mounts.at("cubbyhole/")
        for name in await cubbyhole.mount.view.list() if cubbyhole is not None else ():
            accessor = name.removesuffix("/")
            if cubbyhole is not None and not await self.tokens.is_known(accessor):
                await cubbyhole.engine.drop(accessor)  # type: ignore[attr-defined] # the one engine that keeps things by token

    async def _dropped(self, token: Token) -> None:
        cubbyhole = self.mounts.at("cubbyhole/")
        if cubbyhole is not None:
            await cubbyhole.engine.drop(token.cubbyhole)  # type: ignore[attr-defined] # the one engine that keeps things by token
