"""An engine on a mount of its own, over entries in a dict: for tests that need no tokens, policies and HTTP."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from svault.barrier.view import View
from svault.crypto.base import CryptoBackend
from svault.errors import VaultError
from svault.logical import Engine, Identity, Lease, LeaseRecord, Mount, MountOptions, Operation, Request, Response

DAY = 86400
START = 1_800_000_000.0
OPERATIONS = {
    "GET": Operation.READ,
    "LIST": Operation.LIST,
    "POST": Operation.UPDATE,
    "PUT": Operation.UPDATE,
    "PATCH": Operation.PATCH,
    "DELETE": Operation.DELETE,
}


class MovedClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now


class Entries:
    """Decrypted entries in a dict; counts what an engine costs. Each call lets other tasks run, as a real storage does."""

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}
        self.gets = self.commits = 0

    async def get(self, key: str) -> bytes | None:
        self.gets += 1
        await asyncio.sleep(0)
        return self.values.get(key)

    async def list(self, prefix: str) -> list[str]:
        await asyncio.sleep(0)
        behind = [key.removeprefix(prefix) for key in self.values if key.startswith(prefix)]
        return sorted({name[: name.index("/") + 1] if "/" in name else name for name in behind})

    async def commit(self, changes: Mapping[str, bytes | None]) -> None:
        self.commits += 1
        await asyncio.sleep(0)
        for key, value in changes.items():
            assert len(key.encode()) <= 1024
            assert key.isprintable()
            assert {"", ".", ".."}.isdisjoint(key.split("/"))
            if value is None:
                self.values.pop(key, None)
            else:
                assert isinstance(value, bytes)
                self.values[key] = value


@dataclass
class Leases:
    """The core's side of an engine: leases as they were written down, and the mount's times."""

    entries: Entries
    intended: dict[str, Lease] = field(default_factory=dict)
    spawned: list[Awaitable[None]] = field(default_factory=list)

    async def intend_lease(self, request: Request, lease: Lease) -> Lease:
        lease = replace(lease, id=f"{request.mount_path}{request.path}/{len(self.intended)}")
        self.intended[lease.id] = lease
        await self.entries.commit({f"leases/{lease.id}": json.dumps(dict(lease.internal)).encode()})
        return lease

    def default_lease_ttl(self) -> int:
        return 32 * DAY

    def max_lease_ttl(self) -> int:
        return 32 * DAY

    async def identity_of(self, entity_id: str) -> Identity | None:
        return None

    def spawn(self, work: Awaitable[None], name: str) -> None:
        self.spawned.append(work)


@dataclass
class Mounted:
    """An engine that is started, and what stands around it."""

    engine: Engine
    entries: Entries
    clock: MovedClock
    leases: Leases

    async def handle(self, method: str, path: str, body: Mapping[str, Any] | None = None, **request: Any) -> Response:
        """What the engine answers; raises VaultErrors."""
        if method == "PATCH":
            request.setdefault("content_type", "application/merge-patch+json")
        asked = Request(OPERATIONS[method], path, body or {}, mount_path=self.engine.mount.path, **request)
        return await self.engine.handle(asked) or Response(status=204)

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, **request: Any) -> tuple[int, Any]:
        """Status, and the answer's data or the list of errors."""
        try:
            answer = await self.handle(method, path, body, **request)
        except VaultError as error:
            return error.http_status, error.errors
        return answer.status or (200 if answer.data is not None or answer.warnings else 204), answer.data

    def record(self, lease: Lease) -> LeaseRecord:
        """The lease as the core hands it back, from what was written down."""
        internal = json.loads(json.dumps(dict(lease.internal)))
        return LeaseRecord(lease.id, lease.kind, internal, self.clock.now, self.clock.now + lease.ttl)

    async def restarted(self, factory: Callable[[Mount], Engine], options: Mapping[str, str] | None = None) -> "Mounted":
        """The same mount after the server was started again."""
        await self.engine.stop()
        mount = self.engine.mount
        mount.tuned = MountOptions(options=options or mount.tuned.options)
        engine = factory(mount)
        await engine.start()
        return replace(self, engine=engine)


async def mounted(factory: Callable[[Mount], Engine], crypto: CryptoBackend | None = None, **options: str) -> Mounted:
    """Mount an engine at `m/` and start it."""
    entries, clock = Entries(), MovedClock()
    leases = Leases(entries)
    view = View(entries, "logical/0b7d2f6e-5d3c-4d5e-9a52-0c6c9f7b1a11/")
    engine = factory(
        Mount("m/", "0b7d2f6e", "kv_0b7d2f6e", view, clock, crypto, leases, MountOptions(options=options))  # type: ignore[arg-type] # few engines compute
    )
    await engine.start()
    return Mounted(engine, entries, clock, leases)
