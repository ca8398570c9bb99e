"""The toolset `cost`: what a configuration costs in a month."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.loading import loaded
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from datetime import date

    from prov_gen.load import Loaded
    from prov_gen.model.infrastructure import InfrastructureConfig
    from prov_judge.cost.model import Estimate, Part, ResourceCost, Saving
    from prov_judge.prices.book import PriceBook

CURRENCY = "USD"
"""The currency of a budget, and what rates convert to."""

_WORDS: Mapping[bool | None, Literal["within", "exceeded", "not comparable"]] = {
    True: "within",
    False: "exceeded",
    None: "not comparable",
}
MOST_UNPRICED = 10
PLACES = 6
"""Decimal places of a unit price that are sent; amounts have two."""


class EstimateCostInput(ToolInput):
    """What to price. What a person may compare it with has no place in the schema that every session of an assistant pays for."""

    config: ConfigText
    region: Annotated[str | None, Field(description="Price as if there", max_length=64)] = None
    usage: Annotated[
        SkipJsonSchema[Literal["small", "medium", "large"]], Field(description="How much usage-based parts are used")
    ] = "medium"
    against: Annotated[SkipJsonSchema[ConfigText | None], Field(description="Another configuration, to show the difference")] = (
        None
    )
    budget: Annotated[
        SkipJsonSchema[float | None],
        Field(description="Most that a month may cost, in USD; else limits.monthly_budget of the configuration", gt=0, le=1e12),
    ] = None
    rates: Annotated[
        SkipJsonSchema[dict[str, float] | None],
        Field(description='What one unit of a currency is in USD, for a sum of all: {"EUR": 1.08}'),
    ] = None


class TotalRow(BaseModel):
    """The sum in one currency: at the assumed usage, and from small to large usage."""

    currency: str
    monthly: float
    low: float
    high: float


class LineRow(BaseModel):
    """One line of a resource's bill; without a price `unit_price` and `monthly` are not there, and the note says why."""

    address: str
    part: str
    quantity: float
    unit: str
    unit_price: float | None = None
    monthly: float | None = None
    note: str | None = None


class EstimateCostOutput(ToolOutput):
    """The bill, dearest resources first."""

    totals: list[TotalRow]
    lines: list[LineRow]
    savings: list[str]
    notes: list[str]
    delta: SkipJsonSchema[dict[str, float] | None] = None
    budget: SkipJsonSchema[Literal["within", "exceeded", "not comparable"] | None] = None
    whole: Annotated[Hidden, HIDDEN] = None
    whole_against: Annotated[Hidden, HIDDEN] = None
    verdict: Annotated[Hidden, HIDDEN] = None
    report: Annotated[Hidden, HIDDEN] = None

    def passed(self) -> bool:
        """False when the budget is exceeded, or when nobody can tell: parts without a price or in another currency."""
        return self.budget in {None, "within"}

    def resource_links(self) -> dict[str, str]:
        """The whole estimate."""
        return {"estimate": self.report} if self.report else {}


@tool(
    toolset="cost",
    title="Estimate monthly cost",
    command="mcp estimate",
    aliases=("cost",),
    effect="read",
    example={"config": '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }', "region": "us-east-1"},
)
async def estimate_cost(args: EstimateCostInput, ctx: Context) -> EstimateCostOutput:
    """Price a month of a configuration from dated price lists."""
    from prov_judge.cost.budget import check, of  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them
    from prov_judge.cost.document import as_json  # noqa: PLC0415 - as above

    read = await loaded(args.config, ctx)
    found = await _estimate(read, args, ctx)
    before = await _estimate(await loaded(args.against, ctx), args, ctx, must_have_region=False) if args.against else None
    budget = (Decimal(str(args.budget)), CURRENCY) if args.budget else of(read.config)
    verdict = check(found, *budget) if budget else None
    dearest = sorted(found.resources, key=_dearest_first)
    shown = dearest[: ctx.defaults.max_rows or None]
    savings = found.savings[: ctx.defaults.max_rows or None]
    return EstimateCostOutput(
        totals=totals_of(found),
        lines=[_line(resource, part) for resource in shown for part in resource.parts],
        savings=[saving_words(one) for one in savings],
        delta=delta(before.totals(), found.totals()) if before else None,
        budget=_WORDS[verdict.is_within] if verdict else None,
        notes=[
            *(verdict.notes if verdict else ()),
            *found.notes,
            *(f"compared with: {note}" for note in (before.notes if before else ()) if note not in found.notes),
            *_unpriced(found),
            *omitted(len(dearest) - len(shown), "cheaper resource is", "cheaper resources are"),
        ],
        report=ctx.reports.keep("estimate.json", lambda: as_json(found)) if ctx.reports else None,
        whole=found,
        whole_against=before,
        verdict=verdict,
    )


