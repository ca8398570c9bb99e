"""A quantity that is known, or one that depends on use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from prov_judge.cost.model import USAGES, Usage


@dataclass(frozen=True, slots=True)
class Amount:
    """A quantity in the same unit at small, medium and large use; `fixed` is set where it is known."""

    fixed: Decimal | None
    range: Mapping[Usage, Decimal] | None = None

    @classmethod
    def of(cls, number: float | Decimal) -> "Amount":
        """A known quantity."""
        return cls(exact(number))

    @classmethod
    def ranging(cls, range_: Mapping[Usage, Decimal]) -> "Amount":
        """A quantity that depends on use."""
        return cls(None, range_)

    def at(self, usage: Usage) -> Decimal:
        """The quantity at that use."""
        if self.fixed is not None:
            return self.fixed
        assert self.range is not None
        return self.range[usage]

    def map(self, change: Callable[[Decimal], Decimal]) -> "Amount":
        """The same change at each use."""
        if self.fixed is not None:
            return Amount(change(self.fixed))
        return Amount(None, {usage: change(self.at(usage)) for usage in USAGES})

    def times(self, factor: Decimal) -> "Amount":
        """So many times as much."""
        return self.map(lambda number: number * factor)

    def share(self, fraction: "Amount") -> "Amount":
        """A part of so many GB, to the megabyte."""
        return Amount(None, {usage: (self.at(usage) * fraction.at(usage)).quantize(MEGABYTE) for usage in USAGES})

    def beyond(self, included: Decimal) -> "Amount":
        """What is left after a part that costs nothing."""
        return self.map(lambda number: max(Decimal(0), number - included))

    def plus(self, other: "Amount") -> "Amount":
        """Both together."""
        if self.fixed is not None and other.fixed is not None:
            return Amount(self.fixed + other.fixed)
        return Amount(None, {usage: self.at(usage) + other.at(usage) for usage in USAGES})


MEGABYTE = Decimal("0.001")
"""Quantities in GB that come of a division or a float are rounded to it, so that sums stay exact."""


def exact(number: float | Decimal) -> Decimal:
    """The number as it was written: 0.1 is one tenth."""
    return number if isinstance(number, Decimal) else Decimal(str(number))


ONE = Amount(Decimal(1))
