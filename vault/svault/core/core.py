"""The vault as one server: sealed, standby or active, and the door through which every call comes."""

import asyncio
import logging
import uuid
from collections.abc import Coroutine
from contextlib import suppress
from time import perf_counter
from typing import Protocol, TypeGuard

from svault.auth.token.entry import ROOT, Token
from svault.auth.token.store import new_accessor
from svault.barrier.barrier import Barrier
from svault.barrier.view import View
from svault.core.active import Active
from svault.core.call import Answer, Call
from svault.core.configured_audit import apply_audit_devices
from svault.core.leadership import Leadership
from svault.core.mount_entry import MountEntry
from svault.core.pipeline import Pipeline
from svault.core.settings import CoreSettings
from svault.crypto.base import CryptoBackend
from svault.errors import BadRequestError, SealedError, StandbyError, VaultError
from svault.logical.clock import Clock, SystemClock
from svault.metrics import Metrics
from svault.seal.attempt import ShareAttempt
from svault.seal.seal import Seal
from svault.seal.shamir import combine
from svault.storage.base import SharedStorage, Storage
from svault.sys.open_paths import OpenPaths

_log = logging.getLogger(__name__)
_CLUSTER = "core/cluster"
WAIT_SECONDS = 2.0
STOP_SECONDS = 15.0
"""Longest that sealing waits for what is under way."""


class Replicas(Protocol):
    """What the core needs of the processes that hold copies."""

    def wake(self) -> None:
        """The vault is active: there is something to answer."""
        ...

    def forget(self) -> None:
        """From now on they answer nothing by themselves."""
        ...

    async def forgotten(self) -> None:
        """Wait until they hold no key any more."""
        ...


