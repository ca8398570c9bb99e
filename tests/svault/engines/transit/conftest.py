"""Transit mounts: in a real vault, in a real OpenBao, and alone over a dictionary whose reads are counted."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from svault.barrier.view import View
from svault.core import call as core
from svault.crypto.choice import backend
from svault.engines.transit import TransitEngine
from svault.errors import DamagedStorageError, StorageError, VaultError
from svault.logical import Identity, Lease, Mount, Operation, Request
from vaults import BaoServer, TestVault

START = 1_800_000_000.0
OPERATIONS = {
    "GET": Operation.READ,
    "LIST": Operation.LIST,
    "POST": Operation.UPDATE,
    "DELETE": Operation.DELETE,
}


@dataclass
class Answer:
    """What a client sees: the status, and either `data` and `warnings` or `errors`."""

    status: int
    data: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


Call = Callable[..., Awaitable[Answer]]


class Entries:
    """An unencrypted barrier in memory that can be full or damaged; `reads` counts what was asked of it."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.reads = 0
        self.is_full = False
        self.damaged = ""

    async def get(self, key: str) -> bytes | None:
        """See Encrypted."""
        self.reads += 1
        if key == self.damaged:
            raise DamagedStorageError(f"{key} is damaged")
        return self.kept.get(key)

    async def list(self, prefix: str) -> list[str]:
        """See Encrypted."""
        rest = [key.removeprefix(prefix) for key in self.kept if key.startswith(prefix)]
        return sorted({name.partition("/")[0] + ("/" if "/" in name else "") for name in rest})

    async def commit(self, changes: Mapping[str, bytes | None]) -> None:
        """See Encrypted."""
        if self.is_full:
            raise StorageError("no space left")
        for key, value in changes.items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value


class HandClock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        """See Clock."""
        return self.now

    def monotonic(self) -> float:
        """See Clock."""
        return self.now


class NoLeases:
    """A core whose leases transit never asks for."""

    async def intend_lease(self, request: Request, lease: Lease) -> Lease:
        """See System."""
        raise NotImplementedError

    def default_lease_ttl(self) -> int:
        """See System."""
        return 0

    def max_lease_ttl(self) -> int:
        """See System."""
        return 0

    async def identity_of(self, entity_id: str) -> Identity | None:
        """See System."""
        return None

    def spawn(self, work: Awaitable[None], name: str) -> None:
        """See System."""
        raise NotImplementedError


class Transit:
    """One mount; `call` answers as the core does."""

    def __init__(self, entries: Entries | None = None, clock: HandClock | None = None, crypto: str = "openssl") -> None:
        self.entries, self.clock = entries or Entries(), clock or HandClock()
        view = View(self.entries, "transit/")
        self.engine = TransitEngine(Mount("transit/", "u", "a", view, self.clock, backend(crypto), NoLeases()))

    async def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """One request with everything allowed."""
        path, data = with_query(path, body)
        request = Request(OPERATIONS[method], path, data)
        try:
            if method == "POST" and await self.engine.exists(request) is False:
                request.operation = Operation.CREATE
            response = await self.engine.handle(request)
        except VaultError as error:
            return Answer(error.http_status, errors=error.errors)
        if response is None:
            return Answer(204)
        return Answer(response.status or 200, response.data or {}, warnings=response.warnings)


@pytest.fixture(scope="session")
def new_transit() -> type[Transit]:
    """Makes a mount of its own, over given entries, clock and crypto backend, or over fresh ones and OpenSSL."""
    return Transit


@pytest.fixture
def transit() -> Transit:
    """A mount of its own."""
    return Transit()


@pytest.fixture
async def call(vault: TestVault) -> Call:
    """`await call("POST", "keys/k", {...})` of a fresh mount of our vault."""
    await vault.ok("POST", "sys/mounts/transit", {"type": "transit"})

    async def ask(method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        path, data = with_query(path, body)
        return answered(await vault.call(method, f"transit/{path}", data))

    return ask


@pytest.fixture(scope="session")
def new_bao(openbao: BaoServer) -> Callable[[], Call]:
    """Makes fresh mounts of the real OpenBao."""

    def mount() -> Call:
        name = "t" + secrets.token_hex(4)
        assert openbao.call("POST", f"sys/mounts/{name}", {"type": "transit"}).status == 204

        async def ask(method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
            return answered(openbao.call(method, f"{name}/{path}", body if method == "POST" else None))

        return ask

    return mount


@pytest.fixture
def bao(new_bao: Callable[[], Call]) -> Call:
    """`await bao("POST", "keys/k", {...})` of a fresh mount of the real OpenBao."""
    return new_bao()


def answered(answer: core.Answer) -> Answer:
    """What a client makes of an answer."""
    body = answer.body or {}
    return Answer(answer.status, body.get("data") or {}, body.get("errors") or [], body.get("warnings") or [])


def with_query(path: str, body: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """A path and its query or body."""
    path, _, query = path.partition("?")
    return path, dict(item.partition("=")[::2] for item in query.split("&") if item) if query else dict(body or {})
