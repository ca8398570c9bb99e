"""What hostile Nickel can reach: nothing. And the same Nickel serves on after each attempt."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from prov_gen.nickel import Limits, Nickel, NickelError, NickelRunawayError, NickelSource, NickelUnavailableError
from prov_gen.nickel.sandbox import landlock
from stratumops.errors import InvalidInputError, StratumError
from stratumops.workspace import Workspace

pytestmark = [pytest.mark.anyio, pytest.mark.skipif(landlock.abi() < 1, reason="this kernel offers no Landlock")]

CANARY = "canary-7c1e"
ENDLESS = "std.array.fold_left (fun a b => a + b) 0 (std.array.generate (fun n => std.array.length (std.array.range 0 n)) 100000)"


def children() -> set[int]:
    """Process ids of this process's children, zombies included."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            if int(stat.rpartition(")")[2].split()[1]) == os.getpid():
                found.add(int(entry.name))
    return found


def kill_and_leave_a_zombie(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def of_process(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("let rec f = fun x => f (x + 1) in f 0", "nickel_crash"),
        ('let rec f = fun n s => if n == 0 then s else f (n - 1) (s ++ s) in f 60 "aaaaaaaa"', "nickel_crash"),
        ("[" * 100_000 + "]" * 100_000, "nickel_crash"),
        ("let rec a = b, b = a in a", "nickel_recursion"),
    ],
)
async def test_a_runaway_program_is_an_error_and_the_next_one_is_served(nickel: Nickel, text: str, reason: str) -> None:
    with pytest.raises(NickelError) as caught:
        await nickel.evaluate(NickelSource(text))
    assert caught.value.details["reason"] == reason
    assert caught.value.http_status == 422
    assert await nickel.evaluate(NickelSource("{ a = 1 }")) == {"a": 1}


async def test_a_program_without_end_meets_the_deadline(schemas: Path) -> None:
    async with Nickel(schemas=schemas, limits=Limits(deadline_seconds=0.4)) as nickel:
        await nickel.warm(wait=True)
        with pytest.raises(NickelRunawayError) as caught:
            await nickel.evaluate(NickelSource(ENDLESS))
        assert caught.value.details["reason"] == "nickel_deadline"
        assert await nickel.evaluate(NickelSource("1")) == 1


async def test_a_program_may_use_only_its_cpu_time(schemas: Path) -> None:
    async with Nickel(schemas=schemas, limits=Limits(cpu_seconds=1)) as nickel:
        with pytest.raises(NickelRunawayError) as caught:
            await nickel.evaluate(NickelSource(ENDLESS))
        assert caught.value.details["reason"] == "nickel_deadline"


async def test_a_value_beyond_the_limit_is_refused(schemas: Path) -> None:
    async with Nickel(schemas=schemas, limits=Limits(max_result_bytes=1000)) as nickel:
        with pytest.raises(NickelRunawayError) as caught:
            await nickel.evaluate(NickelSource("std.array.range 0 1000"))
        assert caught.value.details["reason"] == "nickel_result"
        assert await nickel.evaluate(NickelSource("1")) == 1


def _direct(path: Path) -> str:
    return f'import "{path}" as \'Text'


def _interpolated(path: Path) -> str:
    return f'{{ a = "x%{{import "{path}" as \'Text}}" }}'


def _upwards(path: Path) -> str:
    return f'import "{"../" * 12}{str(path).lstrip("/")}" as \'Text'


@pytest.mark.parametrize("way", [_direct, _interpolated, _upwards])
@pytest.mark.parametrize("file", ["/etc/passwd", "/proc/self/environ", "/proc/self/maps", "/etc", "/dev/null"])
async def test_files_of_the_machine_cannot_be_read(
    nickel: Nickel, workspace: Workspace, way: Callable[[Path], str], file: str
) -> None:
    source = NickelSource(way(Path(file)), "main.ncl", workspace.root)
    with pytest.raises(NickelError) as caught:
        await nickel.evaluate(source, workspace=workspace)
    assert caught.value.details["reason"] == "nickel_import"
    assert "root:" not in str(caught.value.as_dict())


