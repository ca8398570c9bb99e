"""One lease, as it is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from svault.barrier.view import encoded
from svault.logical.engine import LeaseRecord

INTENT, ACTIVE, IRREVOCABLE = "intent", "active", "irrevocable"
TOKEN = "token"  # noqa: S105 - a kind of lease
"""The kind of the lease that ends a token."""


@dataclass(slots=True)
class StoredLease:
    """A lease. Times are seconds since the epoch; `expires` 0 never ends. `token` is the token's hash, `mount` the engine's uuid.

    `deadline` is when it ends by the clock that never jumps, set when the lease is loaded or changed.
    """

    id: str
    kind: str
    mount: str
    token: str
    internal: Mapping[str, Any] = field(default_factory=dict, repr=False)
    state: str = ACTIVE
    issued: float = 0.0
    expires: float = 0.0
    max_expires: float = 0.0
    last_renewal: float = 0.0
    is_renewable: bool = True
    attempts: int = 0
    error: str = ""
    deadline: float = 0.0

    @property
    def key(self) -> str:
        """Where it is stored, in the system's view."""
        return f"expire/{self.id}"

    def encoded(self) -> bytes:
        """As it is stored."""
        return encoded({name: getattr(self, name) for name in _STORED})

    def record(self) -> LeaseRecord:
        """As its engine gets it."""
        return LeaseRecord(self.id, self.kind, self.internal, self.issued, self.expires)


_STORED = tuple(name for name in StoredLease.__slots__ if name != "deadline")
