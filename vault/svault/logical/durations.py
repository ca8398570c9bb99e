"""Durations as Vault's API takes them: seconds as a number or text, or Go's form (`1h30m`, `90s`, `500ms`), with `d` for days."""

import re

from svault.errors import BadRequestError

_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d)")
MAX_SECONDS = 292 * 365 * 86400  # what Go's int64 of nanoseconds holds


def parse_duration(value: object, field: str = "duration") -> int:
    """Whole seconds of a duration (a fraction is cut off). Raises BadRequestError naming the field, not the value."""
    seconds: float
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise BadRequestError(f"error converting input for field {field!r}: a duration is a number of seconds or text like 1h30m")
    if isinstance(value, str):
        text = value.strip().lower()
        negative, text = text.startswith("-"), text.removeprefix("-").removeprefix("+")
        parts = _PART.findall(text)
        if not text:
            return 0
        if re.fullmatch(r"\d{1,18}(\.\d{1,9})?", text):
            seconds = float(text)
        elif "".join(number + unit for number, unit in parts) == text:
            seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
        else:
            raise BadRequestError(f"error converting input for field {field!r}: not a duration, write it like 3600, 90s or 1h30m")
        seconds = -seconds if negative else seconds
    else:
        seconds = value
    if not -MAX_SECONDS <= seconds <= MAX_SECONDS:
        raise BadRequestError(f"error converting input for field {field!r}: the duration is too long")
    return int(seconds)


def format_duration(seconds: int) -> str:
    """A duration as Vault's warnings write it: `768h`, `1m30s`, `0s`."""
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [f"{count}{unit}" for count, unit in ((hours, "h"), (minutes, "m"), (rest, "s")) if count]
    return sign + ("".join(parts) or "0s")
