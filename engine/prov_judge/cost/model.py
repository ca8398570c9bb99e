"""An estimate: resource > part > quantity, unit, unit price, monthly.

Money is exact `Decimal`; faces round. Currencies are never added: every sum is by currency. A part without a price has
`price` None and is listed as unpriced; it is never zero. What truly costs nothing has a unit price of zero and says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, Decimal
from typing import Literal

from prov_corpus.prices import HOURS_PER_MONTH
from prov_judge.prices.price import Price

Path = tuple[str | int, ...]
Usage = Literal["small", "medium", "large"]
"""How much a configuration is used, for parts whose quantity nobody stated."""

USAGES: tuple[Usage, ...] = ("small", "medium", "large")
DEPENDS = "depends on usage"
"""What every usage-based part says of itself."""


@dataclass(frozen=True, slots=True)
class Part:
    """One line of a resource's bill.

    `quantity` is in `unit` a month. A usage-based part has `range`: its quantity at small, medium and large use; `quantity`
    is the one that was assumed. `factor` is what discounts leave of the price (0.7 after 30 %), `notes` say why. `hint`
    says what to do about a part without a price. `place` is the provider and region where it is billed ("aws us-east-1"),
    which for a copy is not the resource's.
    """

    name: str
    quantity: Decimal
    unit: str
    price: Price | None
    notes: tuple[str, ...] = ()
    range: Mapping[Usage, Decimal] | None = None
    factor: Decimal = Decimal(1)
    hint: str = ""
    place: str = ""

    @property
    def is_usage(self) -> bool:
        """Whether it depends on usage."""
        return self.range is not None

    @property
    def currency(self) -> str | None:
        """The currency of its price."""
        return self.price.currency if self.price else None

    @property
    def monthly(self) -> Decimal | None:
        """What it costs in a month; None: no price is known."""
        return self._cost(self.quantity)

    def monthly_at(self, usage: Usage) -> Decimal | None:
        """What it costs at that use; the same at each for a part that does not depend on it."""
        return self._cost(self.quantity if self.range is None else self.range[usage])

    def _cost(self, quantity: Decimal) -> Decimal | None:
        if self.price is None:
            return None
        cost = self.price.amount * quantity
        if self.price.monthly_cap is not None:
            # A quantity of hours is that of whole machines: each of them has its own cap.
            machines = (quantity / HOURS_PER_MONTH).to_integral_value(ROUND_CEILING)
            cost = min(cost, self.price.monthly_cap * machines)
        return cost * self.factor


@dataclass(frozen=True, slots=True)
class ResourceCost:
    """The bill of one resource. `path` is its place in the configuration, `address` such as `server.web-1`."""

    path: Path
    address: str
    kind: str
    provider: str
    region: str
    parts: tuple[Part, ...]

    def monthly(self, usage: Usage | None = None) -> dict[str, Decimal]:
        """Its known cost by currency."""
        return total(self.parts, usage)


@dataclass(frozen=True, slots=True)
class Saving:
    """A change that would cost less: what to write where, and how much a month it saves.

    `fields` are the new values by dotted field of the resource at `path`; None: the resource is taken away. The amount is
    that of this change alone: of two changes to one plan only one can be made.
    """

    rule: str
    path: Path
    address: str
    change: str
    monthly: Decimal
    currency: str
    why: str
    needs_testing: bool = False
    fields: Mapping[str, object] | None = None

    @property
    def takes_away(self) -> bool:
        """Whether the resource is gone after the change."""
        return self.fields is None


@dataclass(frozen=True, slots=True)
class Converted:
    """All currencies in one, at the rates that the caller gave; `missing` are currencies without a rate, not counted."""

    currency: str
    monthly: Decimal
    rates: Mapping[str, Decimal]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Estimate:
    """The whole bill. `notes` are about all of it; `unpriced` are (address, part, hint).

    `rates` say what 1 of a currency is in `target`.
    """

    resources: tuple[ResourceCost, ...]
    usage: Usage
    savings: tuple[Saving, ...] = ()
    unpriced: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    rates: Mapping[str, Decimal] = field(default_factory=dict)
    target: str = "USD"

    def totals(self, usage: Usage | None = None) -> dict[str, Decimal]:
        """Known cost of a month by currency."""
        return total([part for resource in self.resources for part in resource.parts], usage)

    def converted(self, usage: Usage | None = None) -> Converted | None:
        """The totals in one currency; None when no rate was given."""
        if not self.rates:
            return None
        rates = {self.target: Decimal(1), **self.rates}
        totals = self.totals(usage)
        known = sum((amount * rates[currency] for currency, amount in totals.items() if currency in rates), Decimal(0))
        return Converted(self.target, known, self.rates, tuple(sorted(set(totals) - set(rates))))

    def parts(self) -> Iterator[tuple[ResourceCost, Part]]:
        """Every line with its resource."""
        for resource in self.resources:
            for part in resource.parts:
                yield resource, part


def total(parts: Sequence[Part], usage: Usage | None = None) -> dict[str, Decimal]:
    """The known cost of parts by currency, at the assumed use or at another."""
    sums: dict[str, Decimal] = {}
    for part in parts:
        cost = part.monthly if usage is None else part.monthly_at(usage)
        if cost is not None and part.currency:
            sums[part.currency] = sums.get(part.currency, Decimal(0)) + cost
    return sums
