"""`query_infrastructure`: what there is, asked in words, answered from the state with the rows that it rests on."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.cost import omitted
from prov_tools.knowledge.citations import citations
from stratumops.provider import PROVIDERS
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from provisioning.query import Answer
    from provisioning.resource import Recorded


class QueryInfrastructureInput(ToolInput):
    """The question."""

    query: Annotated[str, Field(max_length=500, description="Such as: stopped servers tagged team=web")]
    provider: Annotated[str | None, Field(description="Only there")] = None

    @field_validator("provider")
    @classmethod
    def _known(cls, name: str | None) -> str | None:
        if name is not None and name not in PROVIDERS:
            raise ValueError(f"must be one of {', '.join(PROVIDERS)}")
        return name


class QueryInfrastructureOutput(ToolOutput):
    """The answer, and the resources that it rests on; the first note says how the question was read.

    `documents` are citations of runbooks and past incidents about the same: `search_docs` reads them.
    """

    answer: str
    rows: list[str]
    notes: list[str]
    documents: SkipJsonSchema[list[str] | None] = None
    whole: Annotated[Hidden, HIDDEN] = None


@tool(
    toolset="infra",
    title="Ask what there is",
    command="query",
    effect="read",
    example={"query": "how many servers are running per region?"},
)
async def query_infrastructure(args: QueryInfrastructureInput, ctx: Context) -> QueryInfrastructureOutput:
    """Ask in words which resources there are, by kind, region, tag or status."""
    from provisioning.query import answer  # noqa: PLC0415 - the models cost 60 ms, paid by the first call

    store = await (await ctx.engine()).store()
    resources = await asyncio.to_thread(store.resources)
    found = await asyncio.to_thread(answer, args.query, resources, args.provider)
    most = ctx.defaults.max_rows or None
    documents = await citations(args.query, ctx)
    return QueryInfrastructureOutput(
        answer=found.answer,
        rows=[", ".join(filter(None, _told(found, one))) for one in found.rows[:most]],
        notes=[
            f"read as: {found.understood}",
            *found.notes,
            *omitted(len(found.rows) - len(found.rows[:most]), "row is", "rows are"),
        ],
        documents=documents or None,
        whole=found,
    )


def _told(found: "Answer", one: "Recorded") -> tuple[str, ...]:
    drifted = "drifted" if one.observed else ""
    return (one.address, one.provider, one.region, one.status, drifted, found.detail(one))
