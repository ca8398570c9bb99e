"""Whether Nickel can serve: told at once where it can, and why where it cannot."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from prov_gen.nickel import Limits, Nickel, NickelSource, NickelUnavailableError
from prov_gen.nickel.sandbox import landlock

pytestmark = pytest.mark.anyio

ENDLESS = "std.array.fold_left (fun a b => a + b) 0 (std.array.generate (fun n => std.array.length (std.array.range 0 n)) 100000)"


def kill_and_leave_a_zombie(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def program(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "nickel"
    path.write_text(text)
    path.chmod(0o755)
    return path


async def test_readiness_does_not_wait_for_a_users_program(schemas: Path) -> None:
    async with Nickel(schemas=schemas, size=1, limits=Limits(deadline_seconds=60)) as nickel:
        job = asyncio.create_task(nickel.evaluate(NickelSource(ENDLESS)))
        await nickel.ready()
        await nickel.ready()
        assert not job.done()
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job


async def test_readiness_starts_a_worker_where_there_is_none_and_the_next_job_has_it(schemas: Path) -> None:
    async with Nickel(schemas=schemas, size=1) as nickel:
        await nickel.ready()
        assert nickel._pool is not None
        (worker,) = nickel._pool._idle
        assert await nickel.evaluate(NickelSource("1 + 1")) == 2
        assert worker.jobs == 1


async def test_readiness_says_why_no_worker_starts_and_serves_when_it_can_again(schemas: Path, tmp_path: Path) -> None:
    async with Nickel(schemas=schemas, program=tmp_path / "nickel") as nickel:
        for _ in range(2):
            with pytest.raises(NickelUnavailableError, match="No such file") as caught:
                await nickel.ready()
            assert caught.value.details["reason"] == "nickel_start"
            assert "nickel.program" in caught.value.hint
        program(tmp_path, "#!/bin/sh\necho 1\n")
        await nickel.ready()


async def test_a_worker_that_was_killed_makes_nothing_ready(schemas: Path, tmp_path: Path) -> None:
    own = program(tmp_path, "#!/bin/sh\necho 1\n")
    async with Nickel(schemas=schemas, program=own, size=1) as nickel:
        await nickel.ready()
        assert nickel._pool is not None
        (worker,) = nickel._pool._idle
        kill_and_leave_a_zombie(worker.pid)
        own.unlink()
        with pytest.raises(NickelUnavailableError, match="No such file"):
            await nickel.ready()


async def test_nothing_is_ready_after_closing(schemas: Path) -> None:
    nickel = Nickel(schemas=schemas)
    await nickel.aclose()
    with pytest.raises(NickelUnavailableError) as caught:
        await nickel.ready()
    assert caught.value.details["reason"] == "nickel_closed"


@pytest.mark.parametrize("text", ["#!/bin/sh\necho hello\n", "#!/bin/sh\nexit 3\n", "#!/no/such/interpreter\n"])
async def test_a_program_that_is_no_nickel_is_unavailable_and_no_fault_of_the_text(
    schemas: Path, tmp_path: Path, text: str
) -> None:
    async with Nickel(schemas=schemas, program=program(tmp_path, text)) as nickel:
        with pytest.raises(NickelUnavailableError, match=r"the Nickel worker did not start: .*nickel"):
            await nickel.evaluate(NickelSource("1"))


@pytest.mark.skipif(landlock.abi() < 1, reason="this kernel offers no Landlock")
async def test_a_program_that_cannot_run_inside_the_sandbox_is_unavailable(schemas: Path, tmp_path: Path) -> None:
    async with Nickel(schemas=schemas, program=program(tmp_path, "#!/bin/sh\necho 1\n")) as nickel:
        with pytest.raises(NickelUnavailableError, match="cannot be run") as caught:
            await nickel.evaluate(NickelSource("1"))
        assert caught.value.details["reason"] == "nickel_start"


async def test_what_a_worker_prints_after_its_start_goes_nowhere(schemas: Path) -> None:
    async with Nickel(schemas=schemas, size=1) as nickel:
        await nickel.ready()
        assert nickel._pool is not None
        (worker,) = nickel._pool._idle
        for number in (1, 2):
            assert os.readlink(f"/proc/{worker.pid}/fd/{number}") == os.devnull  # noqa: PTH115 - no waiting in /proc


def test_a_longer_deadline_brings_the_cpu_time_to_use_it() -> None:
    limits = Limits.of(memory_megabytes=512, deadline_seconds=29.5)
    assert (limits.memory_bytes, limits.deadline_seconds, limits.granted_cpu_seconds) == (512 << 20, 29.5, 31)
    assert Limits(cpu_seconds=3, deadline_seconds=29.5).granted_cpu_seconds == 3
    assert Limits().granted_cpu_seconds > Limits().deadline_seconds
