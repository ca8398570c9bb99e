"""The tool `prices_status`: where prices come from and of which dates. Refreshing and importing them is a person's act."""

import asyncio
from typing import Literal

from pydantic import BaseModel

from prov_tools.context import Context
from stratumops.tool import ToolInput, ToolOutput, tool


class PricesStatusInput(ToolInput):
    """Nothing to say."""


class PriceListRow(BaseModel):
    """The prices of one provider from one origin; dates are those of the oldest and the newest price."""

    provider: str
    origin: Literal["list", "updated", "negotiated"]
    prices: int
    regions: int
    currencies: list[str]
    oldest: str | None = None
    newest: str | None = None
    age_days: int | None = None


class PricesStatusOutput(ToolOutput):
    """Every list of the price book."""

    lists: list[PriceListRow]


@tool(
    toolset="admin",
    title="Price lists",
    command="prices status",
    effect="read",
    default=False,
)
async def prices_status(args: PricesStatusInput, ctx: Context) -> PricesStatusOutput:  # noqa: ARG001 - every handler takes both
    """Say where prices come from and of which dates they are."""
    from prov_judge.prices.status import status  # noqa: PLC0415 - the tables cost 50 ms, paid by who asks

    rows = await asyncio.to_thread(lambda: status(ctx.prices(), ctx.today()))
    return PricesStatusOutput(
        lists=[
            PriceListRow(
                provider=row.provider,
                origin=row.origin,
                prices=row.prices,
                regions=row.regions,
                currencies=list(row.currencies),
                oldest=row.oldest.isoformat() if row.oldest else None,
                newest=row.newest.isoformat() if row.newest else None,
                age_days=row.age_days,
            )
            for row in rows
        ]
    )