@pytest.mark.parametrize(
    "name",
    [
        ".env",
        ".env.json",
        ".prov/state.json",
        ".git/config.toml",
        "tls.key",
        "id_rsa",
        "secrets.json",
        "prov.toml",
        "notes.txt",
        ".kogral/x.ncl",
    ],
)
async def test_secrets_inside_the_workspace_cannot_be_read(nickel: Nickel, workspace: Workspace, name: str) -> None:
    planted = workspace.root / name
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(json.dumps({"secret": CANARY}))
    (workspace.root / "allowed.json").write_text("{}")
    for target in (name, str(planted), f"./allowed.json/../{name}"):
        for kind in ("Text", "Json"):
            source = NickelSource(f'import "{target}" as \'{kind}', "main.ncl", workspace.root)
            with pytest.raises(NickelError) as caught:
                await nickel.evaluate(source, workspace=workspace)
            assert CANARY not in str(caught.value.as_dict())
    assert await nickel.evaluate(NickelSource('import "allowed.json"', folder=workspace.root), workspace=workspace) == {}


async def test_links_out_of_the_workspace_lead_nowhere(nickel: Nickel, workspace: Workspace, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.ncl").write_text(f'"{CANARY}"')
    (workspace.root / "file.ncl").symlink_to(outside / "a.ncl")
    (workspace.root / "folder").symlink_to(outside)
    (workspace.root / "own.ncl").write_text(f'import "{outside}/a.ncl"')
    for name in ("file.ncl", "folder/a.ncl", "../outside/a.ncl", "own.ncl"):
        with pytest.raises(NickelError) as caught:
            await nickel.evaluate(NickelSource(f'import "{name}"', folder=workspace.root), workspace=workspace)
        assert CANARY not in str(caught.value.as_dict())


async def test_a_file_outside_is_refused_in_the_same_words_whether_it_exists(nickel: Nickel) -> None:
    words = []
    for path in ("/etc/passwd", "/etc/absent"):
        with pytest.raises(NickelError) as caught:
            await nickel.evaluate(NickelSource(f'import "{path}" as \'Text'))
        words.append(caught.value.message.replace(path, "PATH"))
    assert words[0] == words[1]


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ud800", "# " + "x" * (1 << 20)])
async def test_text_that_no_evaluator_should_see_starts_no_process(schemas: Path, text: str) -> None:
    before = children()
    async with Nickel(schemas=schemas) as nickel:
        with pytest.raises(InvalidInputError):
            await nickel.evaluate(NickelSource(text))
        assert children() == before


async def test_cancelling_a_caller_ends_its_worker(schemas: Path) -> None:
    before = children()
    async with Nickel(schemas=schemas, size=1) as nickel:
        await nickel.warm(wait=True)
        (worker,) = children() - before
        with pytest.raises(TimeoutError):
            # The caller's own timeout, not the evaluator's: it arrives as a cancellation in the middle of the job.
            async with asyncio.timeout(0.3):
                await nickel.evaluate(NickelSource(ENDLESS))
        assert await nickel.evaluate(NickelSource("1")) == 1
        assert worker not in children()
    assert children() == before


async def test_no_process_is_left_after_closing(schemas: Path) -> None:
    before = children()
    nickel = Nickel(schemas=schemas, size=3)
    assert children() == before
    await nickel.warm()
    assert await asyncio.gather(*(nickel.evaluate(NickelSource(f"{{ n = {n} }}")) for n in range(8))) == [
        {"n": n} for n in range(8)
    ]
    assert len(children() - before) == 3
    await nickel.aclose()
    assert children() == before
    with pytest.raises(NickelUnavailableError):
        await nickel.evaluate(NickelSource("1"))


async def test_closing_ends_running_jobs(schemas: Path) -> None:
    before = children()
    nickel = Nickel(schemas=schemas, size=2)
    running = asyncio.create_task(nickel.evaluate(NickelSource(ENDLESS)))
    # Callers are served in their order: when this one has its answer, the first has its worker.
    assert await nickel.evaluate(NickelSource("1")) == 1
    await nickel.aclose()
    with pytest.raises(NickelUnavailableError) as caught:
        await running
    assert caught.value.details["reason"] == "nickel_closed"
    assert children() == before


async def test_idle_workers_that_were_killed_are_replaced_unseen(nickel: Nickel) -> None:
    before = children()
    await nickel.warm(wait=True)
    for pid in children() - before:
        kill_and_leave_a_zombie(pid)
    assert await asyncio.gather(*(nickel.evaluate(NickelSource("1")) for _ in range(4))) == [1] * 4


async def test_a_worker_that_cannot_start_is_told_to_every_caller(schemas: Path) -> None:
    async with Nickel(schemas=schemas, limits=Limits(memory_bytes=1 << 20)) as nickel:
        await nickel.warm(wait=True)
        outcomes = await asyncio.gather(*(nickel.evaluate(NickelSource("1")) for _ in range(3)), return_exceptions=True)
        assert all(isinstance(outcome, StratumError) for outcome in outcomes)


async def test_callers_wait_for_a_free_worker_no_longer_than_the_deadline(schemas: Path) -> None:
    async with Nickel(schemas=schemas, size=1, limits=Limits(deadline_seconds=0.5)) as nickel:
        await nickel.warm(wait=True)
        calls = (nickel.evaluate(NickelSource(ENDLESS)) for _ in range(3))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        reasons = [outcome.details["reason"] for outcome in outcomes if isinstance(outcome, StratumError)]
        assert sorted(reasons) == ["nickel_busy", "nickel_busy", "nickel_deadline"]
        assert await nickel.evaluate(NickelSource("1")) == 1


async def test_a_worker_is_retired_after_its_jobs(schemas: Path) -> None:
    async with Nickel(schemas=schemas, size=1, limits=Limits(jobs_per_worker=2)) as nickel:
        seen: list[set[int]] = []
        for _ in range(4):
            await nickel.warm(wait=True)
            seen.append({worker.pid for worker in nickel._workers()._idle})
            await nickel.evaluate(NickelSource("1"))
        assert seen[0] == seen[1]
        assert not seen[1] & seen[2]
        assert seen[2] == seen[3]


async def test_a_worker_of_a_large_process_is_kept(schemas: Path) -> None:
    limits = Limits(memory_bytes=512 << 20)
    grown = b"x" * limits.memory_bytes  # a child's peak starts with its parent's
    async with Nickel(schemas=schemas, size=1, limits=limits) as nickel:
        del grown
        await nickel.evaluate(NickelSource("1"))
        (worker,) = nickel._workers()._idle
        assert worker.is_alive
        assert worker.resident_bytes < limits.memory_bytes // 2


async def test_a_worker_has_no_environment_and_an_own_session(nickel: Nickel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", CANARY)
    before = children()
    await nickel.evaluate(NickelSource("1"))
    workers = children() - before
    assert len(workers) == 1
    for pid in workers:
        assert CANARY not in of_process(pid, "environ")
        assert os.getsid(pid) == pid
        assert "NoNewPrivs:\t1" in of_process(pid, "status")


RESTRICTED = """
import os, socket, sys, threading
sys.path.append(sys.argv[1])
from sandbox import landlock
what, allowed, other, port, parent = sys.argv[2:]
if what == "thread":
    threading.Thread(target=threading.Event().wait, daemon=True).start()
landlock.restrict([allowed])
assert open(allowed).read() == "allowed"
try:
    if what == "read": open(other)
    elif what == "list": os.listdir(os.path.dirname(allowed))
    elif what == "write": open(allowed, "w")
    elif what == "connect": socket.create_connection(("127.0.0.1", int(port)), 2)
    elif what == "signal": os.kill(int(parent), 0)
    elif what == "execute": os.execv("/bin/true", ["true"])
except PermissionError:
    os._exit(77)
"""


@pytest.mark.parametrize("what", ["read", "list", "write", "connect", "signal", "execute", "thread"])
def test_landlock_leaves_single_files_only(tmp_path: Path, what: str) -> None:
    if (what == "connect" and landlock.abi() < 4) or (what == "signal" and landlock.abi() < 6):
        pytest.skip("this kernel's Landlock does not cover it")
    allowed, other = tmp_path / "allowed", tmp_path / "other"
    allowed.write_text("allowed")
    other.write_text("other")
    package = str(Path(landlock.__file__).parents[1])
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = [package, what, str(allowed), str(other), str(server.getsockname()[1]), str(os.getpid())]
        done = subprocess.run(
            [sys.executable, "-I", "-c", RESTRICTED, *arguments], capture_output=True, text=True, check=False, timeout=30
        )
    if what == "thread":
        assert "a second thread is running" in done.stderr
    else:
        assert done.returncode == 77, done.stderr


async def test_workers_die_with_the_server(schemas: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from prov_gen.nickel import Nickel\n"
        "async def main():\n"
        "    nickel = Nickel(schemas=Path(sys.argv[1]))\n"
        "    await nickel.warm(wait=True)\n"
        "    print(*(worker.pid for worker in nickel._workers()._idle), flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(schemas), stdout=asyncio.subprocess.PIPE)
    assert server.stdout is not None
    workers = [os.pidfd_open(int(pid)) for pid in (await server.stdout.readline()).split()]
    assert len(workers) == 2
    server.kill()
    await server.wait()
    loop = asyncio.get_running_loop()
    for worker in workers:
        ended = asyncio.Event()
        loop.add_reader(worker, ended.set)
        await asyncio.wait_for(ended.wait(), 10)
        loop.remove_reader(worker)
        os.close(worker)
