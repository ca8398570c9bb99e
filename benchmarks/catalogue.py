"""All benchmarks, in the order of the table: those with a goal first within their area."""

from benchmarks import (
    configurations,
    engine,
    faces,
    index,
    judgement,
    memory,
    prices,
    retrieval,
    startup,
    vault_beside,
    vault_crypto,
    vault_limits,
)
from benchmarks.measure import Benchmark

BENCHMARKS: tuple[Benchmark, ...] = (
    *startup.BENCHMARKS,
    *memory.BENCHMARKS,
    *faces.BENCHMARKS,
    *configurations.BENCHMARKS,
    *prices.BENCHMARKS,
    *judgement.BENCHMARKS,
    *engine.BENCHMARKS,
    *retrieval.BENCHMARKS,
    *index.BENCHMARKS,
    *vault_beside.BENCHMARKS,
    *vault_limits.BENCHMARKS,
    *vault_crypto.BENCHMARKS,
)
