"""A workspace with a paper cloud for tests of the workflows: state, vault, approvals, plans, and death at a boundary."""

import base64
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from provisioning.plan.model import Basis, Plan, PlanStep, RetryPolicy
from provisioning.plan.stale import require_fresh
from provisioning.resource import TAG_LINEAGE
from provisioning.state.store import StateStore, open_store
from provisioning.workflow.control import Control
from provisioning.workflow.engine import Engine
from provisioning.workflow.runtime import Runtime
from provisioning.workflow.tasks import TASKS
from stratumops.errors import NotFoundError

from .paper import PaperCloud, PaperProvider

QUICK = RetryPolicy(max_retries=3, initial_delay_ms=20, backoff_multiplier=2.0, max_delay_ms=100)
LIMIT = 60.0
"""Seconds that a test waits for an operation at most."""


class Vault:
    """Seals with AES-GCM, bound to the context; knows the handles that it is given."""

    def __init__(self, handles: Mapping[str, str] = {}) -> None:
        self._key = AESGCM(b"k" * 32)
        self._handles = handles

    async def resolve(self, handle: str) -> str:
        if handle not in self._handles:
            raise NotFoundError(f"there is no secret at {handle}", hint="store it first")
        return self._handles[handle]

    async def seal(self, text: str, context: str) -> str:
        nonce = os.urandom(12)
        return base64.b64encode(nonce + self._key.encrypt(nonce, text.encode(), context.encode())).decode()

    async def unseal(self, sealed: str, context: str) -> str:
        data = base64.b64decode(sealed)
        return self._key.decrypt(data[:12], data[12:], context.encode()).decode()


@dataclass
class Allows:
    """Approvals of somebody who says yes, or what a test says; counts what was consumed."""

    waits: Callable[[], Any] | None = None
    consumed: list[str] = field(default_factory=list)

    async def wait(self, plan: Plan, operation: str) -> None:
        if self.waits:
            await self.waits()

    def consume(self, plan: Plan, operation: str) -> None:
        self.consumed.append(operation)

    def require_used(self, plan: Plan, operation: str) -> None:
        # Other lives of the workspace have another one of these.
        return


class Boundaries:
    """Counts the places at which a process may die, and dies by SIGKILL at the one it is told, or so many seconds later."""

    def __init__(self, last: int = 0, only: str = "", *, later: float = 0.0) -> None:
        self.last = last
        self.later = later
        self.only = only
        self.passed: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        if not name.startswith(self.only):
            return
        with self._lock:
            self.passed.append(name)
            if self.last and len(self.passed) >= self.last:
                if self.later:
                    threading.Timer(self.later, os.kill, (os.getpid(), signal.SIGKILL)).start()
                    self.last = 0
                else:
                    os.kill(os.getpid(), signal.SIGKILL)
                    threading.Event().wait()


class EdgyStore:
    """The real state, with a boundary before and after everything that a step writes."""

    _EDGES = frozenset({"put_step", "intend", "settle", "finish_step", "use_plan"})

    def __init__(self, store: StateStore, boundary: Callable[[str], None]) -> None:
        self._store = store
        self._boundary = boundary

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in self._EDGES:
            return found

        def edgy(*arguments: Any, **named: Any) -> Any:
            self._boundary(f"before {name}")
            answer = found(*arguments, **named)
            self._boundary(f"after {name}")
            return answer

        return edgy


