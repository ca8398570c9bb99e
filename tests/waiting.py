"""Waiting for what comes about by itself."""

import time
from collections.abc import Callable
from typing import Any

LIMIT_SECONDS = 60.0


def until(holds: Callable[[], Any], limit: float = LIMIT_SECONDS) -> None:
    """Wait until something holds. Raises AssertionError."""
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.02)
