"""When a price is old."""

OLD_DAYS = 180
"""Prices older than this are pointed out, in estimates and in the status of the lists."""


def is_old(age_days: int) -> bool:
    """Whether a price of that age is pointed out."""
    return age_days > OLD_DAYS
