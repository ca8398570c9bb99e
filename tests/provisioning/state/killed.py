"""A program that is killed (SIGKILL) at points where a state's files can change, one child for each point.

`python killed.py FOLDER work|restore MOST` prints a JSON object: how many points there are, at how many of them it was killed (so
many spread over all, or all of them), and what was wrong after any of them.
"""

import json
import os
import shutil
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
    """Ends this process without a word when it has been asked so often; never when that is 0."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.passed = 0

    def __call__(self, *_given: Any, **_named: Any) -> None:
        self.passed += 1
        if self.passed == self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def arm(left: int) -> Countdown:
    """Every statement and commit, and every write, sync, cut and rename of a file, is a point before and after it."""
    count = Countdown(left)
    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, name, count)
    for name in ("pwrite", "fsync", "ftruncate", "rename", "replace"):
        setattr(os, name, _around(getattr(os, name), count))
    return count


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


def child(folder: Path, left: int, task: Callable[[Path, int], None]) -> tuple[int, int]:
    """How many points the work came by (0 when it was killed), and the last serial that was answered."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        count = arm(left)
        task(folder, writing)
        os.write(writing, f"points {count.passed}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answers, _, points = pipe.read().partition("points")
    _, status = os.waitpid(pid, 0)
    assert status in {0, signal.SIGKILL}, status
    return int(points or 0), int((answers.split() or ["0"])[-1])


def spread(count: int, most: int) -> list[int]:
    """So many of the points, spread over all with the first and the last; all of them when `most` is 0."""
    return sorted({1 + index * (count - 1) // (most - 1) for index in range(most)} if most else set(range(1, count + 1)))


def restore(folder: Path, _said: int) -> None:
    open_store(folder).close()


def damaged(folder: Path) -> tuple[str, list[Recorded]]:
    """Make a state whose database is of nothing but ones; its lineage and what is recorded in it."""
    store = open_store(folder)
    for number in range(3):
        store.put(one(str(number), number), Write(None))
    written = store.head().lineage, store.resources()
    store.close()
    database = folder / "state.db"
    database.write_bytes(b"\xff" * database.stat().st_size)
    return written


def restored(folder: Path, before: tuple[str, list[Recorded]]) -> list[str]:
    """What is wrong in a folder after a kill in the middle of its restoration."""
    found = []
    store = open_store(folder)
    if (store.head().lineage, store.resources()) != before or store.verify_history():
        found.append("not what it was")
    store.close()
    if not any(path.read_bytes()[:4] == b"\xff" * 4 for path in folder.glob("state.db.damaged-*")):
        found.append("the damaged file is gone")
    return found


def main(folder: Path, what: str, most: int) -> None:
    model, before = folder / "model", ("", list[Recorded]())
    if what == "restore":
        before = damaged(model)
    else:
        # Opened once, so that what opening imports is there for every child.
        open_store(model).close()
        shutil.rmtree(model)

    def lived(left: int) -> tuple[int, list[str]]:
        place = folder / str(left)
        if model.exists():
            shutil.copytree(model, place)
        passed, answered = child(place, left, restore if what == "restore" else work)
        return passed, restored(place, before) if what == "restore" else problems(place, answered)

    points, found = lived(0)
    wrong = {0: found}
    chosen = spread(points, most)
    for point in chosen:
        passed, found = lived(point)
        wrong[point] = [*found, *(["it was not killed"] if passed else [])]
    told = {point: found for point, found in wrong.items() if found}
    sys.stdout.write(json.dumps({"points": points, "killed": len(chosen), "wrong": told}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
