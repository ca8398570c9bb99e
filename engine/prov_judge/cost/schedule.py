"""How often a schedule runs, from its cron expression."""

from decimal import Decimal
from functools import cache

_NAMED = {"@hourly": Decimal(24), "@daily": Decimal(1), "@weekly": Decimal(1) / 7, "@monthly": Decimal(1) / 30}
_MINUTES, _HOURS, _WEEKDAYS = 60, 24, 7


@cache
def runs_a_day(schedule: str) -> Decimal:
    """Runs a day on average. A field that cannot be read counts as one time, so that a price is never refused for it."""
    if schedule in _NAMED:
        return _NAMED[schedule]
    minute, hour, day, _, weekday = schedule.split()
    times = _times(minute, _MINUTES) * _times(hour, _HOURS)
    if weekday != "*":
        return Decimal(times * min(_times(weekday, _WEEKDAYS), _WEEKDAYS)) / _WEEKDAYS
    if day != "*":
        return Decimal(times * _times(day, 30)) / 30
    return Decimal(times)


def _times(field: str, whole: int) -> int:
    """How many values of a field match: `*`, `*/15`, `1-5`, `0,12`."""
    count = 0
    for part in field.split(","):
        body, _, step = part.partition("/")
        first, dash, last = body.partition("-")
        if body == "*":
            span = whole
        elif dash and _is_number(first) and _is_number(last):
            span = max(1, int(last) - int(first) + 1)
        else:
            span = whole - int(first) if _is_number(step) and _is_number(first) else 1
        every = int(step) if _is_number(step) and int(step) else 1
        count += max(1, -(-span // every))
    return min(count, whole)


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) <= len(str(_MINUTES))
