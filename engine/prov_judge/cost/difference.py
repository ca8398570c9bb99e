"""Two estimates side by side: what each resource cost before and costs after."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from prov_judge.cost.model import Estimate, ResourceCost

Change = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Delta:
    """The same thing before and after, by currency; `delta` is after less before."""

    before: Mapping[str, Decimal]
    after: Mapping[str, Decimal]

    @property
    def delta(self) -> dict[str, Decimal]:
        """What it costs more (or, negative, less) in each currency of either."""
        nothing = Decimal(0)
        currencies = sorted({*self.before, *self.after})
        return {currency: self.after.get(currency, nothing) - self.before.get(currency, nothing) for currency in currencies}


@dataclass(frozen=True, slots=True)
class ResourceDelta:
    """One resource whose cost is not the same. `unpriced` is the number of parts without a price, before and after."""

    address: str
    change: Change
    cost: Delta
    unpriced: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs: `resources` in the order of the second estimate, removed ones last; `totals` of everything."""

    resources: tuple[ResourceDelta, ...]
    totals: Delta


def compare(before: Estimate, after: Estimate) -> Difference:
    """What changes between two estimates. Resources are the same when their addresses are; equal ones are left out."""
    old, new = _by_address(before.resources), _by_address(after.resources)
    found: list[ResourceDelta] = []
    for key in (*new, *(key for key in old if key not in new)):
        was, now = old.get(key), new.get(key)
        cost = Delta(was.monthly() if was else {}, now.monthly() if now else {})
        unpriced = _unpriced(was), _unpriced(now)
        change: Change = "added" if was is None else "removed" if now is None else "changed"
        if change != "changed" or any(cost.delta.values()) or unpriced[0] != unpriced[1]:
            found.append(ResourceDelta(key[0], change, cost, unpriced))
    return Difference(tuple(found), Delta(before.totals(), after.totals()))


def _by_address(costs: Iterable[ResourceCost]) -> dict[tuple[str, int], ResourceCost]:
    """By address; of resources that share one (an error that other layers report) none is lost."""
    found: dict[tuple[str, int], ResourceCost] = {}
    counts: dict[str, int] = {}
    for cost in costs:
        count = counts[cost.address] = counts.get(cost.address, 0) + 1
        found[cost.address, count] = cost
    return found


def _unpriced(cost: ResourceCost | None) -> int:
    return sum(part.price is None for part in cost.parts) if cost else 0
