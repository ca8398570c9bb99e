"""The lease: one holder, a heartbeat, a token that refuses the ones before; on both databases and between real processes."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

from provisioning.errors import LeaseLostError, StateLockedError
from provisioning.state import holder
from provisioning.state.store import StateStore, Write

from .states import server

Opens = Callable[..., StateStore]
ELSEWHERE = "elsewhere/7/boot.ns.5"


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ended() -> str:
    """The holder that a process of this machine was."""
    code = "from provisioning.state.holder import this_process; print(this_process())"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_a_lease_is_taken_renewed_and_given_back(stores: Opens):
    clock = Clock()
    store = stores(clock=clock)
    assert store.lease() is None
    lease = store.acquire(holder.this_process(), "op-1", 30)
    assert store.lease() == lease
    assert (lease.token, lease.since, lease.expires_at) == (1, 1000.0, 1030.0)
    clock.now += 20
    renewed = store.renew(lease)
    assert (renewed.since, renewed.expires_at) == (1000.0, 1080.0)
    store.put(server(), Write(lease))
    store.release(lease)
    store.release(lease)
    assert store.lease() is None
    with pytest.raises(LeaseLostError):
        store.renew(lease)


def test_a_living_holder_keeps_others_out_and_they_are_told_who_it_is(stores: Opens):
    store = stores(clock=Clock())
    store.acquire(holder.this_process(), "op-1")
    with pytest.raises(StateLockedError) as caught:
        stores(clock=Clock()).acquire(ELSEWHERE, "op-2")
    said = caught.value
    host, pid, _ = holder.this_process().split("/")
    assert f"operation op-1 (process {pid} on {host}) since 1970-01-01 00:16:40 UTC" in said.message
    assert "60 s" in said.hint
    assert said.details["operation"] == "op-1"


def test_a_lease_that_is_over_is_taken_and_the_one_before_refused(stores: Opens):
    clock = Clock()
    store = stores(clock=clock)
    old = store.acquire(ELSEWHERE, "op-1")
    clock.now += 61
    new = store.acquire(holder.this_process(), "op-2")
    assert new.token == old.token + 1
    with pytest.raises(LeaseLostError, match="took it over"):
        store.put(server(), Write(old))
    with pytest.raises(LeaseLostError):
        store.renew(old)
    store.release(old)
    assert store.lease() == new
    store.put(server(), Write(new))


def test_a_late_heartbeat_holds_as_long_as_nobody_else_came(stores: Opens):
    clock = Clock()
    store = stores(clock=clock)
    lease = store.acquire(ELSEWHERE, "op-1")
    clock.now += 1000
    store.put(server(), Write(lease))
    assert store.renew(lease).expires_at == 2060.0


@pytest.mark.parametrize("jump", [-1e9, -100.0, 100.0, 1e9])
def test_a_clock_that_jumps_never_makes_two_holders(stores: Opens, jump: float):
    clock = Clock()
    store = stores(clock=clock)
    first = store.acquire(ELSEWHERE, "op-1")
    clock.now += jump
    leases = [first]
    try:
        leases.append(store.acquire(holder.this_process(), "op-2"))
    except StateLockedError:
        assert jump < 0
    clock.now -= jump
    written = []
    for lease in leases:
        try:
            store.put(server(str(lease.token)), Write(lease))
            written.append(lease.token)
        except LeaseLostError:
            continue
    assert written == [leases[-1].token]


def test_a_lock_whose_owner_died_on_this_machine_does_not_block(stores: Opens):
    """Terraform #28693: a killed apply left a lock that a person had to break by hand."""
    store = stores()
    dead = store.acquire(ended(), "op-1", 3600)
    lease = store.acquire(holder.this_process(), "op-2")
    assert lease.token == dead.token + 1
    with pytest.raises(LeaseLostError):
        store.put(server(), Write(dead))


def test_the_same_operation_takes_its_lease_over(stores: Opens):
    store = stores()
    first = store.acquire(ELSEWHERE, "op-1")
    second = store.acquire(holder.this_process(), "op-1")
    assert second.token == first.token + 1
    store.acquire(ELSEWHERE, "op-1")
    store.release(store.acquire(ELSEWHERE, "op-1"))
    store.acquire(ELSEWHERE, "")
    with pytest.raises(StateLockedError, match="a command"):
        store.acquire(ELSEWHERE, "")


def test_of_threads_that_want_the_lease_one_gets_it(stores: Opens):
    store = stores()
    won: list[int] = []

    def attempt(number: int) -> None:
        try:
            won.append(store.acquire(holder.this_process(), f"op-{number}").token)
        except StateLockedError:
            return

    threads = [threading.Thread(target=attempt, args=(number,)) for number in range(20)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert won == [1]


FIGHT = """
import sys
from provisioning.errors import LeaseLostError, StateLockedError
from provisioning.state.holder import this_process
from provisioning.state.store import Write, open_store
place, state, name, rounds = sys.argv[1:]
store = open_store(place, name=state)
from provisioning.resource import Recorded
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(rounds)):
    try:
        lease = store.acquire(this_process(), f"{name}-{number}")
    except StateLockedError:
        print("locked", flush=True)
        continue
    address = f"server.{name}-{number}"
    store.put(Recorded(address, "server", "aws", "", "i", {}, {}, "Server", ()), Write(lease))
    print("won", lease.token, flush=True)
    store.release(lease)
print("end", flush=True)
sys.stdin.readline()
"""


def test_two_processes_never_hold_the_lease_under_one_token(place: tuple[str, str], store: StateStore):
    command = [sys.executable, "-c", FIGHT, *place]
    processes = [
        subprocess.Popen([*command, name, "40"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("left", "right")
    ]
    told: list[list[str]] = []
    for one in processes:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    for one in processes:
        said, _ = one.communicate("\n", timeout=60)
        told.append(said.splitlines())
        assert one.returncode == 0
    tokens = [int(line.split()[1]) for lines in told for line in lines if line.startswith("won")]
    assert len(set(tokens)) == len(tokens) == len(store.resources())
    assert sorted(tokens) == list(range(1, len(tokens) + 1))
    assert all(lines[-1] == "end" for lines in told)
    assert store.verify_history() == []


def test_a_process_knows_itself_and_what_it_cannot_know():
    me = holder.this_process()
    host, pid, start = me.split("/")
    assert not holder.is_dead(me)
    assert holder.is_dead(ended())
    assert holder.is_dead(f"{host}/{pid}/{start}9")
    boot, namespace, ticks = start.split(".")
    for unknown in ("", "a", "a/b", f"{host}/x/{start}", f"other/{pid}/{start}9", f"{host}/{pid}/{boot}0.{namespace}.{ticks}9"):
        assert not holder.is_dead(unknown)
    assert not holder.is_dead(f"{host}/1/{boot}.{namespace}.{holder._ticks(1)}")
    assert holder.told("strange") == "strange"
    assert not holder._is_hidden(2**40)


def test_a_process_that_only_waits_to_be_buried_is_dead():
    code = "from provisioning.state.holder import this_process; print(this_process(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        process.stdout.read()  # its end: the program is over, nobody has asked for its exit code
        deadline = time.monotonic() + 30
        while not holder.is_dead(name):
            assert time.monotonic() < deadline
        assert process.returncode is None
