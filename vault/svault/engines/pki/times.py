"""Times of RFC 3339 and durations, as requests write them and Vault's sentences repeat them."""

from datetime import UTC, datetime

from svault.errors import BadRequestError

_LAYOUT = "2006-01-02T15:04:05Z07:00"
_EARLIEST = datetime(1950, 1, 1, tzinfo=UTC)  # what X.509's times can hold


def parse_time(text: str) -> datetime:
    """A time of RFC 3339. Raises BadRequestError."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None or "T" not in text:
            raise ValueError  # noqa: TRY301 - the same answer as for what is no time at all
        found = found.astimezone(UTC)
        if found < _EARLIEST:
            raise ValueError  # noqa: TRY301 - as above
    except (ValueError, OverflowError):
        raise BadRequestError(f'parsing time "{text[:100]}" as "{_LAYOUT}": cannot parse "{text[:100]}" as "2006"') from None
    return found


def shown_time(moment: datetime) -> str:
    """A time as Vault's sentences write it."""
    return moment.isoformat().replace("+00:00", "Z")


def go_duration(seconds: int) -> str:
    """A duration that is not negative, as the pki engine of Vault's servers writes it (Go's form): `768h0m0s`, `1m30s`, `0s`."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"
