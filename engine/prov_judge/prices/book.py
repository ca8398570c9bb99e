"""The price book: the shipped lists, with a workspace's updated and negotiated prices laid over them."""

import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from prov_corpus import prices
from prov_corpus.catalogue import checked_provider, price_region, reference_region
from prov_corpus.prices import ANY_REGION
from prov_corpus.prices.compute import prices_of
from prov_judge.prices.price import Origin, Price
from prov_judge.prices.row import PriceRow
from stratumops.errors import InvalidInputError

COMPUTE = "compute"
MACHINE_UNIT = "hours"
_STRONGEST_FIRST: tuple[Origin, ...] = ("negotiated", "updated", "list")

_Place = tuple[str, str, str, str]  # provider, region, service, item
_Overlay = Mapping[Origin, Mapping[_Place, PriceRow]]


class PriceBook:
    """Answers what something costs; immutable. What no list holds is None, never zero; `local` has only a user's own rates.

    For a region, negotiated prices win over updated ones and those over the list; a row for its region of the price list
    (Hetzner's `eu`), or for every region, counts as the region's own. Only when all of them are silent does another region
    answer, and its price says so (`is_fallback`): the provider's reference region, then the others of the list's currency, by
    name.
    """

    def __init__(self, overlay: _Overlay) -> None:
        self._overlay = overlay
        known: dict[tuple[str, str, str], dict[str, None]] = {}
        for rows in overlay.values():
            for provider, region, service, item in rows:
                known.setdefault((provider, service, item), {})[region] = None
        self._regions_of = known

    @classmethod
    def shipped(cls) -> "PriceBook":
        """The shipped lists alone; the same book each time. Nothing is read before the first question."""
        return _shipped()

    def with_rows(self, rows: Iterable[PriceRow]) -> "PriceBook":
        """A book in which these rows win over rows of the same origin that are in this one.

        Raises InvalidInputError for an unknown provider, an origin "list", a machine that is not billed by the hour, or an
        amount that is not above zero without being free.
        """
        overlay: dict[Origin, dict[_Place, PriceRow]] = {origin: dict(known) for origin, known in self._overlay.items()}
        for row in rows:
            _check(row)
            overlay.setdefault(row.origin, {})[row.provider, row.region, row.service, row.item] = row
        return PriceBook(overlay)

    def machine(self, provider: str, region: str, sku: str) -> Price | None:
        """The price of an hour of a machine, by the SKU's exact name; at `local` of `vcpu` or `memory_gb`, the user's rates."""
        return self.service(provider, region, COMPUTE, sku)

    def service(self, provider: str, region: str, service: str, item: str) -> Price | None:
        """The price of an item of a service. Raises InvalidInputError for an unknown provider, for nothing else."""
        found = self._in_region(provider, region, service, item)
        if found is not None:
            return found.answer(region, is_fallback=False)
        reference, currency = reference_region(provider), _list_currency(provider)
        others = {*_listed_regions(provider, service, item), *self._regions_of.get((provider, service, item), ())}
        for place in dict.fromkeys((reference, *sorted(others))):
            found = self._in_region(provider, place, service, item)
            if found is not None and (place == reference or currency in {None, found.currency}):
                return found.answer(place, is_fallback=True)
        return None

    def items(self, provider: str, service: str) -> list[str]:
        """Known items of a service over all regions, sorted; of machines those that no list has a price of as well."""
        found = set(self.priced_items(provider, service))
        if service == COMPUTE:
            found |= set(prices.skus(provider))
        return sorted(found)

    def priced_items(self, provider: str, service: str) -> list[str]:
        """Items of a service that have a price in some region, sorted: for hints."""
        found = {item for of, named, item in self._regions_of if (of, named) == (provider, service)}
        if service == COMPUTE:
            found |= {offer.sku for region in prices.priced_regions(provider) for offer in prices_of(provider, region)}
        else:
            found |= {item for _, named, item in prices.service_prices(provider) if named == service}
        return sorted(found)

    def currency(self, provider: str) -> str | None:
        """The currency of a provider's shipped list; None where it has none. Raises InvalidInputError for an unknown provider."""
        return _list_currency(provider)

    def overlaid(self, origin: Origin) -> Iterable[PriceRow]:
        """The workspace's own rows of an origin."""
        return self._overlay.get(origin, {}).values()

    def regions(self, provider: str) -> list[str]:
        """Regions that have a price of their own in any list, sorted. Raises InvalidInputError for an unknown provider."""
        found = set(prices.priced_regions(provider)) | {region for region, _, _ in prices.service_prices(provider)}
        found |= {region for (of, _, _), places in self._regions_of.items() if of == provider for region in places}
        return sorted(found - {ANY_REGION})

    def _in_region(self, provider: str, region: str, service: str, item: str) -> PriceRow | None:
        """The strongest row that holds in a region: each list's row for it, for its region of the price list, for all."""
        places = tuple(dict.fromkeys((region, price_region(provider, region), ANY_REGION)))
        for origin in _STRONGEST_FIRST:
            rows = self._overlay.get(origin, {})
            for place in places:
                found = (
                    _listed(provider, place, service, item) if origin == "list" else rows.get((provider, place, service, item))
                )
                if found is not None:
                    return found
        return None


@functools.cache
def _shipped() -> PriceBook:
    return PriceBook(MappingProxyType({}))


def _listed(provider: str, region: str, service: str, item: str) -> PriceRow | None:
    """The shipped list's row of exactly that region."""
    if service == COMPUTE:
        if not region or region not in prices.priced_regions(provider):
            return None
        offer = prices.price(provider, region, item)
        if offer is None:
            return None
        return PriceRow(
            provider,
            offer.region,
            COMPUTE,
            item,
            MACHINE_UNIT,
            offer.hourly,
            offer.currency,
            offer.as_of,
            offer.source,
            monthly_cap=offer.monthly_cap,
        )
    row = prices.service_prices(provider).get((region, service, item))
    if row is None:
        return None
    return PriceRow(provider, region, service, item, row.unit, row.unit_price, row.currency, row.as_of, row.source, row.precision)


@functools.lru_cache(4096)
def _listed_regions(provider: str, service: str, item: str) -> tuple[str, ...]:
    """The regions of the shipped list that have a price of an item."""
    if service == COMPUTE:
        return tuple(region for region in prices.priced_regions(provider) if prices.price(provider, region, item))
    return tuple(region for region, *named in prices.service_prices(provider) if named == [service, item])


@functools.cache
def _list_currency(provider: str) -> str | None:
    """The currency of the shipped list; None where there is none."""
    offers = prices_of(provider, reference_region(provider))
    return offers[0].currency if offers else None


def _check(row: PriceRow) -> None:
    checked_provider(row.provider)
    if row.origin == "list":
        problem, hint = "a shipped price is not laid over the shipped list", "say updated or negotiated"
    elif row.amount < 0 or (row.amount == 0) != (row.precision == "free"):
        problem, hint = f"{row.amount} is not a price", "write an amount above zero; zero only for what is free"
    elif row.service == COMPUTE and row.unit != MACHINE_UNIT:
        problem, hint = f"{row.unit!r} is not how machines are priced", f"write the price of one unit as {MACHINE_UNIT}"
    else:
        return
    where = {"provider": row.provider, "service": row.service, "item": row.item}
    raise InvalidInputError(f"{row.provider} {row.service}/{row.item}: {problem}", hint=hint, **where)
