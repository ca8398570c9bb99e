"""`troubleshoot`: a symptom to ordered hypotheses, each with the commands that check it and where that stands."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from prov_tools.knowledge.search import WAIT_SECONDS
from stratumops.errors import InvalidInputError, StratumError
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from prov_tools.knowledge.hypotheses import Hypothesis
    from provisioning.resource import Recorded


class TroubleshootInput(ToolInput):
    """The symptom."""

    symptom: Annotated[str, Field(max_length=4_000, description="Error, alert, what users see")]
    service: Annotated[str | None, Field(description="Such as nginx")] = None
    limit: Annotated[SkipJsonSchema[int], Field(ge=1, le=20, description="Hypotheses")] = 5


class HypothesisRow(BaseModel):
    """A possible cause. `text` is the passage that says so, fenced; checks come from it too: read them before running them."""

    cause: str
    why: SkipJsonSchema[str]
    checks: list[str]
    fix: str
    citation: str
    trust: str
    score: SkipJsonSchema[float]
    incidents: SkipJsonSchema[list[str] | None] = None
    text: SkipJsonSchema[str | None] = None


class TroubleshootOutput(ToolOutput):
    """Likeliest first; `state` are resources that have to do with it."""

    hypotheses: list[HypothesisRow]
    state: list[str]
    notes: list[str]
    whole: Annotated[Hidden, HIDDEN] = None

    def holds_retrieved_text(self) -> bool:
        """Whenever a document stands behind a hypothesis."""
        return any(one.text for one in self.hypotheses)


@tool(
    toolset="knowledge",
    title="Troubleshoot",
    command="troubleshoot",
    effect="read",
    example={"symptom": "connections refused: too many clients already", "service": "postgresql"},
)
async def troubleshoot(args: TroubleshootInput, ctx: Context) -> TroubleshootOutput:
    """Turn a symptom into likely causes with commands to check each, from runbooks, past incidents and the state."""
    if not args.symptom.strip():
        raise InvalidInputError("symptom: there is nothing to look for", hint="paste the error, or say what users see")
    library = await asyncio.to_thread(ctx.library)
    resources, notes = await _resources(ctx)

    def work() -> "tuple[list[Hypothesis], list[Recorded], list[str]]":
        from prov_tools.knowledge.hypotheses import hypotheses  # noqa: PLC0415 - paid by who searches

        found, concerned, answer = hypotheses(
            library, args.symptom, args.service or "", resources, limit=args.limit, wait=WAIT_SECONDS
        )
        said = [*answer.notices, *([answer.degraded] if answer.degraded else [])]
        said += [] if found else ["no document says anything of it: `prov rag add FOLDER` adds your runbooks"]
        return found, concerned, said

    found, concerned, said = await asyncio.to_thread(work)
    most = ctx.defaults.max_rows or None
    return TroubleshootOutput(
        hypotheses=[_row(one) for one in found],
        state=[_told(one) for one in concerned[:most]],
        notes=[*notes, *said],
        whole=found,
    )


async def _resources(ctx: Context) -> "tuple[list[Recorded], list[str]]":
    """What is recorded, and why nothing is when it cannot be read: documents answer all the same."""
    try:
        store = await (await ctx.engine()).store()
        return list(await asyncio.to_thread(store.resources)), []
    except StratumError as error:
        return [], [f"the state was not looked at: {error.message}"]


def _row(one: "Hypothesis") -> HypothesisRow:
    from prov_rag.guard import fenced  # noqa: PLC0415 - as above

    return HypothesisRow(
        cause=one.cause,
        why=one.why,
        checks=[f"{check.command}  # {check.meaning}" if check.meaning else check.command for check in one.checks],
        fix=one.fix,
        citation=one.citation,
        trust=one.trust,
        score=one.score,
        incidents=list(one.incidents) or None,
        text=fenced(one.hit.text, one.citation, one.trust) if one.hit else None,
    )


def _told(one: "Recorded") -> str:
    return ", ".join(filter(None, (one.address, one.provider, one.region, one.status, "drifted" if one.observed else "")))
