"""A workspace whose approvals are real: keys, signatures, a list of who is trusted."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from provisioning.approval.approvals import Approvals
from provisioning.approval.document import Seat
from provisioning.approval.keys import ApproverKey
from provisioning.approval.trust import Trust
from provisioning.plan.model import Plan
from provisioning.state.holder import this_process
from provisioning.state.model import StoredPlan
from provisioning.state.store import open_store
from provisioning.workflow.allowed import GivenByPeople

from .waiting import until
from .world import LIMIT, Allows, World, world

SEAT = Seat("ana", "workstation", "/dev/pts/7")
DEAD = this_process().rpartition(".")[0] + ".1"
"""A process of this machine that is no more."""


@dataclass
class Guarded:
    """A workspace in which only Ana's signature allows anything."""

    here: World
    approvals: Approvals
    ana: ApproverKey

    def approve(self, plan: Plan) -> None:
        self.approvals.approve(stored(plan), self.ana, SEAT)

    async def done(self, plan: Plan) -> Any:
        self.here.store.keep_plan(stored(plan))
        self.approve(plan)
        return await self.here.ended(self.here.control.submit(plan, "ada").id)

    def sql(self, statement: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.here.folder / "state" / "state.db", timeout=30)) as connection:
            connection.execute(statement, values)
            connection.commit()

    async def still_waits(self, operation: str) -> None:
        """It waits for a person; nothing was asked of the cloud."""
        await until(self.here, operation, "waiting_for_approval")
        async with asyncio.timeout(LIMIT):
            while not self.here.runtime.is_running(operation):  # noqa: ASYNC110 - it runs on another loop
                await asyncio.sleep(0.01)
        assert self.here.cloud.requests() == []


def stored(plan: Plan) -> StoredPlan:
    return StoredPlan(plan.id, plan.sha256, plan.body, plan.made_at, plan.expires_at)


@contextmanager
def guarded(folder: Path, ana: ApproverKey) -> Iterator[Guarded]:
    folder.mkdir(parents=True, exist_ok=True)
    store = open_store(folder / "state")
    own = folder / "trust"
    own.mkdir(exist_ok=True)
    trust = Trust(own, store.head().lineage, None)
    if not trust.entries():
        trust.begin(ana, time.time())
    approvals = Approvals(store, trust, own)
    try:
        with world(folder, allows=cast("Allows", GivenByPeople(approvals))) as here:
            yield Guarded(here, approvals, ana)
    finally:
        store.close()
