"""Waiting for the world: told to a person, ended by a deadline or a cancellation."""

import time
from typing import Final

from provisioning.errors import ProviderBusyError
from provisioning.providers.base import Calls

PAUSE: Final = 0.2
TELL_EVERY: Final = 5  # seconds


class Waiting:
    """One wait. `what` says what shall become true, `limit` how many seconds that may take."""

    def __init__(self, what: str, limit: float, calls: Calls) -> None:
        self._what = what
        self._limit = limit
        self._calls = calls
        self._begun = time.monotonic()
        self._told = 0.0

    def go_on(self) -> None:
        """Wait a moment. Raises ProviderBusyError when it took too long, or a person cancelled."""
        passed = time.monotonic() - self._begun
        if self._calls.is_cancelled():
            raise ProviderBusyError(f"cancelled while waiting until {self._what}", hint="start it again to go on")
        if passed - self._told >= TELL_EVERY:
            self._told = passed
            self._calls.report(f"waiting until {self._what}, {passed:.0f} s")
        if passed > self._limit:
            raise ProviderBusyError(
                f"waited {passed:.0f} s in vain until {self._what}", hint="look at it with `lxc info --show-log NAME`"
            )
        time.sleep(PAUSE)
