"""`execute_workflow`, `list_workflows`, `workflow_history`: definitions that are shipped or stand in the workspace."""

import asyncio
from typing import Annotated, Any

from pydantic import BaseModel, Field

from prov_tools.context import Context
from prov_tools.engine.plan import NEXT, NOTHING
from prov_tools.engine.source import require_same_source
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool


class ExecuteWorkflowInput(ToolInput):
    """Which workflow, with what."""

    workflow_id: Annotated[str, Field(description="A workflow, or a plan")]
    dry_run: Annotated[bool, Field(description="Only show")] = True
    parameters: Annotated[dict[str, str] | None, Field(description="Their values")] = None


class ExecuteWorkflowOutput(ToolOutput):
    """What it would do, or the operation that does it once a person approved."""

    plan_id: str
    summary: str
    steps: list[str]
    operation: str | None = None
    next: str
    whole: Annotated[Hidden, HIDDEN] = None


@tool(
    toolset="engine",
    title="Run a workflow",
    command="workflow run",
    effect="world",
    open_world=True,
    example={"workflow_id": "health-check", "parameters": {"host": "localhost"}},
)
async def execute_workflow(args: ExecuteWorkflowInput, ctx: Context) -> ExecuteWorkflowOutput:
    """Show what a workflow would do or, without dry_run, do it once a person approved."""
    from provisioning.plan.words import summary  # noqa: PLC0415 - paid by the first call that needs it

    engine = await ctx.engine()
    by = ctx.principal.subject
    if args.workflow_id.startswith("plan-"):
        stored, plan = await engine.find_plan(args.workflow_id)
        if not (args.dry_run or stored.used_by):
            await require_same_source(plan, nickel=ctx.nickel, workspace=ctx.workspace)
    else:
        plan = await engine.plan_workflow(args.workflow_id, args.parameters or {}, by=by, workspace=ctx.workspace.root)
    operation = None if args.dry_run or not plan.steps else await engine.submit(plan.id, by=by)
    most = ctx.defaults.max_rows or None
    return ExecuteWorkflowOutput(
        plan_id=plan.id,
        summary=summary(plan),
        steps=[f"{step.wave}. {step.title}" for step in plan.steps[:most]],
        operation=operation.id if operation else None,
        next=NEXT.format(prov=engine.choices.command, plan=plan.id) if plan.steps else NOTHING,
        whole=plan,
    )


class ListWorkflowsInput(ToolInput):
    """Nothing to say."""


class WorkflowRow(BaseModel):
    """One definition. `parameters` are name -> type, with `=default` where there is one."""

    id: str
    name: str
    origin: str
    tasks: int
    parameters: dict[str, str]
    problem: str | None = None


class ListWorkflowsOutput(ToolOutput):
    """Every workflow that can be run here."""

    workflows: list[WorkflowRow]


@tool(toolset="workflows", title="List workflows", command="workflow list", effect="read", default=False)
async def list_workflows(args: ListWorkflowsInput, ctx: Context) -> ListWorkflowsOutput:  # noqa: ARG001 - every handler's shape
    """List the shipped workflows and the workspace's own, with their parameters."""
    from provisioning.workflow.definitions import catalogue  # noqa: PLC0415 - as above

    found = await asyncio.to_thread(catalogue, ctx.workspace.root)
    return ListWorkflowsOutput(
        workflows=[
            WorkflowRow(
                id=one.id,
                name=one.name,
                origin=one.origin,
                tasks=one.tasks,
                parameters=dict(one.parameters),
                problem=one.problem or None,
            )
            for one in found
        ]
    )


class WorkflowHistoryInput(ToolInput):
    """How many."""

    limit: Annotated[int, Field(ge=1, le=1000, description="Newest first")] = 20


class OperationRow(BaseModel):
    """One operation. Times are UTC."""

    operation: str
    kind: str
    status: str
    title: str
    by: str
    started: str | None = None
    ended: str | None = None
    error: str | None = None


class WorkflowHistoryOutput(ToolOutput):
    """What was done."""

    operations: list[OperationRow]


@tool(
    toolset="workflows", title="List operations", command="workflow history", effect="read", default=False, example={"limit": 5}
)
async def workflow_history(args: WorkflowHistoryInput, ctx: Context) -> WorkflowHistoryOutput:
    """List what was applied, rolled back and run, newest first."""
    from prov_tools.engine.words import moment  # noqa: PLC0415 - as above

    store = await (await ctx.engine()).store()
    found: list[Any] = await asyncio.to_thread(lambda: store.operations(limit=args.limit))
    return WorkflowHistoryOutput(
        operations=[
            OperationRow(
                operation=one.id,
                kind=one.kind,
                status=one.status,
                title=one.title,
                by=one.by,
                started=moment(one.started_at),
                ended=moment(one.ended_at),
                error=one.error or None,
            )
            for one in found
        ]
    )
