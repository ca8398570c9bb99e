"""Where the prices of a book come from, and how old they are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from prov_corpus import PROVIDERS, prices
from prov_corpus.prices.compute import prices_of
from prov_judge.prices.book import PriceBook
from prov_judge.prices.price import Origin


@dataclass(frozen=True, slots=True)
class ListStatus:
    """The prices of one provider from one origin: their number, regions (0: they hold everywhere), currencies and dates.

    `age_days` is that of the oldest; None when no price has a date, as negotiated ones may.
    """

    provider: str
    origin: Origin
    prices: int
    regions: int
    currencies: tuple[str, ...]
    oldest: date | None
    newest: date | None
    age_days: int | None


OVERLAID: tuple[Origin, ...] = ("updated", "negotiated")

_Fact = tuple[str, str, date | None]
"""Region, currency, date of a price."""


def status(book: PriceBook, today: date) -> list[ListStatus]:
    """A row for each provider and origin that has prices: the shipped list, updated and negotiated ones."""
    found = []
    for provider in PROVIDERS:
        by_origin: dict[Origin, Iterable[_Fact]] = {"list": _shipped(provider)}
        for origin in OVERLAID:
            by_origin[origin] = [
                (row.region, row.currency, row.as_of) for row in book.overlaid(origin) if row.provider == provider
            ]
        found += [one for origin, facts in by_origin.items() if (one := _summed(provider, origin, list(facts), today))]
    return found


def _shipped(provider: str) -> list[_Fact]:
    machines: list[_Fact] = [
        (offer.region, offer.currency, offer.as_of)
        for region in prices.priced_regions(provider)
        for offer in prices_of(provider, region)
    ]
    return machines + [(row.region, row.currency, row.as_of) for row in prices.service_prices(provider).values()]


def _summed(provider: str, origin: Origin, facts: list[_Fact], today: date) -> ListStatus | None:
    if not facts:
        return None
    dates = [as_of for *_, as_of in facts if as_of is not None]
    oldest = min(dates, default=None)
    return ListStatus(
        provider=provider,
        origin=origin,
        prices=len(facts),
        regions=len({region for region, *_ in facts if region}),
        currencies=tuple(sorted({currency for _, currency, _ in facts})),
        oldest=oldest,
        newest=max(dates, default=None),
        age_days=(today - oldest).days if oldest else None,
    )
