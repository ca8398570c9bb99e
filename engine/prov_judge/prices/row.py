"""A row of a price list, whichever list it comes from."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from prov_judge.prices.price import Origin, Price


@dataclass(frozen=True, slots=True)
class PriceRow:
    """What one unit of a service's item costs in a region; `region` "" means in every one.

    Services, items and units are the words of `prov_corpus/prices/README.md`; a machine is service compute, item SKU, unit
    hours. `amount` is net of VAT; 0 only with precision free. `monthly_cap`: a month of hours never costs more.
    """

    provider: str
    region: str
    service: str
    item: str
    unit: str
    amount: Decimal
    currency: str
    as_of: date | None
    source: str
    precision: str = "listed"
    origin: Origin = "list"
    monthly_cap: Decimal | None = None

    def answer(self, region: str, *, is_fallback: bool) -> Price:
        """The row as the book answers it; a row for every region takes the region that was asked for."""
        return Price(
            amount=self.amount,
            unit=self.unit,
            currency=self.currency,
            region=self.region or region,
            origin=self.origin,
            as_of=self.as_of,
            source=self.source,
            precision=self.precision,
            is_fallback=is_fallback,
            monthly_cap=self.monthly_cap,
        )
