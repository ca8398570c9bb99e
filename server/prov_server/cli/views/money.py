"""Amounts of money, quantities and prices as people read them."""

from decimal import Decimal


def money(amount: Decimal, currency: str) -> str:
    """Such as "742.64 USD"."""
    return f"{two_places(amount)} {currency}"


def signed(amount: Decimal, currency: str) -> str:
    """Such as "+12.00 USD"."""
    return f"{'+' if amount >= 0 else '-'}{money(abs(amount), currency)}"


def two_places(amount: Decimal) -> str:
    """Two decimals; what rounds to nothing and is not nothing says so."""
    rounded = f"{amount:,.2f}"
    return "< 0.01" if amount > 0 and rounded == "0.00" else rounded


def quantity(number: Decimal) -> str:
    """With thousands separated, at most two decimals, none that are zero."""
    text = f"{number:,.2f}"
    return text.rstrip("0").rstrip(".")


def unit_price(amount: Decimal) -> str:
    """All decimals that say something, six at most after the first digit that is not zero."""
    text = f"{amount:,f}" if amount >= 1 else f"{amount:.{max(2, 5 - amount.adjusted())}f}" if amount else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def change(before: Decimal, after: Decimal, currency: str) -> str:
    """Such as "10.00 -> 15.00 USD (+5.00 USD, +50.0%)"."""
    share = f", {(after - before) / before:+.1%}" if before else ""
    return f"{two_places(before)} -> {money(after, currency)} ({signed(after - before, currency)}{share})"