class Core:
    """One vault server. `open` it, then `handle` calls; unseal, init and the like are calls too.

    With a storage that several servers share, and an address to advertise, the servers elect the active one; the others stand by.
    """

    def __init__(
        self,
        storage: Storage,
        *,
        crypto: CryptoBackend,
        settings: CoreSettings | None = None,
        clock: Clock | None = None,
        static_key: bytes | None = None,
    ) -> None:
        self.storage = storage
        self.crypto = crypto
        self.settings = settings or CoreSettings()
        self.clock: Clock = clock or SystemClock()
        self.barrier = Barrier(storage, self.clock)
        self.seal = Seal(storage, self.barrier, static_key)
        self.metrics = Metrics(self)
        self.attempt: ShareAttempt | None = None
        self.active: Active | None = None
        self.active_since = 0.0
        self.replicas: Replicas | None = None
        """The further processes that answer for this vault, when there are some."""
        self.cluster_id = ""
        self._changing = asyncio.Lock()
        self._later: set[asyncio.Task[None]] = set()
        self._sealing: asyncio.Task[None] | None = None
        self._pipeline = Pipeline(self)
        self._open_paths = OpenPaths(self)
        self._leadership = Leadership(self, storage.election()) if self.settings.advertise and is_shared(storage) else None

    async def open(self) -> None:
        """Open the storage and, with a static seal, unseal. Raises StorageError, DamagedStorageError."""
        await self.storage.open()
        if self.seal.is_static and await self.is_initialized():
            await self.unseal(None)
        elif self.seal.is_static and is_shared(self.storage):
            self._in_background(self._await_initialization(), "static seal")

    async def aclose(self) -> None:
        """Seal and let the storage go."""
        await self.seal_now()
        for task in self._later:
            if task.get_name() == "static seal":
                task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        await self.storage.aclose()

    @property
    def is_sealed(self) -> bool:
        """Whether the root key is not at hand, or this server, which stands by for no other, does not answer yet or any more."""
        return self.barrier.is_sealed or (self._leadership is None and self.active is None)

    @property
    def is_shared(self) -> bool:
        """Whether servers elect the active one."""
        return self._leadership is not None

    @property
    def is_standby(self) -> bool:
        """Whether another server is the active one."""
        return self.is_shared and not self.is_sealed and self.active is None

    async def leader_address(self) -> str:
        """The address that the active server advertises, or nothing."""
        if self._leadership is None:
            return ""
        return await self._leadership.election.leader() or ""

    def running(self) -> Active:
        """The active parts. Raises SealedError, StandbyError."""
        if self.active is None:
            raise StandbyError("Vault is in standby mode") if self.is_standby else SealedError
        return self.active

    async def is_initialized(self) -> bool:
        """Whether this vault has keys."""
        return await self.barrier.is_initialized()

    async def initialize(self, shares: int, threshold: int) -> tuple[list[bytes], str]:
        """Make the keys, the default mounts and a root token; returns the shares and the root token.

        Without numbers, those of the settings. The vault is sealed afterwards, unless its seal is static. Raises BadRequestError.
        """
        async with self._changing:
            if await self.is_initialized():
                raise BadRequestError("Vault is already initialized")
            if not shares and not threshold:
                shares, threshold = self.settings.shares, self.settings.threshold
            keys = await self.seal.initialize(shares, threshold)
            secret = None if self.seal.is_static else combine(keys[:threshold])
            try:
                await self.barrier.unseal(await self.seal.open(secret))
                self.active = await self._started()
                for entry in self.settings.mounts:
                    await self.active.mounts.add(MountEntry.of(entry.stored()))
                token = await self.new_root_token()
            finally:
                await self._deactivate()
        if self.seal.is_static:
            await self.unseal(None)
        return keys, token

    async def new_root_token(self) -> str:
        """A token that may do everything and never ends."""
        token = Token("", new_accessor(), [ROOT], "auth/token/root", self.clock.time(), display_name="root", is_orphan=True)
        token.is_renewable = False
        return await self.running().tokens.create(token, 0)

    async def unseal(self, secret: bytes | None) -> None:
        """Open the vault with the combined shares (None with a static seal). Raises WrongKeyError."""
        async with self._changing:
            if not self.barrier.is_sealed:
                return
            await self.barrier.unseal(await self.seal.open(secret))
            if self._leadership is not None:
                self._leadership.begin()
            else:
                await self._activate()
            self.metrics.unsealed.set(1)

    async def become_active(self) -> None:
        """This server was elected: read what the former one left, and begin. Raises VaultErrors."""
        async with self._changing:
            self.barrier.forget()
            await self.barrier.reload()
            await self._activate()

    async def become_standby(self) -> None:
        """This server is no longer the active one: stop, but stay unsealed."""
        async with self._changing:
            await self._stop_active()
            self.barrier.forget()

    async def _activate(self) -> None:
        active: Active | None = None
        try:
            active = await self._started()
            await apply_audit_devices(active.audit, self.settings.audit_devices)
        except BaseException:
            if active is not None:
                await active.stop()
            if self._leadership is None:
                self.barrier.seal()
            raise
        self.active = active
        self.active_since = self.clock.time()
        self.metrics.is_active.set(1)
        if self.replicas is not None:
            self.replicas.wake()

    async def _started(self) -> Active:
        active = Active(self)
        try:
            await active.start()
            self.cluster_id = await self._cluster_id(active.root)
        except BaseException:
            await active.stop()
            raise
        return active

    @staticmethod
    async def _cluster_id(root: View) -> str:
        stored = await root.get(_CLUSTER)
        if stored is None:
            stored = str(uuid.uuid4()).encode()
            await root.put(_CLUSTER, stored)
        return stored.decode()

    async def seal_now(self) -> None:
        """Forget the keys. What is in flight fails or finishes; nothing acknowledged is lost."""
        if self._leadership is not None:
            await self._leadership.end()
        async with self._changing:
            await self._deactivate()

    def seal_soon(self) -> None:
        """Seal once the answer that is being made is on its way."""
        if self.replicas is not None:
            self.replicas.forget()
        self._sealing = self._in_background(self.seal_now(), "seal")

    async def settled(self) -> None:
        """Wait for the end of a change that has begun (sealing, making keys): a share that came meanwhile would be lost."""
        if self._sealing is not None:
            await asyncio.wait([self._sealing])
        async with self._changing:
            return

    def _in_background(self, work: Coroutine[None, None, None], name: str) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return task

    async def _await_initialization(self) -> None:
        """Another server may make this vault later; with a static seal this one opens it by itself."""
        while not await self.is_initialized():  # noqa: ASYNC110 - another server makes it
            await asyncio.sleep(WAIT_SECONDS)
        await self.unseal(None)

    def step_down(self) -> None:
        """Let another server become the active one. Raises BadRequestError when there is no other."""
        if self._leadership is None:
            raise BadRequestError("this server shares its storage with no other")
        if self.replicas is not None:
            self.replicas.forget()
        self._leadership.step_down()

    async def _stop_active(self) -> None:
        active, self.active = self.active, None
        self.metrics.is_active.set(0)
        self._open_paths.forget()
        if self.replicas is not None:
            self.replicas.forget()
            await self.replicas.forgotten()
        if active is None:
            return
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await active.stop()
        except Exception:  # noqa: BLE001 - an engine that does not stop must not keep the vault open
            _log.exception("a part of the vault did not stop")

    async def _deactivate(self) -> None:
        was_active = self.active is not None
        try:
            await self._stop_active()
            if was_active:
                with suppress(VaultError, TimeoutError):  # a count that is lost is only a little too low
                    async with asyncio.timeout(STOP_SECONDS):
                        await self.barrier.save_count()
        finally:
            self.barrier.seal()
            self.attempt = None
            self.metrics.unsealed.set(0)

    async def handle(self, call: Call) -> Answer:
        """Answer one call; never raises."""
        started = perf_counter()
        try:
            answer = await self._open_paths.handle(call) or await self._pipeline.handle(call)
        except VaultError as error:
            answer = Answer.of(error)
        except Exception:  # noqa: BLE001 - whatever failed, the caller gets an answer and the log the traceback
            _log.exception("a request failed", extra={"path": call.path.partition("/")[0]})
            answer = Answer(500, {"errors": ["internal error"]})
        mounted = self.active.mounts.find(call.path) if self.active is not None else None
        kind = mounted.entry.kind if mounted is not None else "none"
        self.metrics.observe(call.operation or "unknown", kind, answer.status, perf_counter() - started)
        if call.path == "sys/seal" and self._sealing is not None:
            # Whoever is told that the vault is sealed finds it so. Within the pipeline this would wait for itself.
            await asyncio.wait([self._sealing])
        return answer


def is_shared(storage: Storage) -> TypeGuard[SharedStorage]:
    """Whether several servers may use this storage at the same time."""
    return hasattr(storage, "election")
