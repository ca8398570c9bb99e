"""The engine: what it adds to the provider's own time, how fast it looks, plans, lists and hears of an approval.

The cloud is the sandbox (moto on loopback). Approvals are signed by a throw-away approver's key, as a person's are.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Benchmark, NotMeasuredError, Sample
from benchmarks.server import workspace

if TYPE_CHECKING:
    from provisioning.engine import Engine
    from provisioning.plan.model import Plan
    from provisioning.providers.base import Provider

TASKS, RESOURCES, LISTED = 50, 1000, 10_000
RUNS = 3


class _NoSecrets:
    """The configurations have none."""

    async def resolve(self, handle: str) -> str:
        raise NotMeasuredError(f"{handle} was not expected")

    async def seal(self, _text: str, context: str) -> str:
        raise NotMeasuredError(f"a secret at {context} was not expected")

    async def unseal(self, _sealed: str, context: str) -> str:
        raise NotMeasuredError(f"a secret at {context} was not expected")


class _Timed:
    """A provider that adds up the time of its calls: what the engine spends is the rest."""

    def __init__(self, provider: "Provider") -> None:
        self._provider = provider
        self.spans: list[tuple[float, float]] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._provider, name)
        if name not in {"create", "update", "delete", "read", "read_all", "find_by_tag", "back_up"}:
            return found

        def timed(*arguments: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return found(*arguments, **named)
            finally:
                self.spans.append((began, time.perf_counter()))

        return timed

    def busy_seconds(self) -> float:
        """The time in which at least one call was under way: calls of one wave run beside each other."""
        total, until = 0.0, 0.0
        for began, ended in sorted(self.spans):
            total += max(0.0, ended - max(began, until))
            until = max(until, ended)
        return total


@contextmanager
def _sandbox() -> Iterator[tuple[Path, "Provider"]]:
    try:
        from provisioning.providers.sandbox.process import Sandbox
        from provisioning.providers.sandbox.provider import SandboxProvider
    except ImportError as error:
        raise NotMeasuredError(f"the sandbox needs {error.name}") from None
    with workspace() as folder:
        place = folder / "own"
        place.mkdir(mode=0o700)
        try:
            yield place, SandboxProvider(place)
        finally:
            Sandbox(place).stop()


@asynccontextmanager
async def _engine(own: Path, provider: "Provider | _Timed") -> "AsyncIterator[Engine]":
    from provisioning.engine import Choices, Engine, Place

    async def opened(_name: str) -> Any:
        return provider

    engine = Engine(Place(own / "state", own), names=lambda: ["aws"], provider=opened, secrets=_NoSecrets(), choices=Choices())
    try:
        yield engine
    finally:
        await engine.aclose()


async def _approved(engine: "Engine", plan: "Plan", key: Any) -> None:
    from provisioning.approval.document import Seat

    approvals = await engine.approvals()
    if not approvals.trust.approvers():
        approvals.trust.begin(key, approvals.now)
    await asyncio.to_thread(approvals.approve, approvals.open_plan(plan.id), key, Seat("bench", "here", "none"))


def _groups(count: int, first: int = 0) -> Any:
    """A configuration of that many things in one network."""
    from prov_gen.model.infrastructure import InfrastructureConfig

    rule = {"from_port": 443, "cidrs": ["10.0.0.0/8"], "description": "clients"}
    groups = [{"name": f"g-{number}", "rules": [rule]} for number in range(first, first + count - 1)]
    return InfrastructureConfig.model_validate({"provider": "aws", "networking": {"name": "main"}, "security_groups": groups})


async def _apply(own: Path, provider: "Provider") -> Sample:
    from provisioning.approval.keys import new_key
    from stratumops.progress import silent

    timed, values, key = _Timed(provider), [], new_key("bench")
    async with _engine(own, timed) as engine:
        for _ in range(RUNS):
            plan = await engine.plan(_groups(TASKS), by="bench")
            await _approved(engine, plan, key)
            timed.spans.clear()
            began = time.perf_counter()
            operation = await engine.submit(plan.id, by="bench")
            found = await engine.wait(operation.id, 120, silent)
            spent = time.perf_counter() - began
            if found.operation.status != "succeeded":
                raise NotMeasuredError(f"the apply is {found.operation.status}: {found.operation.error}")
            values.append(spent - timed.busy_seconds())
            gone = await engine.plan(None, by="bench")
            await _approved(engine, gone, key)
            await engine.wait((await engine.submit(gone.id, by="bench")).id, 120, silent)
    return Sample(values, f"{TASKS} steps, 8 at once, on the sandbox; the time in which no call of the provider was under way")


def apply_overhead() -> Sample:
    """What an apply of 50 steps takes beyond the provider's calls."""
    with _sandbox() as (own, provider):
        return asyncio.run(_apply(own, provider))


