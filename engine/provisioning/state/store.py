"""The one way to the state. Synchronous and safe to use from threads; every method is one transaction or none.

Writes that belong to an operation take its lease and are refused (LeaseLostError) once another process has taken over. A change
of resources makes a new serial, linked by hash to the one before; every serial stays and can be read again.

Every method may raise UnavailableError (the disk is full, the server is away: nothing was written, the same call works later) and
StateCorruptError (the next opening restores what there is).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from provisioning.resource import Recorded
from provisioning.state.model import (
    Break,
    Head,
    Intent,
    Lease,
    Operation,
    OperationStatus,
    Serial,
    StepRun,
    StoredApproval,
    StoredPlan,
)

LEASE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Write:
    """Under which lease, for which operation and step, by whom and why a write is made."""

    lease: Lease | None
    operation: str = ""
    step: str = ""
    by: str = ""
    reason: str = ""


class StateStore(ABC):
    """One state, of one workspace. Open it with `open_store`."""

    @abstractmethod
    def head(self) -> Head:
        """Where it stands."""

    # Resources

    @abstractmethod
    def resources(self, serial: int | None = None) -> list[Recorded]:
        """All resources by address, now or as of a serial. Raises NotFoundError for a serial that never was."""

    @abstractmethod
    def resource(self, address: str, serial: int | None = None) -> Recorded:
        """One of them. Raises NotFoundError with the nearest addresses."""

    @abstractmethod
    def put(self, one: Recorded, write: Write) -> Head:
        """Record a resource (a new serial). Raises LeaseLostError."""

    @abstractmethod
    def put_all(self, changed: Sequence[Recorded], removed: Sequence[str], write: Write) -> Head:
        """Record and remove several in one serial; nothing changed makes no serial."""

    @abstractmethod
    def remove(self, address: str, write: Write) -> Head:
        """Forget a resource (a new serial). Raises NotFoundError, LeaseLostError."""

    @abstractmethod
    def move(self, source: str, target: str, write: Write) -> Head:
        """Give a resource another address, also where others name it. Raises NotFoundError, ConflictError (taken).

        Leaves that were sealed for the old address stay as they are: who moves seals them again first.
        """

    @abstractmethod
    def note_check(self, seen: Mapping[str, tuple[str, Mapping[str, Any], float]], write: Write) -> None:
        """What a refresh saw, by address: status, differing leaves, when. Makes no serial: what is recorded stays the same."""

    @abstractmethod
    def restore(self, to: Sequence[Recorded], write: Write, *, lineage: str = "", at_least: int = 0) -> Head:
        """Make the records these and no others, in a new serial whose number is at least `at_least` (`transfer` says when).

        A state that never had a serial takes the `lineage`. Raises LeaseLostError.
        """

    @abstractmethod
    def moment(self) -> tuple[Head, list[Recorded]]:
        """Where it stands and all resources by address, of one moment."""

    @abstractmethod
    def verify_history(self) -> list[Break]:
        """Where the history is broken: hashes that do not follow, rows that are not what their serial says. Empty is whole."""

    @abstractmethod
    def serials(self, limit: int = 0) -> list[Serial]:
        """The history, newest first; 0 is all."""

    # The lease

    @abstractmethod
    def acquire(self, holder: str, operation: str, seconds: float = LEASE_SECONDS) -> Lease:
        """Take the lease: free, over, or held by a dead process of this machine or by the same operation.

        `holder` is `holder.this_process()`. Raises StateLockedError, which says who has it.
        """

    @abstractmethod
    def renew(self, lease: Lease, seconds: float = LEASE_SECONDS) -> Lease:
        """The heartbeat. Raises LeaseLostError."""

    @abstractmethod
    def release(self, lease: Lease) -> None:
        """Give it back; one that is lost is no error."""

    @abstractmethod
    def lease(self) -> Lease | None:
        """Who holds it."""

    # Operations, steps and the journal

    @abstractmethod
    def add_operation(self, operation: Operation) -> None:
        """Keep a new one. Raises ConflictError for an id that is there."""

    @abstractmethod
    def operation(self, id: str) -> Operation:  # noqa: A002 - the word of the interface
        """One, also by the beginning of its id. Raises NotFoundError."""

    @abstractmethod
    def operations(self, *, limit: int = 0, is_open: bool | None = None) -> list[Operation]:
        """Newest first."""

    @abstractmethod
    def update_operation(
        self,
        id: str,  # noqa: A002 - as above
        *,
        status: OperationStatus | None = None,
        error: str | None = None,
        executor: str | None = None,
        wants_cancel: bool | None = None,
        started_at: float | None = None,
        ended_at: float | None = None,
    ) -> Operation:
        """Change what is given; a final status stays."""

    @abstractmethod
    def put_step(self, run: StepRun) -> None:
        """Record how a step goes; `before` is kept from the first time."""

    @abstractmethod
    def steps(self, operation: str) -> list[StepRun]:
        """In the order in which they began, then the pending ones."""

    @abstractmethod
    def finish_step(self, run: StepRun, changed: Sequence[Recorded], removed: Sequence[str], write: Write) -> Head:
        """A step's result and what it changed, in one transaction. Raises LeaseLostError."""

    @abstractmethod
    def intend(self, intent: Intent, write: Write) -> int:
        """Write down that a call is about to be made; answers its id. Raises LeaseLostError."""

    @abstractmethod
    def settle(self, id: int, outcome: str, error: str = "") -> None:  # noqa: A002 - as above
        """Write down how it ended."""

    @abstractmethod
    def intents(self, *, operation: str = "", address: str = "", is_open: bool | None = None) -> list[Intent]:
        """The journal, oldest first."""

    # Plans and approvals

    @abstractmethod
    def keep_plan(self, plan: StoredPlan) -> None:
        """Keep a plan; the same one again is no error."""

    @abstractmethod
    def plan(self, id: str) -> StoredPlan:  # noqa: A002 - as above
        """One, also by the beginning of its id. Raises NotFoundError, PlanAlteredError (its body has another hash)."""

    @abstractmethod
    def plans(self, *, limit: int = 0, is_open: bool | None = None) -> list[StoredPlan]:
        """Newest first; open ones are neither used, denied nor over."""

    @abstractmethod
    def use_plan(self, id: str, operation: str) -> None:  # noqa: A002 - as above
        """Mark it used by an operation, once. Raises PlanSpentError."""

    @abstractmethod
    def deny_plan(self, id: str, by: str, why: str) -> None:  # noqa: A002 - as above
        """Mark it denied. Raises PlanSpentError."""

    @abstractmethod
    def add_approval(self, approval: StoredApproval) -> None:
        """Keep an approval."""

    @abstractmethod
    def approvals(self, plan_sha256: str) -> list[StoredApproval]:
        """Those of a plan, newest first."""

    @abstractmethod
    def use_approval(self, approval: StoredApproval, operation: str) -> None:
        """Mark it used by an operation, once (the same operation again is no error). Raises ApprovalInvalidError."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the database."""


def open_store(
    place: Path | str,
    *,
    name: str = "default",
    notify: Callable[[str], None] = lambda _said: None,
    clock: Callable[[], float] | None = None,
) -> StateStore:
    """The state in a folder (`state.db` in it, made if missing), or at a PostgreSQL URL under a `name`; migrations run first.

    `notify` is told in a sentence when something was restored. `clock` is what leases go by, for tests: this machine's in a
    folder, the server's on PostgreSQL. Raises StateTooNewError, StateCorruptError, UnavailableError, InvalidInputError (no URL).
    """
    from provisioning.state.opening import open_folder, open_url  # noqa: PLC0415 - SQLAlchemy takes its time

    if isinstance(place, str) and "://" in place:
        return open_url(place, name, clock)
    return open_folder(Path(place), notify, clock)