async def _estimate(read: "Loaded", args: EstimateCostInput, ctx: Context, *, must_have_region: bool = True) -> "Estimate":
    from prov_judge.cost.estimate import estimate  # noqa: PLC0415 - as above

    rates = {currency: Decimal(str(rate)) for currency, rate in (args.rates or {}).items()}

    def work() -> "Estimate":
        return estimate(
            read.config,
            book=ctx.prices(),
            region=args.region,
            usage=args.usage,
            rates=rates,
            today=ctx.today(),
            must_have_region=must_have_region,
        )

    return await asyncio.to_thread(work)


def totals_of(estimate: "Estimate") -> list[TotalRow]:
    """The sums of an estimate, one a currency."""
    low, high = estimate.totals("small"), estimate.totals("large")
    return [
        TotalRow(
            currency=currency,
            monthly=cents(amount),
            low=cents(low.get(currency, Decimal(0))),
            high=cents(high.get(currency, Decimal(0))),
        )
        for currency, amount in sorted(estimate.totals().items())
    ]


def saving_words(saving: "Saving") -> str:
    """A saving in one line."""
    return f"{saving.address}: {saving.change}; saves {cents(saving.monthly):,.2f} {saving.currency} ({saving.why})"


def omitted(number: int, one: str, many: str = "") -> list[str]:
    """The note about what was left out of an answer, if anything was; `one` and `many` are subjects with their verb."""
    return [f"{number:,} {one if number == 1 else many or one} not shown here"] if number > 0 else []


def _unpriced(estimate: "Estimate") -> list[str]:
    rows = [f"{address} {part}" + (f": {hint}" if hint else "") for address, part, hint in estimate.unpriced]
    return [f"without a price, not in the sum: {row}" for row in rows[:MOST_UNPRICED]] + omitted(
        len(rows) - MOST_UNPRICED, "part without a price is", "parts without a price are"
    )


def cents(amount: Decimal) -> float:
    """An amount with two decimal places; halves go to the even cent, as banks do it."""
    return float(round(amount, 2))


def delta(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> dict[str, float]:
    """What a month costs more, by currency."""
    return {
        currency: cents(after.get(currency, Decimal(0)) - before.get(currency, Decimal(0)))
        for currency in sorted({*before, *after})
    }


def _dearest_first(resource: "ResourceCost") -> Decimal:
    # Amounts in several currencies are not compared with each other exactly: this is an order to show, not a sum.
    return -max(resource.monthly().values(), default=Decimal(0))


def _line(resource: "ResourceCost", part: "Part") -> LineRow:
    return LineRow(
        address=resource.address,
        part=part.name,
        quantity=float(round(part.quantity, PLACES)),
        unit=part.unit,
        unit_price=float(round(part.price.amount, PLACES)) if part.price else None,
        monthly=None if part.monthly is None else cents(part.monthly),
        note="; ".join(part.notes) or None,
    )


@dataclass(frozen=True, slots=True)
class LazyPricer:
    """The estimate as validation's sixth layer asks for it; nothing is imported before a budget is to be checked."""

    prices: "Callable[[], PriceBook]"
    today: "Callable[[], date]"

    def monthly(self, config: "InfrastructureConfig") -> "Mapping[str, Decimal]":
        """As `prov_gen.layers.limits.Pricer`."""
        from prov_judge.cost.estimate import Estimator  # noqa: PLC0415 - as above

        return Estimator(self.prices(), today=self.today()).monthly(config)