async def _heard(own: Path, provider: "Provider") -> Sample:
    from provisioning.approval.keys import new_key

    values, key = [], new_key("bench")
    async with _engine(own, provider) as engine:
        for number in range(5):
            plan = await engine.plan(_groups(2, first=number), by="bench")
            operation = await engine.submit(plan.id, by="bench")
            store = await engine.store()
            await asyncio.to_thread(_until, store, operation.id, lambda one: one.status == "waiting_for_approval")
            await _approved(engine, plan, key)
            began = time.perf_counter()
            await asyncio.to_thread(_until, store, operation.id, lambda one: one.status != "waiting_for_approval")
            values.append(time.perf_counter() - began)
            await asyncio.to_thread(_until, store, operation.id, lambda one: one.is_final)
    return Sample(values, "from the approval in the state to the operation that goes on")


def _until(store: Any, operation: str, holds: Callable[[Any], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds(store.operation(operation)):
        if time.monotonic() > deadline:
            raise NotMeasuredError("the operation did not go on")
        time.sleep(0.002)


def approval_heard() -> Sample:
    """How long a waiting apply takes to hear of its approval."""
    with _sandbox() as (own, provider):
        return asyncio.run(_heard(own, provider))


async def _planned(own: Path, provider: "Provider") -> Sample:
    from prov_judge.prices.book import PriceBook

    book, values = PriceBook.shipped(), []
    async with _engine(own, provider) as engine:
        for number in range(RUNS):
            config = _groups(RESOURCES, first=number)
            began = time.perf_counter()
            plan = await engine.plan(config, by="bench", book=book)
            values.append(time.perf_counter() - began)
    return Sample(values, f"{len(plan.steps):,} steps with cost, checks and blast radius, kept in the state")


def plan_thousand() -> Sample:
    """A plan of 1,000 resources."""
    with _sandbox() as (own, provider):
        return asyncio.run(_planned(own, provider))


def _rows(count: int, provider: str = "aws") -> "Sequence[Any]":
    from prov_judge.changes.things import things
    from provisioning.plan.steps import wanted_of
    from provisioning.resource import Recorded

    config = _groups(2)
    shape = wanted_of(next(one for one in things(config).values() if one.kind == "security_group"), config)
    return [
        Recorded(
            address=f"security_group.g-{number}",
            kind="security_group",
            provider=provider,
            region=shape["region"],
            id=f"sg-{number:017x}",
            values={**shape["values"], "name": f"g-{number}"},
            record=shape["record"],
            model=shape["model"],
            path=("security_groups", number),
            names=(("vpc", "vpc.main"),),
            status="available",
        )
        for number in range(count)
    ]


def list_state() -> Sample:
    """Listing a state of 10,000 resources."""
    from provisioning.state.store import Write, open_store

    with workspace() as folder:
        store = open_store(folder / "state")
        store.put_all(_rows(LISTED), [], Write(None, by="bench", reason="benchmark"))
        values = []
        for _ in range(5):
            began = time.perf_counter()
            found = store.resources()
            values.append(time.perf_counter() - began)
        store.close()
    return Sample(values, f"{len(found):,} resources out of SQLite")


async def _refreshed(own: Path, provider: "Provider") -> Sample:
    from provisioning.approval.keys import new_key
    from stratumops.progress import silent

    values, key = [], new_key("bench")
    async with _engine(own, provider) as engine:
        plan = await engine.plan(_groups(RESOURCES), by="bench")
        await _approved(engine, plan, key)
        made = await engine.wait((await engine.submit(plan.id, by="bench")).id, 600, silent)
        if made.operation.status != "succeeded":
            raise NotMeasuredError(f"the apply is {made.operation.status}: {made.operation.error}")
        for _ in range(2):
            began = time.perf_counter()
            found = await engine.refresh(everything=False, by="bench", report=silent)
            values.append(time.perf_counter() - began)
    spent = (made.operation.ended_at - made.operation.started_at) if made else 0.0
    return Sample(values, f"{len(found.resources):,} resources looked at on moto; they were made in {spent:.0f} s")


def refresh_thousand() -> Sample:
    """A refresh of 1,000 resources."""
    with _sandbox() as (own, provider):
        return asyncio.run(_refreshed(own, provider))


BENCHMARKS = (
    Benchmark("engine-apply", f"an apply of {TASKS} steps, beyond the provider's calls", "s", apply_overhead, 1.0),
    Benchmark("engine-approval", "an approval reaches a waiting apply", "s", approval_heard, 0.5),
    Benchmark("engine-plan", "a plan of 1,000 resources", "s", plan_thousand, 3.0),
    Benchmark("engine-refresh", "a refresh of 1,000 resources", "s", refresh_thousand, 30.0),
    Benchmark("engine-list", "listing a state of 10,000 resources", "s", list_state, 0.5),
)
