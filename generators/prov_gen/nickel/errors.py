"""What Nickel's caller sees. Nobody needs to match on text: `details["reason"]` and the diagnostics' codes are stable.

A program that runs away or crashes the worker is the caller's input, so it is InvalidInput (422), not Unavailable: asking
again with the same text fails again. Unavailable (503) is kept for what waiting or the operator can mend.
"""

import signal
from collections.abc import Sequence

from prov_gen.nickel.diagnostics import Diagnostic
from stratumops.errors import InvalidInputError, UnavailableError


class NickelError(InvalidInputError):
    """Nickel rejected the text. `diagnostics` holds at least one; `details` has the same for programs."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics = list(diagnostics)
        first = self.diagnostics[0]
        where = ":".join(str(part) for part in (first.file, first.line, first.column) if part is not None)
        super().__init__(
            f"{where}: {first.message}" if where else first.message,
            hint=first.fix,
            reason=first.code,
            diagnostics=[diagnostic.as_dict() for diagnostic in self.diagnostics],
        )


class NickelRunawayError(NickelError):
    """The text used up a limit or crashed the worker; the worker was ended.

    Reasons: `nickel_deadline` (wall or CPU time), `nickel_crash` (memory, or nested too deeply), `nickel_result`
    (the value is too large).
    """

    def __init__(self, reason: str, message: str, *, hint: str, file: str | None = None) -> None:
        super().__init__([Diagnostic("error", reason, message, (hint,), file)])


class NickelUnavailableError(UnavailableError):
    """The evaluator cannot serve. Reasons: `nickel_busy`, `nickel_start`, `nickel_sandbox`, `nickel_closed`."""

    def __init__(self, reason: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint, reason=reason)


def crash(returncode: int | None, file: str) -> NickelRunawayError:
    """The error for a worker that ended in the middle of a job."""
    if returncode == -signal.SIGXCPU:
        return deadline(file)
    if returncode == -signal.SIGSEGV:
        message = "the program is nested or recurses too deeply, and the evaluator ended"
    elif returncode == -signal.SIGABRT:
        message = "the program needs more memory than an evaluation may use"
    else:
        message = "the program ended the evaluator: it needs too much memory, or met a defect of Nickel"
    return NickelRunawayError("nickel_crash", message, hint="look for a recursion without an end", file=file)


def deadline(file: str) -> NickelRunawayError:
    """The error for a job that did not end in its time."""
    return NickelRunawayError(
        "nickel_deadline",
        "the program did not finish in the time that an evaluation may take",
        hint="look for a recursion without an end, or split the configuration",
        file=file,
    )


def too_large(limit: int, file: str) -> NickelRunawayError:
    """The error for a value beyond the limit."""
    return NickelRunawayError(
        "nickel_result", f"the value is larger than {limit:,} bytes", hint="split the configuration", file=file
    )


def too_deep(file: str) -> NickelRunawayError:
    """The error for a value nested deeper than JSON can be read."""
    return NickelRunawayError("nickel_result", "the value is nested too deeply", hint="flatten the configuration", file=file)
