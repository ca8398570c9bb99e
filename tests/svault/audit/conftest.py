"""Chains and brokers over real files, with a clock that tests move."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from svault.audit.broker import AuditBroker
from svault.audit.chain import Chain, ChainOptions
from svault.audit.entry import AuditAuth, AuditMount, AuditRecord, GrantingPolicy
from svault.barrier.view import View
from svault.crypto.openssl import OpenSSLBackend
from svault.logical.request import Operation, Request
from vaults import ManualClock

SEED = bytes(range(32))
CRYPTO = OpenSSLBackend()


class Entries:
    """The barrier's entries in a dict."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def get(self, key: str) -> bytes | None:
        return self.kept.get(key)

    async def list(self, prefix: str) -> list[str]:
        return sorted(key.removeprefix(prefix) for key in self.kept if key.startswith(prefix))

    async def commit(self, changes: Mapping[str, bytes | None]) -> None:
        for key, value in changes.items():
            if value is None:
                self.kept.pop(key, None)
            else:
                self.kept[key] = value


OpenChain = Callable[..., Chain]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def chain(tmp_path: Path, clock: ManualClock) -> Iterator[OpenChain]:
    """`chain(name="audit.log", **options)`: an open chain in the test's folder, closed at its end."""
    made: list[Chain] = []

    def open_chain(name: str = "audit.log", *, seed: bytes = SEED, **options: object) -> Chain:
        one = Chain(tmp_path / name, CRYPTO, seed, clock, ChainOptions(**options))  # type: ignore[arg-type] # a test names real options
        one.open()
        made.append(one)
        return one

    yield open_chain
    for one in made:
        one.close()


@pytest.fixture
def entries() -> Entries:
    return Entries()


@pytest.fixture
def broker(entries: Entries, clock: ManualClock) -> AuditBroker:
    """A broker that is not started."""
    return AuditBroker(View(entries, "core/audit/"), clock, CRYPTO)


TOKEN = "hvs.canary-token-canary-tok"
MOUNT = AuditMount("secret/", "kv", "kv_8130c247")
MakeRecord = Callable[..., AuditRecord]


@pytest.fixture
def a_record() -> MakeRecord:
    """`a_record(path="secret/data/app", mount=..., **data)`: a write of `data` by the holder of the root token."""

    def make(path: str = "secret/data/app", *, mount: AuditMount | None = MOUNT, **data: object) -> AuditRecord:
        auth = AuditAuth(
            client_token=TOKEN,
            accessor="canary-accessor",
            display_name="token",
            policies=["root"],
            token_policies=["root"],
            token_type="service",
            token_issue_time=1_795_445_000.0,
            allowed=True,
            granting_policies=[GrantingPolicy("root")],
        )
        request = Request(Operation.CREATE, path, data, id="9a446ae3-9372-7283", token=TOKEN, remote_address="127.0.0.1")
        return AuditRecord(request, path, auth, mount, remote_port=39058)

    return make


@pytest.fixture
def until() -> Callable[..., Awaitable[None]]:
    """`await until(condition)`: poll it; fails when it does not come true."""

    async def wait(condition: Callable[[], bool], seconds: float = 20.0) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not condition():
            assert loop.time() < deadline, "it did not come true"
            await asyncio.sleep(0.005)

    return wait


@pytest.fixture
async def started(broker: AuditBroker):
    await broker.start(SEED)
    yield broker
    await broker.stop()
