"""A price as the book answers it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

Origin = Literal["list", "updated", "negotiated"]
"""The shipped list, a list price fetched later (`prov prices update`), or a customer's own (`prov prices import`)."""


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit costs. `amount` is exact and net of VAT; `unit` is `hours` (of use), `months`, `GB` (a month), ...

    `region` is the region of the price list; `is_fallback` says that it is not the one that was asked for. `monthly_cap`: a
    month of hours never costs more. `precision` is listed, derived, approximate, or what the list says.
    """

    amount: Decimal
    unit: str
    currency: str
    region: str
    origin: Origin
    as_of: date | None
    source: str
    precision: str = "listed"
    is_fallback: bool = False
    monthly_cap: Decimal | None = None
