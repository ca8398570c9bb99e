"""What happens while a person is asked, for the audit. No passphrase and no key is ever part of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal

EventKind = Literal[
    "approved",
    "denied",
    "not_confirmed",
    "passphrase_wrong",
    "passphrase_refused",
    "approver_made",
    "approver_first",
    "approver_added",
    "approver_removed",
]


@dataclass(frozen=True, slots=True)
class ApprovalEvent:
    """One of them. `at` is seconds since 1970; `plan` and `approver` are empty where there is none; `note` is words."""

    kind: EventKind
    at: float
    user: str
    host: str
    terminal: str
    approver: str = ""
    plan: str = ""
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


OnEvent = Callable[[ApprovalEvent], None]


def unheard(_: ApprovalEvent) -> None:
    """Tells nobody."""