@dataclass
class World:
    """One workspace. `store` is its state, `cloud` its cloud, `control` its operations."""

    folder: Path
    store: StateStore
    cloud: PaperCloud
    vault: Vault
    allows: Allows
    runtime: Runtime
    control: Control

    @property
    def lineage(self) -> str:
        return self.store.head().lineage

    def plan(self, steps: Sequence[PlanStep], **more: Any) -> Plan:
        head = self.store.head()
        basis = Basis(head.lineage, head.serial, "0" * 64, {"paper": "1"})
        now = time.time()
        return Plan(
            **{
                "kind": "apply", "title": "Test", "basis": basis, "steps": tuple(steps), "config": {},
                "made_at": now, "expires_at": now + 3600, "made_by": "ada", **more,
            }
        )  # fmt: skip

    async def ended(self, operation: str) -> Any:
        state = await self.control.wait(operation, LIMIT)
        assert state.operation.is_final, (state.operation, self.store.steps(operation))
        return state

    async def done(self, steps: Sequence[PlanStep], **more: Any) -> Any:
        return await self.ended(self.control.submit(self.plan(steps, **more), "ada").id)

    def recorded(self) -> dict[str, str]:
        return {one.address: one.id for one in self.store.resources()}

    def in_step(self) -> None:
        """State and cloud say the same: nothing doubled, nothing orphaned, nothing lost, no call that nobody knows the end of."""
        recorded = self.recorded()
        ours = {id_ for id_, one in self.cloud.objects().items() if one["tags"].get(TAG_LINEAGE) == self.lineage}
        assert sorted(recorded.values()) == sorted(ours)
        assert self.store.intents(is_open=True) == []


@contextmanager
def world(
    folder: Path,
    *,
    boundary: Callable[[str], None] = lambda _: None,
    handles: Mapping[str, str] = {},
    allows: Allows | None = None,
    place: str = "",
    **engine: Any,
) -> Iterator[World]:
    """A workspace in a folder; entered again, the same one."""
    folder.mkdir(parents=True, exist_ok=True)
    real = open_store(folder / "state")
    store = cast("StateStore", EdgyStore(real, boundary))
    cloud = PaperCloud(folder / "cloud.db", boundary)
    vault, allowing = Vault(handles), allows or Allows()
    provider = PaperProvider(cloud)

    def of(name: str) -> PaperProvider:
        if name != "paper":
            raise NotFoundError(f"there is no provider {name}", hint="add it")
        return provider

    def fresh(plan: Plan) -> None:
        require_fresh(plan, real.head(), {"paper": "1"}, real.serials())

    runtime = Runtime(Engine(store, of, vault, allowing, fresh, **{"tasks": TASKS, **engine}), place or folder / "own")
    try:
        yield World(folder, real, cloud, vault, allowing, runtime, Control(runtime))
    finally:
        runtime.stop()
        real.close()


def resource(address: str, *names: tuple[str, str], **values: Any) -> dict[str, Any]:
    """What a step wants."""
    kind, _, name = address.partition(".")
    return {
        "address": address, "kind": kind, "name": name, "provider": "paper", "region": "paper-1",
        "values": {"name": name, **values}, "record": {"name": name, **values}, "model": kind.title(), "path": ["servers", 0],
        "names": [list(one) for one in names],
    }  # fmt: skip


def step(action: str, address: str, *needs: str, **more: Any) -> PlanStep:
    """A step of a plan."""
    return PlanStep(
        **{
            "id": f"{action}:{address}", "action": action, "address": address, "provider": "paper",
            "title": f"{action} {address}", "wave": 1, "needs": needs, "retry": QUICK, **more,
        }
    )  # fmt: skip


def create(address: str, *uses: str, **values: Any) -> PlanStep:
    """A step that creates something which stands on other things."""
    names = tuple((f"uses[{number}]", use) for number, use in enumerate(uses))
    return step("create", address, *(f"create:{use}" for use in uses), wanted=resource(address, *names, **values))


def slower(one: PlanStep, retry: RetryPolicy) -> PlanStep:
    """The same step with another policy."""
    return replace(one, retry=retry)


def fifty() -> list[PlanStep]:
    """Two networks, ten subnets, 36 servers in waves of twelve, two load balancers: fifty steps with dependencies."""
    steps = [create(f"vpc.v{number}") for number in range(2)]
    steps += [create(f"subnet.s{number}", f"vpc.v{number % 2}") for number in range(10)]
    steps += [create(f"server.w{number}", f"subnet.s{number % 10}") for number in range(36)]
    steps += [create(f"load_balancer.l{number}", *(f"server.w{one}" for one in range(number, 36, 2))) for number in range(2)]
    return steps
