"""What one evaluation may use."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a worker and of a job: bytes, seconds.

    `deadline_seconds` is wall time, counted twice at most: once while waiting for a free worker, once while it works.
    """

    memory_bytes: int = 1 << 30
    cpu_seconds: int = 10
    deadline_seconds: float = 10.0
    max_source_bytes: int = 1 << 20
    max_result_bytes: int = 16 << 20
    jobs_per_worker: int = 50
