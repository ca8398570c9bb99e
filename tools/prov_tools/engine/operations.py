"""`apply_plan` and `operation_status`: an approved plan is done, durably; anything long is watched, cancelled, resumed."""

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from prov_tools.context import Context
from prov_tools.engine.source import require_same_source
from stratumops.principal import LOCAL
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from provisioning.progress import Progress

MOST_WAIT = 100
"""Seconds: below the longest time of a call."""
MOST_PROBLEMS = 8


class ApplyPlanInput(ToolInput):
    """Which plan, and how long to wait."""

    plan_id: Annotated[str, Field(description="The plan")]
    wait: Annotated[int, Field(description="Seconds")] = 50


class OperationOutput(ToolOutput):
    """How it stands: `said` is where it is and what went wrong."""

    operation: str
    status: str
    said: str
    next: str
    whole: Annotated[Hidden, HIDDEN] = None

    def passed(self) -> bool:
        """Whether nothing went wrong."""
        return self.status not in {"failed", "rolled_back", "denied", "expired", "cancelled"}


@tool(
    toolset="engine",
    title="Apply an approved plan",
    command="mcp apply",
    effect="world",
    open_world=True,
    example={"plan_id": "plan-0b4f145f4d8c"},
)
async def apply_plan(args: ApplyPlanInput, ctx: Context) -> OperationOutput:
    """Do what a plan says once a person has approved it. Call again to go on waiting."""
    engine = await ctx.engine()
    stored, plan = await engine.find_plan(args.plan_id)
    if not stored.used_by:
        await require_same_source(plan, nickel=ctx.nickel, workspace=ctx.workspace)
    operation = await engine.submit(args.plan_id, by=ctx.principal.subject)
    return answered(await engine.wait(operation.id, min(max(args.wait, 0), MOST_WAIT), ctx.report))


class OperationStatusInput(ToolInput):
    """Which operation, and what to do with it."""

    operation: Annotated[str | None, Field(description="The newest when left out")] = None
    action: Annotated[Literal["status", "cancel", "resume"], Field(description="What to do")] = "status"


@tool(toolset="engine", title="Operations", command="workflow status", effect="record", example={"action": "status"})
async def operation_status(args: OperationStatusInput, ctx: Context) -> OperationOutput:
    """Look at, cancel or resume an operation."""
    engine = await ctx.engine()
    operation = await engine.find_operation(args.operation, of=None if ctx.principal == LOCAL else ctx.principal.subject)
    if args.action == "cancel":
        await engine.cancel(operation.id, by=ctx.principal.subject)
    elif args.action == "resume":
        await engine.resume(operation.id)
    return answered(await engine.progress(operation.id))


def answered(found: "Progress") -> OperationOutput:
    """An operation as an answer."""
    return OperationOutput(
        operation=found.operation.id,
        status=found.operation.status,
        said="; ".join([found.said, *found.problems[:MOST_PROBLEMS]]),
        next=found.next,
        whole=found,
    )
