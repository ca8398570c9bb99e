"""The time, as one object that is handed to whoever needs it; tests hand in one that they move."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol


class Clock(Protocol):
    """Where the vault reads the time."""

    def time(self) -> float:
        """Seconds since the epoch, UTC: what is written down and compared after a restart."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps: what waiting is measured with."""
        ...


# Counts on while the machine sleeps, where the kernel offers that.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class SystemClock:
    """This machine's clock."""

    def time(self) -> float:
        """Seconds since the epoch, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that never jumps."""
        return time.clock_gettime(_STEADY)


def rfc3339(seconds: float) -> str:
    """A time as Vault writes it: `2026-11-23T14:05:00.123456Z`; `0` is Go's zero time."""
    if not seconds:
        return "0001-01-01T00:00:00Z"
    whole = int(seconds // 1)
    microseconds = round((seconds - whole) * 1e6)
    if microseconds == 1_000_000:
        whole, microseconds = whole + 1, 0
    return f"{_to_the_second(whole)}.{microseconds:06d}Z"


@lru_cache(maxsize=256)
def _to_the_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
