"""Amounts and counts in words, the same in every form of a review."""

from collections.abc import Mapping
from decimal import Decimal

from prov_judge.cost.model import DEPENDS, Estimate


def counted(number: int, noun: str) -> str:
    """Such as "1 error", "2 errors"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def money(sums: Mapping[str, Decimal]) -> str:
    """Such as "742.64 USD, 10.00 EUR"; nothing known is "0.00"."""
    return ", ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(sums.items())) or "0.00"


def costs(estimate: Estimate) -> dict[str, str]:
    """The sum in each currency, with its range where something depends on usage."""
    low, high = estimate.totals("small"), estimate.totals("large")
    said = {}
    for currency, amount in sorted(estimate.totals().items()):
        least, most = low.get(currency, Decimal(0)), high.get(currency, Decimal(0))
        said[currency] = f"{amount:,.2f}" + (f" ({least:,.2f} to {most:,.2f}, {DEPENDS})" if least != most else "")
    return said


def totals_line(estimate: Estimate) -> str:
    """The sums in one line."""
    return ", ".join(f"{currency} {said}" for currency, said in costs(estimate).items()) or "nothing with a known price"
