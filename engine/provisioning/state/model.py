"""The rows of the state as values. Times are seconds since 1970."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from provisioning.resource import Recorded

OperationKind = Literal["apply", "rollback", "workflow", "refresh", "edit"]
OperationStatus = Literal[
    "waiting_for_approval",
    "queued",
    "running",
    "succeeded",
    "failed",
    "rolling_back",
    "rolled_back",
    "cancelled",
    "denied",
    "expired",
]
FINAL: frozenset[str] = frozenset({"succeeded", "failed", "rolled_back", "cancelled", "denied", "expired"})
StepStatus = Literal["pending", "running", "waiting", "succeeded", "failed", "skipped", "undone", "undo_failed"]


@dataclass(frozen=True, slots=True)
class Head:
    """Where the state stands: its lineage (a UUID made once), its serial (0 is empty), and the hash of that serial."""

    lineage: str
    serial: int
    hash: str


@dataclass(frozen=True, slots=True)
class Serial:
    """One change of the state. `hash` covers `parent`, the number and `changes` (addresses with what became of them)."""

    number: int
    parent: str
    hash: str
    made_at: float
    operation: str
    by: str
    reason: str
    changes: Mapping[str, Literal["create", "update", "delete"]]


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the history is not what it was: `said` is one sentence. A serial of 0 is what belongs to none."""

    serial: int
    said: str


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write. `token` grows with every holder (fencing): a write under an older one is refused."""

    token: int
    holder: str
    """The executor, `host/pid/start`, so that a dead one on this machine is known at once."""
    operation: str
    since: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Operation:
    """Something long: an apply, its rollback, a workflow. `id` is also the durable workflow's id."""

    id: str
    kind: OperationKind
    status: OperationStatus
    plan_id: str
    plan_sha256: str
    title: str
    by: str
    made_at: float
    started_at: float = 0.0
    ended_at: float = 0.0
    error: str = ""
    parent: str = ""
    """Of a rollback the operation that it undoes."""
    wants_cancel: bool = False
    executor: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.status in FINAL


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of an operation as it went. `before` is the resource's row before it, for the way back."""

    operation: str
    step: str
    address: str
    action: str
    status: StepStatus
    attempts: int = 0
    started_at: float = 0.0
    ended_at: float = 0.0
    error: str = ""
    said: str = ""
    """The last words of its progress."""
    before: Recorded | None = None
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intent:
    """A call to a provider, written down before it is made; `outcome` is empty until its result is."""

    id: int
    operation: str
    step: str
    attempt: int
    address: str
    provider: str
    call: str
    part: str
    begun_at: float
    ended_at: float = 0.0
    outcome: Literal["", "done", "failed"] = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan as it is kept: `body` is its canonical JSON. At most one of used, denied, replaced."""

    id: str
    sha256: str
    body: bytes
    made_at: float
    expires_at: float
    used_by: str = ""
    """The operation that took it."""
    denied_by: str = ""
    denied_why: str = ""


@dataclass(frozen=True, slots=True)
class StoredApproval:
    """An approval as it is kept; `approval.verify` says whether it holds."""

    plan_sha256: str
    approver: str
    way: Literal["signature", "elicitation"]
    document: bytes
    """What was signed (canonical JSON)."""
    signature: bytes
    made_at: float
    expires_at: float
    used_by: str = ""
