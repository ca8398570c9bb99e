"""Values of the engine as answers write them."""

from datetime import UTC, datetime


def moment(seconds: float) -> str | None:
    """A time in UTC, to the second; None for what has not happened."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds else None
