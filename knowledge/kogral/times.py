"""Moments as people type them."""

from datetime import datetime

from kogral.errors import NodeRefusedError
from kogral.files import moment


def typed(text: str | None, what: str) -> datetime | None:
    """The moment in UTC. Raises NodeRefusedError for what is none."""
    if not text:
        return None
    found = moment(text)
    if found is None:
        raise NodeRefusedError(
            f"{what}: {text[:60]!r} is no time", hint="write it as 2026-01-22T10:05 (UTC) or with a zone, +01:00"
        )
    return found


def words(text: str | None) -> list[str]:
    """The parts of a text that commas separate, without empty ones."""
    return [part for one in (text or "").split(",") if (part := one.strip())]
