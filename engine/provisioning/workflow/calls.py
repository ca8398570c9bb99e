"""The journal of one step: an intent before every call that changes something, its result after it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from provisioning.errors import LeaseLostError, ProviderSilentError
from provisioning.state.model import Intent
from provisioning.state.store import StateStore, Write
from stratumops.errors import StratumError

T = TypeVar("T")


class InterruptedStepError(Exception):
    """This process stops: the step goes on in the next one that resumes its operation."""


@dataclass(frozen=True)
class Journal:
    """`providers.base.Calls` of one attempt. `is_stopping` says that this process ends, `hear` takes the step's last words."""

    store: StateStore
    write: Write
    attempt: int
    address: str
    provider: str
    is_stopping: Callable[[], bool]
    wants_cancel: Callable[[], bool]
    hear: Callable[[str], None]
    clean: Callable[[str], str] = str

    def run(self, call: str, function: Callable[[], T], *, part: str = "", note: Mapping[str, Any] | None = None) -> T:  # noqa: ARG002 - notes are for providers that are asked for them; the journal names calls
        """Do one call of the provider's API between its intent and its result. Raises LeaseLostError."""
        if self.is_stopping():
            raise InterruptedStepError
        intent = Intent(
            0, self.write.operation, self.write.step, self.attempt, self.address, self.provider, call, part, time.time()
        )
        number = self.store.intend(intent, self.write)
        try:
            answer = function()
        except (ProviderSilentError, LeaseLostError):
            # Nobody knows what became of it: the intent stays open until the resource was looked up.
            raise
        except Exception as error:
            self.store.settle(number, "failed", said(error, self.clean))
            raise
        self.store.settle(number, "done")
        return answer

    def report(self, words: str) -> None:
        """Keep the words for whoever looks at the operation."""
        self.hear(words)

    def is_cancelled(self) -> bool:
        """Whether a long wait had better end."""
        return self.is_stopping() or self.wants_cancel()


def said(error: BaseException, clean: Callable[[str], str] = str) -> str:
    """An error for the record: our own words without secrets, or only the kind of what is not ours, whose text may quote them.

    A provider's error is our own with the words of its API in it: `clean` takes secrets out of them.
    """
    if not isinstance(error, StratumError):
        return f"internal: {type(error).__name__}"
    return clean(f"{error.code}: {error.message}" + (f" ({error.hint})" if error.hint else ""))
