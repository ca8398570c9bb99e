"""Many threads and several processes on one state."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from provisioning.state.store import StateStore
from stratumops.errors import UnavailableError

from .states import WRITE, sized

THREADS = 200


def test_two_hundred_threads_write_and_read_one_state(store: StateStore):
    failed: list[BaseException] = []
    seen: list[int] = []

    def work(number: int) -> None:
        try:
            store.put(sized(f"n{number}", 1), WRITE)
            seen.append(len(store.resources()))
            store.put(sized(f"n{number % 10}", number + 2), WRITE)
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert failed == []
    assert len(store.resources()) == THREADS
    assert max(seen) <= THREADS
    assert store.head().serial == 2 * THREADS
    assert store.verify_history() == []


PROCESS = """
import sys
from provisioning.resource import Recorded
from provisioning.state.store import Write, open_store
place, state, name = sys.argv[1:]
store = open_store(place, name=state)
for number in range(30):
    store.put(Recorded(f"server.{name}-{number}", "server", "aws", "", "i", {}, {}, "Server", ()), Write(None))
store.close()
"""


def test_processes_that_write_at_once_make_one_history_and_one_journal(place: tuple[str, str], stores: Callable[..., StateStore]):
    said: list[str] = []
    store = stores(notify=said.append)
    command = [sys.executable, "-c", PROCESS, *place]
    processes = [subprocess.Popen([*command, name]) for name in ("a", "b", "c")]
    assert [one.wait(90) for one in processes] == [0, 0, 0]
    assert store.head().serial == len(store.resources()) == 90
    assert store.verify_history() == []
    store.close()
    again = stores(notify=said.append)
    assert again.head().serial == 90
    assert said == []


def test_a_closed_state_says_so(store: StateStore):
    store.close()
    for attempt in (store.head, store.resources, lambda: store.put(sized("web", 1), WRITE)):
        with pytest.raises(UnavailableError):
            attempt()
    store.close()
