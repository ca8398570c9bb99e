"""The mount table: which engine answers which path, stored as one entry and held as running engines."""

import asyncio
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from svault.barrier.view import View
from svault.core.kinds import ONE_EACH
from svault.core.mount_entry import MountEntry
from svault.errors import BadRequestError, VaultError
from svault.logical.engine import Engine, Mount

_log = logging.getLogger(__name__)
_TABLE = "core/mounts"
_RESERVED = ("sys/", "cubbyhole/", "identity/", "auth/token/", "audit/")
_SEGMENT = re.compile(r"[^\s/\x00-\x1f*+{}]+")
MAX_PATH_CHARACTERS = 400
DRAIN_SECONDS = 10.0


@dataclass(slots=True)
class Mounted:
    """A row and its running engine."""

    entry: MountEntry
    mount: Mount
    engine: Engine
    failure: str = ""
    """Why its engine could not be started; the vault works without it."""
    _requests: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Around a request that the engine handles."""
        self._requests += 1
        try:
            yield
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def drained(self) -> None:
        """Wait until no request is handled any more; new ones find the mount tainted."""
        self._idle.clear()
        if self._requests:
            with suppress(TimeoutError):
                async with asyncio.timeout(DRAIN_SECONDS):
                    await self._idle.wait()


class MountTable:
    """Belongs to an unsealed vault. `make` builds the engine of a row."""

    def __init__(self, root: View, make: Callable[[MountEntry], Mounted]) -> None:
        self._root = root
        self._make = make
        self._by_path: dict[str, Mounted] = {}
        self._by_uuid: dict[str, Mounted] = {}
        self._removed: list[MountEntry] = []
        self._lock = asyncio.Lock()

    def __iter__(self) -> Iterator[Mounted]:
        return iter(sorted(self._by_path.values(), key=lambda mounted: mounted.entry.path))

    async def start(self, built_in: list[MountEntry]) -> None:
        """Load the table, add what every vault has, start all engines."""
        stored = [MountEntry.of(row) for row in await self._root.read(_TABLE) or ()]
        rows = [row for row in stored if not row.is_removed]
        self._removed = [row for row in stored if row.is_removed]
        missing = [row for row in built_in if row.path not in {known.path for known in rows}]
        for row in rows + missing:
            self.hold(self._make(row))
        if missing:
            await self._save()
        for row in list(self._removed):
            await self._clear(row)
        await asyncio.gather(*(self._started(mounted) for mounted in self._by_path.values()))

    async def _started(self, mounted: Mounted) -> None:
        try:
            await mounted.engine.start()
        except VaultError as error:
            if mounted.entry.kind in ONE_EACH:
                raise
            mounted.failure = f"the engine at {mounted.entry.path} could not be started: {error.message}"
            _log.error(mounted.failure)

    async def stop(self) -> None:
        """Stop all engines."""
        for mounted in list(self._by_path.values()):
            await self._stopped(mounted)
        self._by_path.clear()
        self._by_uuid.clear()

    async def _stopped(self, mounted: Mounted) -> None:
        try:
            await mounted.engine.stop()
        except Exception:  # noqa: BLE001 - one engine's failure must not stop the others
            _log.exception("an engine did not stop", extra={"mount": mounted.entry.path})

    def hold(self, mounted: Mounted) -> None:
        """Let a row that is stored be found."""
        self._by_path[mounted.entry.path] = mounted
        self._by_uuid[mounted.entry.uuid] = mounted

    async def _save(self) -> None:
        await self._root.write(_TABLE, [entry.stored() for entry in (*(mounted.entry for mounted in self), *self._removed)])

    async def _clear(self, row: MountEntry) -> None:
        """Delete the entries of a removed mount, then its row: a crash in between leaves the rest to the next start."""
        await self._root.within(row.prefix).clear()
        self._removed.remove(row)
        await self._save()

    def find(self, path: str) -> Mounted | None:
        """The engine that answers a path."""
        end = path.find("/")
        while end >= 0:
            mounted = self._by_path.get(path[: end + 1])
            if mounted is not None:
                return mounted
            end = path.find("/", end + 1)
        return self._by_path.get(path + "/")

    def at(self, path: str) -> Mounted | None:
        """The engine mounted at exactly this path."""
        return self._by_path.get(path)

    def by_uuid(self, uuid: str) -> Mounted | None:
        """The engine of a row's uuid, or None when it was removed."""
        return self._by_uuid.get(uuid)

    def of_kind(self, kind: str) -> Mounted | None:
        """The first engine of a kind."""
        return next((mounted for mounted in self if mounted.entry.kind == kind), None)

    def check_free(self, path: str) -> None:
        """Raise BadRequestError when nothing may be mounted at a path (ending in `/`)."""
        segments = path.removesuffix("/").split("/")
        if len(path) > MAX_PATH_CHARACTERS or not all(
            _SEGMENT.fullmatch(segment) and segment not in {".", ".."} for segment in segments
        ):
            raise BadRequestError(f'cannot mount at "{path}": a path is names of printable characters with "/" between them')
        if path.startswith(_RESERVED) or path == "auth/":
            raise BadRequestError(f'cannot mount "{path}"')
        for known in self._by_path:
            if known.startswith(path) or path.startswith(known):
                raise BadRequestError(f"path is already in use at {known.removeprefix('auth/')}")

    async def add(self, entry: MountEntry) -> None:
        """Mount an engine. Raises BadRequestError for a path in use or an unknown kind."""
        if entry.kind in ONE_EACH:
            raise BadRequestError(f'mount type of "{entry.kind}" is not mountable')
        async with self._lock:
            self.check_free(entry.path)
            mounted = self._make(entry)
            await mounted.engine.start()
            self.hold(mounted)
            try:
                await self._save()
            except BaseException:
                self._drop(mounted)
                await self._stopped(mounted)
                raise

    def _drop(self, mounted: Mounted) -> None:
        self._by_path.pop(mounted.entry.path, None)
        self._by_uuid.pop(mounted.entry.uuid, None)

    async def remove(self, mounted: Mounted) -> None:
        """Unmount an engine whose leases have been revoked, and delete its entries."""
        entry = mounted.entry
        async with self._lock:
            if self._by_path.get(entry.path) is not mounted:
                return
            del self._by_path[entry.path]
            entry.is_removed = True
            self._removed.append(entry)
            try:
                await self._save()
            except BaseException:
                self._by_path[entry.path] = mounted
                entry.is_removed = False
                self._removed.remove(entry)
                raise
            await self._stopped(mounted)
            self._by_uuid.pop(entry.uuid, None)
            await self._clear(entry)

    async def move(self, mounted: Mounted, path: str) -> None:
        """Mount an engine with its entries elsewhere. Raises BadRequestError."""
        async with self._lock:
            before = mounted.entry.path
            if self._by_path.get(before) is not mounted:
                raise BadRequestError(f'no matching mount at "{before}"')
            self.check_free(path)
            self._place(mounted, path)
            try:
                await self._save()
            except BaseException:
                self._place(mounted, before)
                raise

    def _place(self, mounted: Mounted, path: str) -> None:
        del self._by_path[mounted.entry.path]
        mounted.entry.path = mounted.mount.path = path
        self._by_path[path] = mounted

    async def remake(self, mounted: Mounted) -> None:
        """Make an engine anew whose options changed what it is; its entries stay. Raises what its start raises."""
        async with self._lock:
            fresh = self._make(mounted.entry)
            await fresh.engine.start()
            self.hold(fresh)
            await self._stopped(mounted)

    async def save_tuned(self, mounted: Mounted) -> None:
        """Store what was changed about a mount and let its engine read it."""
        async with self._lock:
            await self._save()
            mounted.mount.tuned = mounted.entry.tuned()
