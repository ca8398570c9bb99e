"""An estimate: resource > part > quantity, unit, unit price, monthly.

Money is exact `Decimal`; faces round. Currencies are never added: every sum is by currency. A part without a price has
`unit_price` None and is listed as unpriced; it is never zero. What truly costs nothing has a unit price of zero and says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

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
    is the one that was assumed. `factor` is what discounts leave of the price (0.7 after 30 %), `notes` say why.
    """

    name: str
    quantity: Decimal
    unit: str
    price: Price | None
    notes: tuple[str, ...] = ()
    range: Mapping[Usage, Decimal] | None = None
    factor: Decimal = Decimal(1)

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
        return self.price.amount * quantity * self.factor


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
    """A change that would cost less: what to write where, and how much a month it saves."""

    path: Path
    address: str
    change: str
    monthly: Decimal
    currency: str
    why: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """The whole bill. `notes` are about all of it (a budget, a rate); `unpriced` are (address, part, hint)."""

    resources: tuple[ResourceCost, ...]
    usage: Usage
    savings: tuple[Saving, ...] = ()
    unpriced: tuple[tuple[str, str, str], ...] = ()
    notes: tuple[str, ...] = ()
    rates: Mapping[str, Decimal] = field(default_factory=dict)

    def totals(self, usage: Usage | None = None) -> dict[str, Decimal]:
        """Known cost of a month by currency."""
        return total([part for resource in self.resources for part in resource.parts], usage)

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
