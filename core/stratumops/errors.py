"""The one hierarchy of errors. `code` is stable API; every face renders from these fields, never from the message.

Codes, HTTP statuses and exit codes are listed once, here; `docs/reference/errors.md` is generated from the classes.
"""

from typing import Any, ClassVar


class StratumError(Exception):
    """What went wrong, where, and what to do next.

    `message` says what was wrong, `hint` what to do about it, `details` are JSON values for programs
    (paths, lines, allowed values). None of the three ever holds a secret value.
    """

    code: ClassVar[str] = "internal"
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 10

    def __init__(self, message: str, *, hint: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = details

    def as_dict(self) -> dict[str, Any]:
        """The error as every face sends it: `{"error": {"code", "message", "hint", "details"}}`."""
        return {"error": {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details}}


class InternalError(StratumError):
    """A defect of ours; the log has the traceback, the caller never sees it."""


class InvalidInputError(StratumError):
    """The caller's arguments, configuration or settings cannot be used as they are."""

    code, http_status, exit_code = "invalid_input", 422, 2


class NotFoundError(StratumError):
    """The named thing does not exist (or the caller may not know that it does)."""

    code, http_status, exit_code = "not_found", 404, 3


class ConflictError(StratumError):
    """The thing exists already or has changed since it was read."""

    code, http_status, exit_code = "conflict", 409, 4


class PermissionDeniedError(StratumError):
    """The principal may not do this, or the path lies outside what may be read."""

    code, http_status, exit_code = "permission_denied", 403, 5


class ApprovalRequiredError(StratumError):
    """A person must approve before this changes the world."""

    code, http_status, exit_code = "approval_required", 403, 6


class BudgetExceededError(StratumError):
    """A rate, size or money limit is used up."""

    code, http_status, exit_code = "budget_exceeded", 429, 7


class UnavailableError(StratumError):
    """A part of ours cannot serve right now: a deadline passed, a worker died, a vault is sealed."""

    code, http_status, exit_code = "unavailable", 503, 8


class ExternalError(StratumError):
    """Another system (provider, storage, program) failed or answered nonsense."""

    code, http_status, exit_code = "external", 502, 9
