"""Resident memory of the idle server over stdio, after it has done some work, and of its Nickel workers.

RSS counts every page that a process has in memory; PSS divides shared pages among those who share them, so only PSS adds up.
Megabytes are 10^6 bytes; Linux only.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.measure import Benchmark, NotMeasuredError, Sample
from benchmarks.server import StdioServer, prov, running, workspace

STARTS = 5
CONFIG = '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'
DESCRIPTION = "two m5.large web servers behind a load balancer with a PostgreSQL database in us-east-1"


@dataclass(frozen=True, slots=True)
class Memory:
    """Megabytes of one start."""

    server_rss: float
    workers_rss: float
    total_pss: float
    workers: int


def _megabytes(process: int, field: str) -> float:
    for line in Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise NotMeasuredError(f"this kernel does not tell {field}")


def descendants(process: int) -> list[int]:
    """The processes below one, from the kernel's list of children."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        for child in map(int, (task / "children").read_text(encoding="ascii").split()):
            found += [child, *descendants(child)]
    return found


def _work(server: StdioServer) -> None:
    server.initialize()
    server.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
    server.ask("tools/list")
    for name, arguments in (("validate_config", {"config": CONFIG}), ("generate_config", {"description": DESCRIPTION})):
        if server.ask("tools/call", {"name": name, "arguments": arguments}).get("isError"):
            raise NotMeasuredError(f"{name} failed, so the server is not warm")


@cache
def starts() -> tuple[Memory, ...]:
    """Some servers, one after the other, each measured when it has listed its tools, validated and generated."""
    if not Path("/proc/self/smaps_rollup").exists():
        raise NotMeasuredError("needs Linux's /proc")
    found = []
    for _ in range(STARTS):
        with workspace() as folder, running(prov("mcp", "serve"), folder) as server:
            _work(server)
            own, below = server.process.pid, descendants(server.process.pid)
            found.append(
                Memory(
                    server_rss=_megabytes(own, "Rss"),
                    workers_rss=sum(_megabytes(child, "Rss") for child in below),
                    total_pss=sum(_megabytes(process, "Pss") for process in (own, *below)),
                    workers=len(below),
                )
            )
    return tuple(found)


def server() -> Sample:
    """The server's own process."""
    return Sample([one.server_rss for one in starts()], "RSS of the server's process, after a first validation and generation")


def workers() -> Sample:
    """Its workers together."""
    return Sample([one.workers_rss for one in starts()], f"RSS of its {starts()[-1].workers} warm Nickel workers together")


def total() -> Sample:
    """Server and workers, shared pages counted once."""
    return Sample([one.total_pss for one in starts()], "PSS of the server and its workers: shared pages counted once")


BENCHMARKS = (
    Benchmark("memory-server", "memory of the idle server", "MB", server, 150),
    Benchmark("memory-workers", "memory of its Nickel workers", "MB", workers),
    Benchmark("memory-total", "memory of all its processes", "MB", total),
)
