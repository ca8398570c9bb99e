"""Whether an estimate keeps within a budget, and what could not be held against it."""

from dataclasses import dataclass
from decimal import Decimal

from prov_corpus.prices.table import CURRENCIES
from prov_corpus.similar import nearest
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.cost.amount import exact
from prov_judge.cost.model import Estimate
from stratumops.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class BudgetVerdict:
    """`cost` is what is known in the budget's currency, from `low` (small use) to `high` (large use).

    `over` is by how much it is more than the budget, 0 if it is not. `not_compared` are the sums in other currencies and
    `unpriced` the number of parts without a price: with either the whole bill cannot be told to be within the budget.
    """

    budget: Decimal
    currency: str
    cost: Decimal
    low: Decimal
    high: Decimal
    not_compared: dict[str, Decimal]
    unpriced: int

    @property
    def is_within(self) -> bool | None:
        """Whether the bill is at most the budget; None where the known part is and the rest could not be compared."""
        if self.cost > self.budget:
            return False
        return None if self.not_compared or self.unpriced else True

    @property
    def over(self) -> Decimal:
        """By how much it is exceeded."""
        return max(Decimal(0), self.cost - self.budget)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the verdict does not say by itself."""
        said = [f"{amount:.2f} {currency} were not compared with the budget" for currency, amount in self.not_compared.items()]
        if self.unpriced:
            parts = "1 part without a price was" if self.unpriced == 1 else f"{self.unpriced} parts without a price were"
            said.append(f"{parts} not compared with the budget")
        if self.cost <= self.budget < self.high:
            said.append(f"large usage would cost {self.high:.2f} {self.currency}, more than the budget")
        return tuple(said)


def of(config: InfrastructureConfig) -> tuple[Decimal, str] | None:
    """The budget that a configuration sets itself (`limits.monthly_budget`) and its currency; None where it sets none."""
    limits = config.limits
    return None if limits is None or limits.monthly_budget is None else (exact(limits.monthly_budget), limits.currency)


def check(estimate: Estimate, budget: Decimal, currency: str) -> BudgetVerdict:
    """Hold an estimate against a budget for a month.

    Where rates were given and the budget is in the currency that they lead to, all currencies with a rate are compared.
    Raises InvalidInputError for a budget that is not a positive number and for an unknown currency.
    """
    if not budget.is_finite() or budget <= 0:
        raise InvalidInputError(f"{budget} is not a budget", hint="give a positive amount for a month, such as 500")
    if currency not in CURRENCIES:
        near = nearest(currency[:20], sorted(CURRENCIES)) or sorted(CURRENCIES)[:5]
        raise InvalidInputError(
            f"{currency[:20]!r} is not a known currency", hint=f"use {', '.join(near)}", currency=currency[:20]
        )
    totals = estimate.totals()
    is_converted = bool(estimate.rates) and currency == estimate.target
    compared = {currency, *(estimate.rates if is_converted else ())}
    return BudgetVerdict(
        budget=budget,
        currency=currency,
        cost=_known(totals, estimate, compared, currency),
        low=_known(estimate.totals("small"), estimate, compared, currency),
        high=_known(estimate.totals("large"), estimate, compared, currency),
        not_compared={name: amount for name, amount in sorted(totals.items()) if name not in compared and amount},
        unpriced=len(estimate.unpriced),
    )


def _known(totals: dict[str, Decimal], estimate: Estimate, compared: set[str], currency: str) -> Decimal:
    rates = {**estimate.rates, currency: Decimal(1)}
    return sum((amount * rates[name] for name, amount in totals.items() if name in compared), Decimal(0))
