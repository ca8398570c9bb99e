"""The durable record on PostgreSQL, for several machines."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.plan.model import RetryPolicy
from servers import PostgresqlServer, postgresql_server
from stratumops.errors import UnavailableError

from .world import create, fifty, slower, world

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresqlServer]:
    with postgresql_server() as server:
        yield server


async def test_fifty_steps_and_their_rollback_run_on_postgresql(postgresql: PostgresqlServer, tmp_path: Path):
    with world(tmp_path, place=postgresql.url()) as here:
        done = await here.done(fifty())
        assert done.operation.status == "succeeded"
        here.in_step()

        back = await here.ended(here.control.roll_back(done.operation.id, "ada").id)
        assert back.operation.status == "succeeded"
        assert here.recorded() == {}


async def test_what_was_stopped_goes_on_from_the_record_in_postgresql(postgresql: PostgresqlServer, tmp_path: Path):
    with world(tmp_path, place=postgresql.url()) as here:
        here.cloud.fail("throttle", "Create", "server.web")
        steps = [create("vpc.main"), slower(create("server.web", "vpc.main"), RetryPolicy(3, 3_000))]
        operation = here.control.submit(here.plan(steps), "ada")
        async with asyncio.timeout(60):
            async for event in here.control.follow(operation.id):
                if event.step and event.step.status == "waiting":
                    break
    with world(tmp_path, place=postgresql.url()) as here:
        here.control.resume(operation.id)
        state = await here.ended(operation.id)

        assert state.operation.status == "succeeded"
        assert [len(here.cloud.requests("Create", one)) for one in ("vpc.main", "server.web")] == [1, 2]
        here.in_step()


async def test_a_postgresql_that_does_not_answer_says_so_without_its_password(tmp_path: Path):
    place = "postgresql://prov:hunter2@127.0.0.1:1/prov?connect_timeout=1"
    with world(tmp_path, place=place) as here, pytest.raises(UnavailableError, match="cannot be used") as raised:
        here.runtime.start()

    assert "hunter2" not in f"{raised.value} {raised.value.hint} {raised.value.details}"
