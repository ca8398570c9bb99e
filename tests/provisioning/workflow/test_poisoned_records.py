"""What somebody wrote into the record of operations runs no code."""

import asyncio
import base64
import json
import pickle
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioning.state.model import Operation

from .guarded import DEAD, stored
from .waiting import PATIENT, until_waiting
from .world import LIMIT, World, create, slower, world

pytestmark = pytest.mark.anyio


class Poison:
    """What makes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> Any:
        return (Path.touch, (self._file,))


def _pickled(value: Any) -> str:
    return base64.b64encode(pickle.dumps(value)).decode()


def test_the_poison_of_these_tests_works(tmp_path: Path):
    pickle.loads(base64.b64decode(_pickled(Poison(tmp_path / "ran"))))
    assert (tmp_path / "ran").exists()


async def test_the_record_is_written_as_json(here: World):
    here.cloud.fail("throttle", "Create", "server.web")
    await here.done([create("server.web")])
    with closing(sqlite3.connect(here.folder / "own" / "workflows.db")) as record:
        rows = record.execute("select serialization, inputs, output, error from workflow_status").fetchall()
        rows += record.execute("select serialization, '{}', output, error from operation_outputs").fetchall()
    assert {row[0] for row in rows} == {"stratumops_json"}
    texts = [text for row in rows for text in row[1:] if text is not None]
    assert {type(json.loads(text)) for text in texts} <= {dict, type(None)}


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace in which something was done; each test has its own copy."""
    folder = tmp_path_factory.mktemp("lived")
    with world(folder) as here:
        asyncio.run(here.done([create("server.a")]))
    return folder


@pytest.mark.parametrize("column", ["inputs", "output", "error"])
@pytest.mark.parametrize("serialization", ["py_pickle", None])
@pytest.mark.parametrize("status", ["ENQUEUED", "PENDING", "ERROR"])
async def test_a_poisoned_row_of_the_record_runs_nothing(
    lived: Path, tmp_path: Path, column: str, serialization: str | None, status: str
):
    ran = tmp_path / "ran"
    shutil.copytree(lived, tmp_path, dirs_exist_ok=True)
    with closing(sqlite3.connect(tmp_path / "own" / "workflows.db")) as record:
        record.row_factory = sqlite3.Row
        row = dict(record.execute("select * from workflow_status").fetchone())
        poison = _pickled({"args": (Poison(ran),), "kwargs": {}} if column == "inputs" else Poison(ran))
        row |= {"output": None, "error": None, "started_at_epoch_ms": None, "completed_at": None}
        row |= {"workflow_uuid": "op-evil", "status": status, "serialization": serialization, "executor_id": DEAD, column: poison}
        row |= {"queue_name": "_dbos_internal_queue"} if status == "ENQUEUED" else {}
        row = {name: value for name, value in row.items() if name in _columns(record)}
        names = ", ".join(f'"{name}"' for name in row)
        record.execute(f"insert into workflow_status ({names}) values ({', '.join('?' * len(row))})", list(row.values()))
        record.commit()
    with world(tmp_path) as here:
        plan = here.plan([create("server.b")])
        here.store.keep_plan(stored(plan))
        evil = Operation("op-evil", "apply", "cancelled", plan.id, plan.sha256, "", "mallory", 1.0, executor=DEAD)
        here.store.add_operation(evil)
        here.control.recover_dead()
        state = await here.done([create("server.c")], title="goes on")
        assert state.operation.status == "succeeded"
        if status == "ENQUEUED":
            await _taken(tmp_path)
    assert not ran.exists()


def _columns(record: sqlite3.Connection) -> set[str]:
    return {str(row[1]) for row in record.execute("pragma table_info(workflow_status)")}


async def _taken(folder: Path) -> None:
    """Wait until the poisoned row was taken from its queue."""
    async with asyncio.timeout(LIMIT):
        while True:
            with closing(sqlite3.connect(folder / "own" / "workflows.db", timeout=30)) as record:
                [status] = record.execute("select status from workflow_status where workflow_uuid = 'op-evil'").fetchone()
            if status != "ENQUEUED":
                return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("column", ["output", "error"])
async def test_a_poisoned_step_of_the_record_runs_nothing(tmp_path: Path, column: str):
    ran = tmp_path / "ran"
    with world(tmp_path) as here:
        here.cloud.fail("throttle", "Create", "server.slow")
        operation = here.control.submit(here.plan([slower(create("server.slow"), PATIENT)]), "ada")
        await until_waiting(here, operation.id, "server.slow")
    with closing(sqlite3.connect(tmp_path / "own" / "workflows.db")) as record:
        changed = record.execute(
            f"update operation_outputs set output = null, error = null, serialization = 'py_pickle', {column} = ?",
            (_pickled(Poison(ran)),),
        )
        assert changed.rowcount
        record.commit()
    with world(tmp_path) as here:
        here.control.resume(operation.id)
        state = await here.ended(operation.id)
        assert state.operation.status == "failed"
        assert "could run a program" in state.operation.error
    assert not ran.exists()
