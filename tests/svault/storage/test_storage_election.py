"""Servers that share a storage agree on one leader, and who does not lead any more cannot write: on real servers."""

import asyncio
import contextlib
import itertools
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from etcd_servers import etcd_cluster
from servers import postgresql_server
from svault.errors import StorageError
from svault.storage.base import CommitConflictError, SharedStorage, Write
from svault.storage.choice import make_storage
from svault.storage.etcd import EtcdStorage

pytestmark = pytest.mark.anyio
LEADING_SERVER = Path(__file__).with_name("leading_server.py")
SHORT, LONG = 2, 600
"""Leases in seconds: one that a test waits for, and one that it never does."""
LIMIT = 30
"""Seconds in which what must happen has happened, also on a slow machine."""
NUMBERS = itertools.count()


@dataclass
class Shared:
    """A storage backend whose server can be taken away."""

    backend: str
    options: Callable[[str], dict[str, Any]]
    stop: Callable[[], None]
    start: Callable[[], None]


@pytest.fixture(scope="module", params=["etcd", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Iterator[Shared]:
    if request.param == "etcd":
        with etcd_cluster() as etcd:
            yield Shared("etcd", lambda name: {"endpoints": etcd.endpoints, "prefix": name}, etcd.nodes[0].kill, etcd.repair)
    else:
        with postgresql_server() as postgresql:
            yield Shared("postgresql", lambda name: {"url": postgresql.url(), "table": name}, postgresql.kill, postgresql.start)


@dataclass
class Join:
    """`await join(lease)`: one more server on the test's own part of the storage."""

    shared: Shared
    part: str = field(default_factory=lambda: f"part-{next(NUMBERS)}")
    joined: list[SharedStorage] = field(default_factory=list)

    def options(self, lease: float) -> dict[str, Any]:
        return {**self.shared.options(self.part), "lease": lease, "timeout": 2}

    async def __call__(self, lease: float) -> SharedStorage:
        storage: Any = make_storage(self.shared.backend, self.options(lease))
        await storage.open()
        self.joined.append(storage)
        return storage


@pytest.fixture
async def join(shared: Shared) -> AsyncIterator[Join]:
    made = Join(shared)
    yield made
    for storage in made.joined:
        await storage.aclose()


@contextlib.asynccontextmanager
async def _leading_process(shared: Shared, options: dict[str, Any]) -> AsyncIterator[Process]:
    arguments = [LEADING_SERVER, shared.backend, json.dumps(options)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdin=None, stdout=PIPE)
    try:
        assert await _line(process) == "leads"
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _line(process: Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(LIMIT):
        return (await process.stdout.readline()).decode().strip()


async def test_the_second_server_waits_until_the_first_one_resigns(join: Join):
    first, second = (await join(LONG)).election(), (await join(LONG)).election()
    assert await first.leader() is None
    await first.campaign("https://first:8200")
    waiting = asyncio.create_task(second.campaign("https://second:8200"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.5)
    assert [await election.leader() for election in (first, second)] == ["https://first:8200"] * 2
    await first.resign()
    async with asyncio.timeout(LIMIT):
        await first.lost()
        await waiting
    assert [await election.leader() for election in (first, second)] == ["https://second:8200"] * 2
    await second.resign()
    assert await second.leader() is None


async def test_a_leader_that_renews_keeps_the_lead_for_longer_than_its_lease(join: Join):
    first, second = await join(SHORT), await join(SHORT)
    leading = first.election()
    await leading.campaign("first")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.election().campaign("second"), 1.5 * SHORT)
    await first.commit([Write("a", b"1")])
    assert await leading.leader() == "first"
    await leading.resign()


async def test_after_kill_9_of_the_leader_another_server_leads_and_finds_all_that_was_acknowledged(join: Join, shared: Shared):
    standby = await join(SHORT)
    election = standby.election()
    async with _leading_process(shared, join.options(SHORT)) as process:
        campaign = asyncio.create_task(election.campaign("standby"))
        while await _line(process) != "wrote 20":
            assert await election.leader() == "child"
        process.send_signal(signal.SIGKILL)
        assert process.stdout is not None
        acknowledged = 20 + (await process.stdout.read()).decode().count("wrote")
        async with asyncio.timeout(LIMIT):
            await campaign
    assert await election.leader() == "standby"
    kept = {int(name) for name in await standby.list("written/")}
    assert kept >= set(range(acknowledged + 1))
    await standby.commit([Write("owner", b"standby")])
    await election.resign()


async def test_a_leader_that_was_stopped_for_longer_than_its_lease_cannot_write_when_it_goes_on(join: Join, shared: Shared):
    standby = await join(SHORT)
    election = standby.election()
    async with _leading_process(shared, join.options(SHORT)) as process:
        await _line(process)
        process.send_signal(signal.SIGSTOP)
        async with asyncio.timeout(LIMIT):
            await election.campaign("standby")
        versions = await standby.commit([Write("owner", b"standby")])
        written = await standby.list("written/")
        process.send_signal(signal.SIGCONT)
        lines = [await _line(process)]
        while lines[-1] not in {"lost", ""}:
            lines.append(await _line(process))
        assert lines[-2:] == ["CommitConflictError", "lost"]
    entry = await standby.get("owner")
    assert entry is not None
    assert (entry.value, entry.version) == (b"standby", versions["owner"])
    assert await standby.list("written/") == written
    await election.resign()


async def test_who_resigned_cannot_write_until_it_leads_again(join: Join):
    first, second = await join(LONG), await join(LONG)
    election, other = first.election(), second.election()
    await election.campaign("first")
    await first.commit([Write("a", b"1")])
    await election.resign()
    with pytest.raises(CommitConflictError):
        await first.commit([Write("a", b"2")])
    await other.campaign("second")
    await second.commit([Write("a", b"3")])
    with pytest.raises(CommitConflictError, match="leader's lock"):
        await first.commit([Write("a", b"4"), Write("b", None)], {"c": 0})
    await other.resign()
    async with asyncio.timeout(LIMIT):
        await election.campaign("first")
    entry = await first.get("a")
    assert entry is not None
    assert entry.value == b"3"
    await first.commit([Write("a", b"5")], {"a": entry.version})
    await election.resign()


async def test_of_many_servers_one_leads_at_a_time_and_each_its_turn(join: Join):
    turns: list[str] = []

    async def serve(name: str) -> None:
        storage = await join(LONG)
        election = storage.election()
        await election.campaign(name)
        assert await election.leader() == name
        before = await storage.get("turn")
        await storage.commit([Write("turn", name.encode())], {"turn": before.version if before else 0})
        turns.append(name)
        await election.resign()

    async with asyncio.timeout(LIMIT):
        await asyncio.gather(*(serve(f"server-{number}") for number in range(6)))
    assert sorted(turns) == [f"server-{number}" for number in range(6)]


async def test_a_leader_whose_storage_is_away_for_longer_than_the_lease_learns_that_it_lost(join: Join, shared: Shared):
    storage, other = await join(SHORT), await join(SHORT)
    election, waiting = storage.election(), other.election()
    await election.campaign("first")
    campaign = asyncio.create_task(waiting.campaign("second"))
    shared.stop()
    try:
        with pytest.raises(StorageError):
            await storage.commit([Write("a", b"1")])
        async with asyncio.timeout(LIMIT):
            await election.lost()
        assert not campaign.done()
    finally:
        shared.start()
    async with asyncio.timeout(LIMIT):
        await campaign
    await other.commit([Write("a", b"2")])
    with pytest.raises(CommitConflictError):
        await storage.commit([Write("a", b"3")])
    await waiting.resign()


async def test_a_leader_keeps_the_lead_when_its_storage_was_away_for_a_moment(join: Join, shared: Shared):
    storage = await join(LONG)
    election = storage.election()
    await election.campaign("first")
    shared.stop()
    shared.start()
    await storage.commit([Write("a", b"1")])
    assert await election.leader() == "first"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(election.lost(), 0.5)
    await election.resign()


async def test_a_storage_that_never_campaigned_writes_without_a_lock(join: Join):
    leading, single = await join(LONG), await join(LONG)
    election = leading.election()
    await election.campaign("leader")
    await single.commit([Write("a", b"1")])
    await election.resign()
    await single.commit([Write("a", b"2")])


async def test_a_leader_keeps_the_lead_when_the_etcd_node_that_leads_the_cluster_is_killed():
    with etcd_cluster(3) as cluster:
        lease = 10
        first, second = [EtcdStorage(cluster.endpoints, lease=lease) for _ in range(2)]
        await first.open()
        await second.open()
        election, other = first.election(), second.election()
        await election.campaign("first")
        campaign = asyncio.create_task(other.campaign("second"))
        cluster.leader().kill()
        async with asyncio.timeout(LIMIT):
            while True:
                try:
                    await first.commit([Write("a", b"1")])
                    break
                except StorageError:
                    continue
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(campaign), 1)
        assert await other.leader() == "first"
        await election.resign()
        async with asyncio.timeout(LIMIT):
            await campaign
        await second.commit([Write("a", b"2")])
        await other.resign()
        await first.aclose()
        await second.aclose()


async def test_a_campaign_that_is_given_up_leaves_the_lead_to_others(join: Join):
    first, second, third = [(await join(LONG)).election() for _ in range(3)]
    await first.campaign("first")
    given_up = asyncio.create_task(second.campaign("second"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(given_up, 0.5)
    await first.resign()
    async with asyncio.timeout(LIMIT):
        await third.campaign("third")
    await third.resign()
