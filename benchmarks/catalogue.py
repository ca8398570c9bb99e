"""All benchmarks, in the order of the table: those with a goal first within their area."""

from benchmarks import configurations, faces, judgement, memory, prices, startup
from benchmarks.measure import Benchmark

BENCHMARKS: tuple[Benchmark, ...] = (
    *startup.BENCHMARKS,
    *memory.BENCHMARKS,
    *faces.BENCHMARKS,
    *configurations.BENCHMARKS,
    *prices.BENCHMARKS,
    *judgement.BENCHMARKS,
)
