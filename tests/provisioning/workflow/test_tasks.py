"""Steps that make no resource."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from provisioning.plan.model import RetryPolicy
from provisioning.workflow.tasks import TASKS, TaskType, task_type
from stratumops.errors import InvalidInputError

from .world import World, create, step, world

pytestmark = pytest.mark.anyio
ONCE = RetryPolicy(max_retries=0)


def task(name: str, *needs: str, retry: RetryPolicy = ONCE, **config: object):
    return step("task", "", *needs, id=f"task:{name}", task=name, config=config, retry=retry)


class Server(HTTPServer):
    """Answers 503 so many times, then 200."""

    unwell = 0
    asked = 0


@pytest.fixture
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            assert isinstance(self.server, Server)
            self.server.asked += 1
            self.send_response(503 if self.server.asked <= self.server.unwell else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Tests are quiet."""

    with Server(("127.0.0.1", 0), Handler) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        found.shutdown()
        thread.join()


async def test_a_health_check_asks_until_the_service_is_well(here: World, server: Server):
    server.unwell = 2
    check = task("run_health_check", host="127.0.0.1", port=server.server_port, path="/health", interval_seconds=0.01)
    state = await here.done([check])

    assert state.operation.status == "succeeded"
    [run] = here.store.steps(state.operation.id)
    assert run.result == {"checked": f"http://127.0.0.1:{server.server_port}", "attempts": 3}


async def test_a_health_check_of_a_port_takes_the_address_of_a_resource(here: World, server: Server):
    check = task("run_health_check", "create:server.web", resource="server.web", port=server.server_port)
    state = await here.done([create("server.web"), check])

    assert state.operation.status == "succeeded"


async def test_a_service_that_stays_unwell_fails_the_check_and_says_how(here: World):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        state = await here.done([task("run_health_check", host="127.0.0.1", port=port, attempts=2, interval_seconds=0.01)])

    assert state.operation.status == "rolled_back"
    assert f"tcp://127.0.0.1:{port} is not healthy after 2 tries" in state.operation.error


async def test_a_status_that_is_not_the_expected_one_is_not_well(here: World, server: Server):
    wanted = {"host": "127.0.0.1", "port": server.server_port, "path": "/", "attempts": 1}
    state = await here.done([task("run_health_check", expect=204, **wanted)])
    assert "status 200" in state.operation.error
    assert (await here.done([task("run_health_check", expect=200, **wanted)])).operation.status == "succeeded"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"kind": "smoke"}, "cannot be of the kind 'smoke'"),
        ({"port": 1}, "names a host or a resource"),
        ({"resource": "server.web", "output": "mood", "port": 1}, "server.web has no address"),
    ],
)
async def test_a_health_check_that_says_too_little_is_refused(here: World, config: dict[str, object], said: str):
    state = await here.done([create("server.web"), task("run_health_check", "create:server.web", **config)])
    assert said in state.operation.error


async def test_a_backup_is_kept_when_the_rest_is_taken_back(here: World):
    await here.done([create("database.main")])
    here.cloud.fail("refuse", "Create", "server.web")
    backup = task("create_backup", resource="database.main", label="friday")
    state = await here.done([backup, step("backup", "database.main"), _after(backup.id)])

    assert state.operation.status == "rolled_back"
    assert len(here.cloud.backups()) == 2
    said = {run.step: run.said for run in here.store.steps(state.operation.id)}
    assert said["backup:database.main"] == "the backup is kept"
    assert said["task:create_backup"] == "nothing to undo"


def _after(need: str):
    return step("create", "server.web", need, wanted=create("server.web").wanted)


async def test_a_backup_names_a_resource(here: World):
    assert "a backup names a resource" in (await here.done([task("create_backup")])).operation.error


async def test_a_wait_takes_its_time_and_its_limits(here: World):
    state = await here.done([task("wait", seconds=0.3)])
    assert state.operation.status == "succeeded"
    assert state.steps[0].ended_at - state.steps[0].started_at >= 0.3

    assert "between 0 seconds and a day" in (await here.done([task("wait", seconds=1e9)])).operation.error


async def test_a_wait_ends_when_a_person_cancels(here: World):
    operation = here.control.submit(here.plan([task("wait", seconds=3600)]), "ada")
    async for event in here.control.follow(operation.id):
        if event.state.said == "waiting 3600 s":
            here.control.cancel(operation.id, "ada")
    assert here.control.status(operation.id).operation.status == "cancelled"


@pytest.mark.parametrize("name", ["configure_networking", "install_service"])
async def test_what_is_not_available_yet_says_so_and_is_not_tried_again(here: World, name: str):
    state = await here.done([task(name, retry=RetryPolicy())])

    assert f"task_unavailable: the task {name} is not available here yet" in state.operation.error
    assert [run.attempts for run in here.store.steps(state.operation.id)] == [1]


async def test_an_unknown_task_names_those_that_exist():
    with pytest.raises(InvalidInputError, match="there is no task type 'dance'") as raised:
        task_type("dance", TASKS)
    assert "run_health_check" in raised.value.hint


async def test_a_task_is_taken_back_by_its_own_undo(tmp_path):
    done = []
    painting = TaskType(
        "paint", "Paint", lambda one: {"colour": one.config["colour"]}, lambda one: f"{one.result['colour']} is gone"
    )
    with world(tmp_path, tasks={"paint": painting}) as here:
        here.cloud.fail("refuse", "Create")
        state = await here.done([task("paint", colour="red"), _after("task:paint")])
        done = [run.said for run in here.store.steps(state.operation.id) if run.step == "task:paint"]
    assert done == ["red is gone"]
