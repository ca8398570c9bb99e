"""What a benchmark is and what it answers with; clocks."""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass


class NotMeasuredError(Exception):
    """A figure that cannot be taken on this machine now; the message says why, and stands in the table in its place."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The values of the single runs, in the benchmark's unit, and what a reader should know about them."""

    values: Sequence[float]
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of the values."""
        return statistics.median(self.values)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One row of the table. `goal` is the largest median that is still ok, in `unit`; without one the row only informs.

    With `at_least` it is the smallest one, and `inclusive` does not matter.

    `run` measures, in some seconds; raises NotMeasuredError.
    """

    name: str
    title: str
    unit: str
    run: Callable[[], Sample]
    goal: float | None = None
    inclusive: bool = False
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """A benchmark and its sample; `sample` is None when it could not be measured, and `reason` says why."""

    benchmark: Benchmark
    sample: Sample | None
    reason: str = ""

    @property
    def verdict(self) -> str:
        """ok, over, under, or "" where there is no goal or no figure."""
        goal = self.benchmark.goal
        if self.sample is None or goal is None:
            return ""
        median = self.sample.median
        if self.benchmark.at_least:
            return "ok" if median >= goal else "under"
        return "ok" if median < goal or (self.benchmark.inclusive and median == goal) else "over"


def measure(benchmark: Benchmark) -> Result:
    """Run one benchmark."""
    try:
        return Result(benchmark, benchmark.run())
    except NotMeasuredError as error:
        return Result(benchmark, None, str(error))


def milliseconds(call: Callable[[], object], *, runs: int, warm_up: int = 1, repeat: int = 1) -> list[float]:
    """Times of `runs` calls after some that are not counted; each value is the mean of `repeat` calls, for very short ones."""
    for _ in range(warm_up):
        call()
    values = []
    for _ in range(runs):
        started = time.perf_counter()
        for _ in range(repeat):
            call()
        values.append((time.perf_counter() - started) * 1000 / repeat)
    return values


async def milliseconds_async(call: Callable[[], Awaitable[object]], *, runs: int, warm_up: int = 1) -> list[float]:
    """As `milliseconds`, for a coroutine function."""
    for _ in range(warm_up):
        await call()
    values = []
    for _ in range(runs):
        started = time.perf_counter()
        await call()
        values.append((time.perf_counter() - started) * 1000)
    return values
