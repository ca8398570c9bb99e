"""Load on an HTTP server from a process of its own: `python -m benchmarks.vault_load`, a Plan as JSON on stdin, a Load on stdout.

Each connection sends the next request when the answer to its last one is there (a closed loop). Requests are bytes that were made
before; of an answer only the status and the length are read, so that the server is what is measured.
"""

import asyncio
import json
import math
import subprocess
import sys
import time
from array import array
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from benchmarks.measure import NotMeasuredError

CONNECTIONS = 16
ALL_KEYS = 100_000_000
"""As many as eight digits name."""
_PATIENCE = 30.0
"""Seconds beyond those of the plan after which a load is given up."""
_LENGTH = b"content-length:"
_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to send for how long, in seconds. `{}` in the path is the number of the request, eight digits, counted modulo `keys`.

    With `requests` the load ends when so many were sent, however long that takes, and all are counted.
    """

    port: int
    token: str = field(repr=False)
    method: str
    path: str
    body: str = ""
    first: int = 0
    keys: int = ALL_KEYS
    seconds: float = 2.0
    warm_up: float = 0.3
    connections: int = CONNECTIONS
    requests: int = 0


@dataclass(frozen=True, slots=True)
class Load:
    """What came back. Times are milliseconds; `sent` counts the warm-up too."""

    per_second: float
    p50: float
    p99: float
    answers: int
    sent: int


def run(plan: Plan) -> Load:
    """Run a plan in another process. Raises NotMeasuredError when the server answers with anything but success."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.vault_load"],
        input=json.dumps(asdict(plan)),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parent.parent,
        timeout=plan.seconds + plan.warm_up + plan.requests / 100 + _PATIENCE,
    )
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise NotMeasuredError(f"{plan.method} {plan.path}: the load ended: {last}")
    return Load(**json.loads(done.stdout))


class _Work:
    """What all connections share: the requests and the times."""

    def __init__(self, plan: Plan) -> None:
        head = (
            f"{plan.method} {{}} HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\nX-Vault-Token: {plan.token}\r\n"
            "Content-Type: application/json\r\n"
        )
        if plan.body:
            head += f"Content-Length: {len(plan.body)}\r\n"
        text = head.format(f"/v1/{plan.path}") + "\r\n" + plan.body
        before, number, after = text.partition("{}") if "{}" in plan.path else (text, "", "")
        self._before, self._after, self._is_numbered = before.encode(), after.encode(), bool(number)
        self._keys = plan.keys
        self._next = plan.first
        self.times = array("d")
        self.sent = 0
        self._limit = plan.requests
        self.counts_from = self.ends = 0.0
        self.failure = ""
        self.done = asyncio.Event()
        self.live = 0

    def request(self) -> bytes:
        """The bytes of the next request."""
        self.sent += 1
        if not self._is_numbered:
            return self._before
        number = self._next % self._keys
        self._next += 1
        return b"%b%08d%b" % (self._before, number, self._after)

    def is_over(self, now: float) -> bool:
        """Whether nothing more is to be sent."""
        return self.sent >= self._limit if self._limit else now >= self.ends

    def stop(self, failure: str = "") -> None:
        """A connection has ended."""
        self.failure = self.failure or failure
        self.live -= 1
        if self.live == 0 or failure:
            self.done.set()


class _Connection(asyncio.Protocol):
    def __init__(self, work: _Work) -> None:
        self._work = work
        self._transport: asyncio.Transport | None = None
        self._seen = b""
        self._began = 0.0
        self._is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are none by their class
        self._work.live += 1
        self._send()

    def _send(self) -> None:
        assert self._transport is not None
        self._began = time.perf_counter()
        self._transport.write(self._work.request())

    def data_received(self, data: bytes) -> None:
        if self._seen:
            data = self._seen + data
        end = data.find(_END)
        if end < 0 or len(data) < end + 4 + _length(data, end):
            self._seen = data
            return
        self._seen = b""
        now, work = time.perf_counter(), self._work
        if data[9:10] != b"2":
            work.stop(f"the answer was {data[:300].decode('latin-1')!r} ... {data[end : end + 300].decode('latin-1')!r}")
            return
        if self._began >= work.counts_from and now < work.ends:
            work.times.append(now - self._began)
        if not work.is_over(now):
            self._send()
        elif self._transport is not None:
            self._is_over = True
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._work.stop("" if self._is_over else f"the server closed the connection: {exc}")


def _length(data: bytes, end: int) -> int:
    head = data[: end + 2].lower()
    at = head.find(_LENGTH)
    if at < 0:
        if data[9:12] == b"204":
            return 0
        raise ValueError("an answer without Content-Length")
    at += len(_LENGTH)
    return int(head[at : head.index(b"\r\n", at)])


async def _run(plan: Plan) -> Load:
    work = _Work(plan)
    now = time.perf_counter()
    if plan.requests:
        work.counts_from, work.ends = now, math.inf
    else:
        work.counts_from, work.ends = now + plan.warm_up, now + plan.warm_up + plan.seconds
    loop = asyncio.get_running_loop()
    for _ in range(plan.connections):
        await loop.create_connection(lambda: _Connection(work), "127.0.0.1", plan.port)
    await work.done.wait()
    if work.failure:
        raise NotMeasuredError(work.failure)
    times = sorted(work.times)
    if len(times) < 100:
        raise NotMeasuredError(f"{len(times)} answers are too few")
    p50, p99 = times[len(times) // 2] * 1000, times[len(times) * 99 // 100] * 1000
    seconds = time.perf_counter() - now if plan.requests else plan.seconds
    return Load(len(times) / seconds, p50, p99, len(times), work.sent)


def main() -> int:
    """Read a plan, run it, tell the result."""
    import uvloop

    plan = Plan(**json.loads(sys.stdin.read()))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            load = runner.run(_run(plan))
        except NotMeasuredError as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps(asdict(load)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
