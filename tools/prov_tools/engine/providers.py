"""The toolset `providers`: which can be used here, and whether they can. Adding one is a person's act (`prov provider add`)."""

import asyncio
from typing import Annotated

from pydantic import BaseModel, Field

from prov_tools.context import Context
from stratumops.provider import Provider
from stratumops.tool import ToolInput, ToolOutput, tool


class ListProvidersInput(ToolInput):
    """Nothing to say."""


class ProviderRow(BaseModel):
    """One provider."""

    name: str
    title: str
    account: bool
    kinds: list[str]
    missing: str | None = None


class ListProvidersOutput(ToolOutput):
    """Every provider that can be used."""

    providers: list[ProviderRow]


@tool(toolset="providers", title="List providers", command="provider list", effect="read", default=False)
async def list_providers(args: ListProvidersInput, ctx: Context) -> ListProvidersOutput:  # noqa: ARG001 - every handler's shape
    """List the providers, which have an account here, and what each makes."""
    engine = await ctx.engine()
    found = await asyncio.to_thread(engine.known_providers)
    return ListProvidersOutput(
        providers=[
            ProviderRow(
                name=one.name, title=one.title, account=one.has_account, kinds=sorted(one.kinds), missing=one.missing or None
            )
            for one in found
        ]
    )


class TestProviderInput(ToolInput):
    """Which one."""

    provider: Annotated[Provider, Field(description="Its name")]


class CheckRow(BaseModel):
    """One thing that was tried."""

    check: str
    verdict: str
    said: str
    hint: str | None = None


class TestProviderOutput(ToolOutput):
    """What works and what is missing."""

    provider: str
    checks: list[CheckRow]

    def passed(self) -> bool:
        """Whether nothing is missing."""
        return all(one.verdict != "failed" for one in self.checks)


@tool(
    toolset="providers",
    title="Test a provider",
    command="provider test",
    effect="read",
    default=False,
    open_world=True,
    example={"provider": "local"},
)
async def test_provider(args: TestProviderInput, ctx: Context) -> TestProviderOutput:
    """Try whether a provider can be used from here, and say what is missing and how to get it."""
    engine = await ctx.engine()
    provider = await engine.provider(args.provider)
    found = await asyncio.to_thread(provider.test)
    return TestProviderOutput(
        provider=args.provider,
        checks=[CheckRow(check=one.name, verdict=one.verdict, said=one.said, hint=one.hint or None) for one in found],
    )
