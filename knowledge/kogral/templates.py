"""The bodies of decisions and executions: fixed sections, in which what a user says stays where it was put."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from kogral.errors import NodeRefusedError
from kogral.node import as_text
from kogral.safe_text import as_block, as_item, as_line

NONE = "(none)"
NOT_SAID = "(not recorded)"


def decision(context: str, decided: str, consequences: str, alternatives: str) -> str:
    """An ADR."""
    sections = [("Context", context), ("Decision", decided), ("Consequences", consequences)]
    sections += [("Alternatives", alternatives)] if alternatives.strip() else []
    return _sections((title, as_block(text) or NOT_SAID) for title, text in sections)


def execution(
    title: str, context: str, times: Sequence[datetime | None], root_cause: str, resolution: str, actions: Sequence[str],
    related: Sequence[str],
) -> str:  # fmt: skip
    """A postmortem or the record of an execution. `times` are when it started, was detected and was resolved.

    Raises NodeRefusedError for times that are not in order.
    """
    started, detected, resolved = times
    known = [one for one in times if one is not None]
    if known != sorted(known):
        raise NodeRefusedError(
            "the times are not in order", hint="started, then detected, then resolved: 2026-01-22T10:00, 2026-01-22T10:05, ..."
        )
    took = words_of(resolved - started) if started and resolved else NOT_SAID
    told = (("Started", started), ("Detected", detected), ("Resolved", resolved))
    timeline = [f"- **{name}**: {as_text(one) if one else NOT_SAID}" for name, one in told] + [f"- **Duration**: {took}"]
    first = f"# {as_line(title)}\n\n" + (f"{as_block(context)}\n\n" if context.strip() else "")
    return first + _sections(
        [
            ("Timeline", "\n".join(timeline)),
            ("Root Cause", as_block(root_cause) or NOT_SAID),
            ("Resolution", as_block(resolution) or NOT_SAID),
            ("Action Items", "\n".join(f"- [ ] {as_item(one)}" for one in actions) or NONE),
            ("Related Resources", "\n".join(f"- {as_item(one)}" for one in related) or NONE),
        ]
    )


def words_of(duration: timedelta) -> str:
    """`1 h 5 min`, `42 s`."""
    seconds = round(duration.total_seconds())
    parts = [(seconds // 86_400, "d"), (seconds % 86_400 // 3_600, "h"), (seconds % 3_600 // 60, "min"), (seconds % 60, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"


def _sections(parts: Iterable[tuple[str, str]]) -> str:
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in parts) + "\n"
