"""What costs less beyond a quantity (tiers.toml)."""

import functools
from dataclasses import dataclass
from decimal import Decimal

from prov_corpus.catalogue.source import checked_provider
from prov_corpus.prices.facts import read_facts


@dataclass(frozen=True, slots=True)
class PriceTiers:
    """The first tier ends at `first`; `later` are (above, price of a unit) in `region`, () where they are not known."""

    first: int
    region: str
    later: tuple[tuple[int, Decimal], ...]
    source: str
    precision: str


@functools.cache
def price_tiers(provider: str, service: str, item: str) -> PriceTiers | None:
    """The tiers of an item; None where all of it has one price. Raises InvalidInputError for an unknown provider."""
    facts = read_facts("tiers")
    found = facts.get(checked_provider(provider), {}).get(service, {}).get(item)
    if found is None:
        return None
    later = tuple((one["above"], one["price"]) for one in found.get("later", ()))
    return PriceTiers(found["first"], found.get("region", ""), later, found.get("source", facts["source"]), facts["precision"])
