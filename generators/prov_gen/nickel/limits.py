"""What one evaluation may use."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a worker and of a job: bytes, seconds.

    `deadline_seconds` is wall time, counted twice at most: once while waiting for a free worker, once while it works.
    `cpu_seconds` of None is a little more than the deadline, so that the deadline decides.
    """

    memory_bytes: int = 1 << 30
    cpu_seconds: int | None = None
    deadline_seconds: float = 10.0
    max_source_bytes: int = 1 << 20
    max_result_bytes: int = 16 << 20
    jobs_per_worker: int = 50

    @classmethod
    def of(cls, *, memory_megabytes: int, deadline_seconds: float) -> "Limits":
        """The limits that an operator sets; the rest follows from them or stays as it is."""
        return cls(memory_bytes=memory_megabytes << 20, deadline_seconds=deadline_seconds)

    @property
    def granted_cpu_seconds(self) -> int:
        """CPU time of one job, in whole seconds as the kernel counts it."""
        return math.ceil(self.deadline_seconds) + 1 if self.cpu_seconds is None else self.cpu_seconds
