"""A program that lets operations die and go on: every life of a workspace is a real process of its own, ended by SIGKILL.

It reads a list of lives (JSON lines on stdin) and answers each with a JSON line. A process costs a second to start, most of it
imports; so this one imports everything once and forks a child for each life. It has no threads of its own.
"""

import asyncio
import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import alembic.context
import alembic.op
import dbos._sys_db_sqlite  # pyright: ignore[reportUnusedImport] - dbos imports it when it opens a record
import sqlalchemy.dialects.sqlite

import provisioning.state.opening
import provisioning.workflow.durable
import provisioning.workflow.plain_record
from provisioning.plan.model import RetryPolicy, deposed

from .world import Boundaries, World, create, fifty, resource, step, world

PATIENCE = 90.0  # seconds


def changes() -> list[Any]:
    """A plan over what `before` made: a backup, an update, a successor beside the old one, a deletion, something new."""
    return [
        step("backup", "database.main"),
        step("update", "database.main", "backup:database.main", wanted=resource("database.main", size=2), paths=("size",)),
        step("create", "server.web", wanted=resource("server.web", ("vpc", "vpc.main"), size=2), is_replacement=True),
        step("delete", deposed("server.web"), "create:server.web", id="delete:server.web"),
        step("delete", "server.gone"),
        create("vpc.second"),
    ]


def before() -> list[Any]:
    """What is there before `changes`."""
    return [
        create("vpc.main"),
        create("database.main", "vpc.main", size=1),
        create("server.web", "vpc.main", size=1),
        create("server.gone", "vpc.main"),
    ]


def failing() -> list[Any]:
    """`changes` with a last step that fails for good, so that all is taken back."""
    return [*changes(), create("load_balancer.last", "vpc.second")]


PLANS: dict[str, Callable[[], list[Any]]] = {"fifty": fifty, "changes": changes, "failing": failing}


def first_life(folder: Path, plan: str, last: int, only: str) -> dict[str, Any]:
    """Begin an operation; dies at the boundary of that number, if there is one."""
    boundaries = Boundaries(last, only)
    if plan != "fifty":
        with world(folder) as here:
            assert asyncio.run(here.done(before())).operation.status == "succeeded"
    with world(folder, boundary=boundaries) as here:
        if plan == "failing":
            here.cloud.fail("refuse", "Create", "load_balancer.last", times=99)
        asyncio.run(here.done(PLANS[plan](), title="the one"))
        return _over(here) | {"boundaries": len(boundaries.passed)}


def next_life(folder: Path, last: int, only: str) -> dict[str, Any]:
    """Go on as a server does when it starts; dies again when told to."""
    boundaries = Boundaries(last, only)
    with world(folder, boundary=boundaries) as here:
        here.control.recover_dead()
        deadline = time.monotonic() + PATIENCE
        while here.store.operations(is_open=True) and time.monotonic() < deadline:
            time.sleep(0.02)
        return _over(here) | {"boundaries": len(boundaries.passed)}


def retrying(folder: Path, delay_ms: int, last: int) -> dict[str, Any]:
    """Begin an operation whose first step is throttled three times; dies in the middle of its second wait when told to."""
    boundaries = Boundaries(last, "after put_step", later=delay_ms / 1000)
    with world(folder, boundary=boundaries) as here:
        here.cloud.fail("throttle", "Create", "vpc.main", times=3)
        retry = RetryPolicy(3, delay_ms, 2.0, 60_000)
        asyncio.run(here.done([step("create", "vpc.main", wanted=resource("vpc.main"), retry=retry)], title="the one"))
        return _over(here)


def other(folder: Path, wait_seconds: float | None) -> dict[str, Any]:
    """Another operation, of another process, at the same time."""
    with world(folder) as here:
        plan = here.plan([create("server.other")], title=f"other {wait_seconds}")
        state = asyncio.run(here.ended(here.control.submit(plan, "grace", wait_seconds=wait_seconds).id))
        return {"status": state.operation.status, "error": state.operation.error}


def _over(here: World) -> dict[str, Any]:
    """How state and cloud are in the end."""
    operations = {one.id: one for one in here.store.operations()}
    one = next(one for one in operations.values() if one.title == "the one")
    creations = [request.address for request in here.cloud.requests("Create") if request.did]
    problem = ""
    try:
        here.in_step()
    except AssertionError as error:
        problem = f"{error}: {here.recorded()} {here.cloud.by_address()} {here.store.intents(is_open=True)}"
    return {
        "status": one.status,
        "error": one.error,
        "open": [one.id for one in here.store.operations(is_open=True)],
        "recorded": here.recorded(),
        "twice": sorted({address for address in creations if creations.count(address) > 1}),
        "sizes": {one.address: one.values.get("size") for one in here.store.resources()},
        "backups": len(here.cloud.backups()),
        "problem": problem,
        "attempts": [run.attempts for run in here.store.steps(one.id)],
        "delays": [request.at for request in here.cloud.requests("Create")],
    }


def _lived(life: Callable[[], dict[str, Any]], result: Path) -> dict[str, Any]:
    """Let a child live; what it answers, and whether it was killed."""
    result.unlink(missing_ok=True)
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            result.write_text(json.dumps(life()), encoding="utf-8")
            code = 0
        except BaseException:  # noqa: BLE001 - the parent tells the test
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    answer = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    return {"killed": os.WIFSIGNALED(status), "failed": os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0, **answer}


def main() -> None:
    """Live the lives that are asked for."""
    assert all((alembic, dbos, provisioning, sqlalchemy))  # imported once for all lives
    for line in sys.stdin:
        asked = json.loads(line)
        folder = Path(asked["folder"])
        folder.mkdir(parents=True, exist_ok=True)
        last, only = asked.get("last", 0), asked.get("only", "")
        lives: dict[str, Callable[[], dict[str, Any]]] = {
            "first": lambda: first_life(folder, asked["plan"], last, only),  # noqa: B023 - called before the loop goes on - lived before the next line is read
            "next": lambda: next_life(folder, last, only),  # noqa: B023 - called before the loop goes on
            "other": lambda: other(folder, asked["wait_seconds"]),  # noqa: B023 - called before the loop goes on
            "retrying": lambda: retrying(folder, asked["delay_ms"], last),  # noqa: B023 - called before the loop goes on
        }
        answer = _lived(lives[asked["life"]], folder / "result.json")
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
