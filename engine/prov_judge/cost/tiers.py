"""Quantities that cost less beyond a border: in as many parts as they have tiers, where the tiers are known (tiers.toml)."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import pairwise

from prov_corpus.prices import PriceTiers, price_tiers
from prov_judge.cost.amount import ONE, Amount
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place

_ZERO = Decimal(0)


def tiered(
    place: Place, name: str, service: str, item: str, unit: str, each: Amount, *, count: Amount = ONE, notes: Sequence[str] = ()
) -> Iterator[Part]:
    """Parts of `count` like things with a quantity of `each`; the tiers are counted for each thing alone.

    The shipped list's own price is that of the first tier. Prices that a person brought hold for the whole quantity. Where the
    later tiers of a region are not known, the whole is at the first one's price and a note says so.
    """
    whole = place.measured(name, service, item, unit, _product(count, each), notes=notes)
    tiers = price_tiers(place.provider, service, item)
    if tiers is None or whole.price is None or whole.price.origin == "negotiated" or each.at("large") <= tiers.first:
        yield whole
        return
    if not tiers.later or whole.price.origin != "list" or whole.price.region != tiers.region:
        yield replace(whole, notes=(*whole.notes, f"first tier's price: more than {tiers.first:,} {unit} cost less"))
        return
    yield from _split(whole, tiers, unit, place, each, count)


def _split(whole: Part, tiers: PriceTiers, unit: str, place: Place, each: Amount, count: Amount) -> Iterator[Part]:
    price = whole.price
    assert price is not None
    bounds = [_ZERO, *(Decimal(above) for above, _ in tiers.later), None]
    amounts = [price.amount, *(amount for _, amount in tiers.later)]
    for (low, high), amount in zip(pairwise(bounds), amounts, strict=True):
        assert low is not None
        within = _product(count, each.map(partial(_between, low=low, high=high)))
        if not within.at("large"):
            continue
        own = replace(
            price,
            amount=amount,
            precision=tiers.precision if low else price.precision,
            source=tiers.source if low else price.source,
        )
        words = f"{whole.name}, above {low:,} {unit}" if low else whole.name
        said = (*whole.notes, *(("approximate price",) if low and "approximate price" not in whole.notes else ()))
        yield replace(whole, name=words, price=own, quantity=within.at(place.pricing.usage), range=within.range, notes=said)


def _between(all_: Decimal, low: Decimal, high: Decimal | None) -> Decimal:
    """What of a quantity lies between two borders."""
    return max(_ZERO, (all_ if high is None else min(all_, high)) - low)


def _product(count: Amount, each: Amount) -> Amount:
    if count.fixed is not None:
        return each.times(count.fixed)
    assert each.fixed is not None
    return count.times(each.fixed)
