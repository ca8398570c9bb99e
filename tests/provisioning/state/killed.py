"""A program that is killed (SIGKILL) at every point where a state's files can change, one child for each point.

`python killed.py FOLDER` prints a JSON object: how many points there were, and what was wrong after any of them.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from provisioning.resource import Recorded
from provisioning.state.model import Intent, Operation, StepRun
from provisioning.state.store import StateStore, Write, open_store


class Countdown:
    """Ends this process without a word when it has been asked so often."""

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, *_given: Any, **_named: Any) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(left: int) -> None:
    """Every statement and commit, and every write, sync, cut and rename of a file, is a point before and after it."""
    count = Countdown(left)
    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, count)
    for name in ("pwrite", "fsync", "ftruncate", "rename", "replace"):
        setattr(os, name, _around(getattr(os, name), count))


def _around(function: Callable[..., Any], count: Countdown) -> Callable[..., Any]:
    def counted(*given: Any, **named: Any) -> Any:
        if function.__name__ == "pwrite":  # also in the middle of a line
            handle, data, at = given
            half = function(handle, data[: len(data) // 2], at)
            count()
            return half + function(handle, data[half:], at + half)
        count()
        answer = function(*given, **named)
        count()
        return answer

    return counted


def one(name: str, size: int) -> Recorded:
    return Recorded(f"server.{name}", "server", "aws", "", "i", {"size": size}, {}, "Server", ())


def work(folder: Path, said: int) -> None:
    """What an apply does; each serial that was answered is told over the pipe."""

    def tell(serial: int) -> None:
        os.write(said, f"{serial}\n".encode())

    store = open_store(folder)
    store.add_operation(Operation("op", "apply", "running", "p", "s", "t", "ana", 1.0))
    lease = store.acquire("elsewhere/1/x", "op")
    write = Write(lease, "op", "step")
    tell(store.put(one("a", 1), write).serial)
    call = store.intend(Intent(0, "op", "step", 1, "server.b", "aws", "Run", "", 1.0), write)
    tell(store.finish_step(StepRun("op", "s", "server.b", "create", "succeeded"), [one("b", 1), one("a", 2)], [], write).serial)
    store.settle(call, "done")
    tell(store.remove("server.a", write).serial)
    store.close()


EXPECTED = [{}, {"server.a": 1}, {"server.a": 2, "server.b": 1}, {"server.b": 1}]


def problems(folder: Path, answered: int) -> list[str]:
    """What is wrong in a folder after a kill, when so many serials had been answered."""
    told: list[str] = []
    store = open_store(folder, notify=told.append)
    found = [f"told: {said}" for said in told]
    head = store.head()
    if head.serial < answered:
        found.append(f"serial {head.serial} where {answered} was answered")
    found += [said.said for said in store.verify_history()]
    for serial in range(head.serial + 1):
        now = {each.address: each.values["size"] for each in store.resources(serial)}
        if now != EXPECTED[serial]:
            found.append(f"serial {serial} is {now}")
    found += _use(store)
    store.close()
    with sqlite3.connect(folder / "state.db") as connection:
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            found.append("the database is damaged")
    connection.close()
    lines = [json.loads(line)["entry"]["number"] for line in (folder / "state.journal").read_text().splitlines()]
    if lines != list(range(head.serial + 2)):
        found.append(f"the journal has the serials {lines}")
    return found


def _use(store: StateStore) -> list[str]:
    """It can be written on."""
    before = store.head()
    after = store.put(one("next", 1), Write(None))
    return [] if (after.serial, after.lineage) == (before.serial + 1, before.lineage) else ["it cannot be written"]


def child(folder: Path, left: int, task: Callable[[Path, int], None]) -> tuple[bool, int]:
    """Whether the work came to its end before the kill, and the last serial that was answered."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        arm(left)
        task(folder, writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answers = pipe.read().split()
    _, status = os.waitpid(pid, 0)
    assert status in {0, signal.SIGKILL}, status
    return status == 0, int(answers[-1]) if answers else 0


def main(folder: Path) -> None:
    wrong: dict[int, list[str]] = {}
    for point in range(1, 1000):
        place = folder / str(point)
        is_done, answered = child(place, point, work)
        found = problems(place, answered)
        if found:
            wrong[point] = found
        if is_done:
            sys.stdout.write(json.dumps({"points": point, "wrong": wrong}))
            return


def restore(folder: Path, _said: int) -> None:
    open_store(folder).close()


def main_restore(folder: Path) -> None:
    """The same for the restoration of a damaged database."""
    wrong: dict[int, list[str]] = {}
    for point in range(1, 1000):
        place = folder / str(point)
        store = open_store(place)
        lineage = store.head().lineage
        for number in range(3):
            store.put(one(str(number), number), Write(None))
        before = store.resources()
        store.close()
        database = place / "state.db"
        database.write_bytes(b"\xff" * database.stat().st_size)
        is_done, _ = child(place, point, restore)
        again = open_store(place)
        if again.resources() != before or again.head().lineage != lineage or again.verify_history():
            wrong[point] = ["not what it was"]
        again.close()
        if not any(path.read_bytes()[:4] == b"\xff" * 4 for path in place.glob("state.db.damaged-*")):
            wrong.setdefault(point, []).append("the damaged file is gone")
        if is_done:
            sys.stdout.write(json.dumps({"points": point, "wrong": wrong}))
            return


if __name__ == "__main__":
    (main if sys.argv[2] == "work" else main_restore)(Path(sys.argv[1]))
