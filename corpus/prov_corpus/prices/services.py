"""Prices of services other than machines: the rows of services.csv, and what costs nothing (free.toml).

The vocabulary of services and items is in README.md. A row with a blank region holds in every region.
"""

import functools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from prov_corpus import PROVIDERS
from prov_corpus.catalogue.source import checked_provider
from prov_corpus.prices.facts import read_facts
from prov_corpus.prices.table import Table, currency, day, money, text

SERVICES_TABLE = Path(__file__).parent / "services.csv"

ANY_REGION = ""
PRECISIONS = ("listed", "derived", "approximate")


def precision(cell: str) -> str:
    """How sure a price is. What costs nothing is not in the table but in free.toml, with its reason."""
    if cell not in PRECISIONS:
        raise ValueError(f"must be one of {', '.join(PRECISIONS)}")
    return cell


def region_or_any(cell: str) -> str:
    """A region of the price list; blank for a price that holds in every region."""
    return text(cell) if cell else ANY_REGION


SERVICES_COLUMNS = {
    "provider": text,
    "region": region_or_any,
    "service": text,
    "item": text,
    "unit": text,
    "unit_price": money,
    "currency": currency,
    "precision": precision,
    "as_of": day,
    "source": text,
}


class ServicePrice(NamedTuple):
    """What one `unit` (GB for a GB-month, hours, months, IOPS, ...) of a service's item costs, net of VAT.

    `precision`: listed, derived (by arithmetic from a listed one), approximate (remembered, not checked) or free (`unit_price`
    is 0 and `source` says why).
    """

    provider: str
    region: str
    service: str
    item: str
    unit: str
    unit_price: Decimal
    currency: str
    precision: str
    as_of: date
    source: str


def open_services(path: Path) -> Table:
    """The table of service prices, in blocks of a provider; raises InvalidInputError with file, line and column."""
    return Table(path, SERVICES_COLUMNS, key=("provider", "region", "service", "item"), groups=PROVIDERS, leading=1)


def read_services(table: Table, provider: str) -> list[ServicePrice]:
    """The guarded rows of a provider; raises as `open_services`."""
    return list(map(ServicePrice._make, zip(*table.block(provider).by_name.values(), strict=True)))


@functools.cache
def free_services(provider: str) -> tuple[ServicePrice, ...]:
    """What costs nothing at a provider, in every region, and why."""
    facts = read_facts("free")
    return tuple(
        ServicePrice(
            provider=provider,
            region=ANY_REGION,
            service=row["service"],
            item=row["item"],
            unit=row["unit"],
            unit_price=Decimal(0),
            currency=facts[provider]["currency"],
            precision="free",
            as_of=facts["as_of"],
            source=row["why"],
        )
        for row in facts.get(checked_provider(provider), {}).get("rows", ())
    )


@functools.cache
def service_prices(provider: str) -> Mapping[tuple[str, str, str], ServicePrice]:
    """Every price of a provider by (region, service, item), in the order of the table; free ones last. `local` has none."""
    rows = (*read_services(_services(), checked_provider(provider)), *free_services(provider))
    return MappingProxyType({(row.region, row.service, row.item): row for row in rows})


@functools.cache
def _services() -> Table:
    return open_services(SERVICES_TABLE)
