"""How often a schedule runs, from its cron expression."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache

_NAMED = {"@hourly": Decimal(24), "@daily": Decimal(1), "@weekly": Decimal(1) / 7, "@monthly": Decimal(1) / 30}
_MINUTES, _HOURS, _DAYS, _MONTHS, _WEEKDAYS = 60, 24, 30, 12, 7
_WEEKDAY_NAMES = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
_MONTH_NAMES = {
    name: number
    for number, name in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)
}
_NO_NAMES: Mapping[str, int] = {}


@lru_cache(1024)
def runs_a_day(schedule: str) -> Decimal:
    """Runs a day on average, over a year of months of 30 days.

    Fields are those of crontab(5): with a day of the month and a weekday it runs on either. A field that cannot be read counts
    as one time, so that a price is never refused for it.
    """
    if schedule in _NAMED:
        return _NAMED[schedule]
    minute, hour, day, month, weekday = schedule.replace("?", "*").split()
    times = Decimal(_times(minute, _MINUTES) * _times(hour, _HOURS))
    months = _times(month, _MONTHS, _MONTH_NAMES)
    of_month, of_week = _times(day, _DAYS), _times(weekday, _WEEKDAYS, _WEEKDAY_NAMES)
    if day != "*" and weekday != "*":
        days, of = of_month * _WEEKDAYS + of_week * _DAYS - of_month * of_week, _DAYS * _WEEKDAYS
    elif weekday != "*":
        days, of = of_week, _WEEKDAYS
    else:
        days, of = of_month, _DAYS
    return times * days * months / (of * _MONTHS)


def _times(field: str, whole: int, names: Mapping[str, int] = _NO_NAMES) -> int:
    """How many values of a field match: `*`, `*/15`, `1-5`, `0,12`, `mon-fri`."""
    count = 0
    for part in field.split(","):
        body, _, step = part.partition("/")
        first, dash, last = body.partition("-")
        low, high, every = _number(first, names), _number(last, names), _number(step, _NO_NAMES)
        if body == "*":
            span = whole
        elif dash and low is not None and high is not None:
            # A range of weekdays may go over the end of the week.
            span = high - low + 1 if high >= low else max(1, high - low + 1 + (whole if names else 0))
        else:
            span = whole - low if every is not None and low is not None else 1
        count += max(1, -(-span // (every or 1)))
    return min(count, whole)


def _number(text: str, names: Mapping[str, int]) -> int | None:
    """The value that a field names; None where it is none."""
    if text.isdecimal() and len(text) <= len(str(_MINUTES)):
        return int(text)
    return names.get(text.casefold())
