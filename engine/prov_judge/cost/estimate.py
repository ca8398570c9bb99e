"""What a month of a configuration costs: every resource, its parts, what has no price, and what could cost less."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

from prov_corpus import catalogue
from prov_corpus.prices.table import CURRENCIES
from prov_corpus.similar import nearest
from prov_gen.effective import provider_of
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import Item, resources
from prov_judge.cost.model import DEPENDS, USAGES, Estimate, Usage
from prov_judge.cost.place import Pricing
from prov_judge.cost.rules import price_item
from prov_judge.cost.savings import savings
from prov_judge.prices.age import OLD_DAYS, is_old
from stratumops.errors import InvalidInputError

if TYPE_CHECKING:
    from prov_judge.prices.book import PriceBook

LEAST_RATE, MOST_RATE = Decimal("0.000001"), Decimal(1_000_000)
"""What 1 of a currency may be in USD."""

_NO_RATES: Mapping[str, Decimal] = MappingProxyType({})


def estimate(
    config: InfrastructureConfig,
    *,
    book: "PriceBook",
    region: str | None = None,
    usage: Usage = "medium",
    rates: Mapping[str, Decimal] = _NO_RATES,
    today: date | None = None,
    must_have_region: bool = True,
) -> Estimate:
    """The bill of a month (730 hours), net of VAT, in the currencies of the price lists.

    `region`: everything of the configuration's provider is priced as if it were there. `rates`: what 1 of a currency is in
    USD, from 0.000001 to 1,000,000; only with them is there a total in one currency. `today`: old prices are pointed out,
    and versions past their end are billed as the provider bills those. Without `must_have_region` a region that the
    configuration's provider does not have changes nothing, and a note says so. Raises InvalidInputError for an unknown
    region or usage, and for a rate that is none.
    """
    if usage not in USAGES:
        raise InvalidInputError(f"{str(usage)[:40]!r} is not a usage", hint=f"use {', '.join(USAGES)}", usage=str(usage)[:40])
    _check_rates(rates)
    there = None if region is None else _find_region(config, book, region)
    if region is not None and there is None and must_have_region:
        raise _unknown_region(config.provider, region)
    pricing = Pricing(config, book, usage, there, today)
    items = billed(config)
    costs = tuple(price_item(item, pricing) for item in items)
    found = Estimate(
        resources=costs,
        usage=usage,
        savings=tuple(savings(items, costs, pricing)),
        unpriced=tuple((cost.address, part.name, part.hint) for cost in costs for part in cost.parts if part.price is None),
        rates=dict(rates),
    )
    notes = tuple(_notes(found, pricing, today))
    if region is not None and there is None:
        notes = (f"{config.provider} has no region {region[:60]!r}: it is priced in its own regions", *notes)
    return replace(found, notes=notes)


class Estimator:
    """A price book as the limits of a configuration ask for it (`prov_gen.layers.limits.Pricer`)."""

    def __init__(self, book: "PriceBook", *, today: date, usage: Usage = "medium") -> None:
        self._book = book
        self._today = today
        self._usage: Usage = usage

    def monthly(self, config: InfrastructureConfig) -> Mapping[str, Decimal]:
        """Known cost of a month by currency (ISO 4217): the totals that `estimate` gives on that day."""
        pricing = Pricing(config, self._book, self._usage, today=self._today)
        costs = tuple(price_item(item, pricing) for item in billed(config))
        return Estimate(costs, self._usage).totals()


def billed(config: InfrastructureConfig) -> list[Item]:
    """The resources of a configuration; what only says how things shall be is none."""
    return [item for item in resources(config) if item.kind.is_resource]


def _find_region(config: InfrastructureConfig, book: "PriceBook", region: str) -> str | None:
    """The id of a region of the configuration's provider, by id, name or alias; None where that provider has no such one."""
    provider = config.provider
    if region in catalogue.regions(provider) or region in book.regions(provider):
        return region
    found = catalogue.find_region(provider, region)
    return found.id if found else None


def _first_regions(provider: str) -> list[str]:
    return list(catalogue.regions(provider))[:3]


def _unknown_region(provider: str, region: str) -> InvalidInputError:
    known = catalogue.regions(provider)
    near = catalogue.nearest_regions(provider, region[:100]) or _first_regions(provider)
    return InvalidInputError(
        f"{region[:60]!r} is not a known region of {provider}",
        hint=f"use {', '.join(near)}",
        region=region[:60],
        known=list(known),
    )


def _check_rates(rates: Mapping[str, Decimal]) -> None:
    for currency, rate in rates.items():
        if currency not in CURRENCIES:
            near = nearest(currency[:20], sorted(CURRENCIES)) or sorted(CURRENCIES)[:5]
            raise InvalidInputError(
                f"{currency[:20]!r} is not a known currency", hint=f"use {', '.join(near)}", currency=currency[:20]
            )
        if not rate.is_finite() or not LEAST_RATE <= rate <= MOST_RATE or (currency == "USD" and rate != 1):
            raise InvalidInputError(
                f"{str(rate)[:40]} is no rate for {currency}",
                hint=f"say what 1 {currency} is in USD, such as 1.08",
                currency=currency,
            )


def _notes(found: Estimate, pricing: Pricing, today: date | None) -> Iterator[str]:
    yield from _about_regions(found, pricing)
    if today is not None:
        yield from _about_age(found, today)
    if any(part.is_usage for _, part in found.parts()):
        yield f"parts that say {DEPENDS!r} are priced at {found.usage} usage"
    if found.unpriced:
        yield f"parts without a known price, not in the total: {len(found.unpriced)}"
    config = pricing.config
    if any(cluster.addons.ingress_nginx for cluster in config.clusters) and not config.load_balancers:
        yield "ingress controllers of clusters ask the provider for a load balancer: declare it to have it priced"
    if config.security and config.security.threat_detection:
        yield "threat detection is billed by what it reads and is not priced here"
    if found.savings:
        yield "each saving is for that change alone: of two changes to one plan only one can be made"


def _about_regions(found: Estimate, pricing: Pricing) -> Iterator[str]:
    for provider, region in pricing.unknown_regions():
        near = catalogue.nearest_regions(provider, region[:100])
        advice = f"did you mean {' or '.join(near)}" if near else f"known are such as {', '.join(_first_regions(provider))}"
        yield f"{region[:60]!r} is not a known region of {provider}, its prices are those of another one ({advice})"
    elsewhere = Counter(
        (part.place, part.price.region) for _, part in found.parts() if part.price is not None and part.price.is_fallback
    )
    for (place, priced), count in sorted(elsewhere.items()):
        parts = "1 part" if count == 1 else f"{count} parts"
        yield f"{parts} in {place}: the price is that of {priced}, none is known there"
    if pricing.region is None:
        return
    others = sorted({provider_of(item.record, pricing.config) for item in billed(pricing.config)} - {pricing.config.provider})
    yield f"resources of {pricing.config.provider} are priced as if they were in {pricing.region}"
    if others:
        yield f"resources of {', '.join(others)} keep their own regions"


def _about_age(found: Estimate, today: date) -> Iterator[str]:
    dates = [part.price.as_of for _, part in found.parts() if part.price is not None and part.price.as_of is not None]
    old = [day for day in dates if is_old((today - day).days)]
    if old:
        parts = "1 part" if len(old) == 1 else f"{len(old)} parts"
        yield f"prices older than {OLD_DAYS} days: {parts}, the oldest of {min(old)}; refresh them (prov prices update)"
