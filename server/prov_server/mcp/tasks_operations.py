"""The engine's operations as MCP tasks: a task's id is the operation's, and what is told of it comes from the state.

So it survives the client's disconnecting and the server's end, and another process on the same state answers the same. An
operation is kept for good, hence tasks without a time to live. One that waits for approval is "working": nothing that a client
sends moves it on. Only where answers in the client count, and the client can ask, it is "input required".
"""

import hmac
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcp.server.context import CallNext, HandlerResult
from mcp_types import CallToolRequestParams, CallToolResult, ElicitRequest, ElicitResult
from pydantic import ValidationError

from prov_server.mcp.approvals import at_once, can_ask, fits, question, settle
from prov_server.mcp.caller import caller, client
from prov_server.mcp.server import ProvServer, answer, as_mcp_error
from prov_server.mcp.tasks import RequestContext, Task, TaskStatus
from stratumops.errors import ConflictError, NotFoundError, StratumError
from stratumops.schema import Json, compact_dump

if TYPE_CHECKING:
    from prov_server.compose import Application
    from provisioning.engine import Engine
    from provisioning.progress import Progress

APPLY, WORKFLOW = "apply_plan", "execute_workflow"
TOOLS = (APPLY, WORKFLOW)
PREFIX = "op-"
RUNNING_POLL_MS = 1_000
WAITING_POLL_MS = 3_000
"""While a person or another operation is waited for."""
MOST_QUESTIONS = 3
"""How often one process asks about one operation before it leaves the approval to `prov approve`."""
_STATUS: Mapping[str, TaskStatus] = {
    "waiting_for_approval": "working",
    "queued": "working",
    "running": "working",
    "rolling_back": "working",
    "cancelled": "cancelled",
}
"""All others have ended with an answer of the tool, good or bad: `failed` is for errors of the protocol."""


class Operations:
    """The source of the tasks of `TOOLS` (a `TaskSource`). Their calls go through the application's chain as all others do."""

    def __init__(self, server: ProvServer) -> None:
        self._server = server
        self._secret = secrets.token_bytes(32)
        """Makes the keys of questions, so that only who was asked can answer."""
        self._answered: dict[str, int] = {}
        """How often a question about an operation was answered here."""

    async def start(self, params: CallToolRequestParams, ctx: RequestContext, call_next: CallNext) -> Task | HandlerResult:
        """Begin the operation. A plain answer: it is refused, has ended, is another's, or there is nothing to do."""
        given = params.arguments or {}
        if params.name == WORKFLOW and given.get("dry_run") is not False:
            return await call_next(ctx)
        result = await self._server.call_tool(params.name, at_once(given) if params.name == APPLY else given)
        if not isinstance(result, CallToolResult) or result.is_error or result.structured_content is None:
            return result
        task = await self.find(str(result.structured_content.get("operation", "")), ctx)
        has_ended = task is None or task.status in {"completed", "cancelled"}
        # What execute_workflow answers cannot be told of an operation that it did not make out of a workflow.
        fits = params.name == APPLY or not str(given.get("workflow_id", "")).startswith("plan-")
        return result if task is None or has_ended or not fits else task

    async def find(self, id: str, ctx: RequestContext) -> Task | None:  # noqa: A002 - the protocol's word
        """An operation that this principal began."""
        if not id.startswith(PREFIX):
            return None
        app = await self._server.application()
        try:
            engine = await app.engine()
            operation = await engine.find_operation(id)
            # The state also finds an operation by the beginning of its id; a task has one id.
            if operation.id != id or operation.by != caller.get().subject:
                return None
            return await self._task(app, engine, await engine.progress(id), ctx)
        except NotFoundError:
            return None
        except StratumError as error:
            raise as_mcp_error(error) from None

    async def cancel(self, task: Task, ctx: RequestContext) -> None:  # noqa: ARG002 - the protocol's shape
        """Ask the operation to end between two steps, as `operation_status` does."""
        if task.status in {"completed", "cancelled"}:
            return
        app = await self._server.application()
        wish = {"operation": task.id, "action": "cancel"}
        try:
            await app.call("operation_status", wish, principal=caller.get(), face="mcp", client=client.get())
        except ConflictError:
            return  # it has just ended
        except StratumError as error:
            raise as_mcp_error(error) from None

    async def answer(self, task: Task, responses: Mapping[str, Any], ctx: RequestContext) -> None:  # noqa: ARG002 - as above
        """Approve or deny, where the question was asked; anything else is ignored."""
        given = next((responses[key] for key in task.questions if key in responses), None)
        try:
            said = ElicitResult.model_validate(given)
        except ValidationError:
            return
        # Not asked again after the person decided or closed the dialogue; once more after a mistyped word.
        tried = self._answered.get(task.id, 0) + 1
        self._answered[task.id] = tried if said.action == "accept" else MOST_QUESTIONS
        app = await self._server.application()
        try:
            engine = await app.engine()
            stored, plan = await engine.find_plan((await engine.find_operation(task.id)).plan_id)
            if await settle(app, stored, plan, said) != "open":
                self._answered[task.id] = MOST_QUESTIONS
        except StratumError as error:
            raise as_mcp_error(error) from None

    async def _task(self, app: "Application", engine: "Engine", found: "Progress", ctx: RequestContext) -> Task:
        from prov_server.output_redaction import clean_output  # noqa: PLC0415 - after the handshake
        from prov_tools.engine.operations import answered  # noqa: PLC0415 - as above

        operation = found.operation
        output, _ = clean_output(app.redactor, answered(found), shows_hidden=False)
        told = compact_dump(output)
        status: TaskStatus = _STATUS.get(operation.status, "completed")
        moments = [moment for step in found.state.steps for moment in (step.started_at, step.ended_at)]
        questions = await self._questions(app, engine, found, ctx)
        return Task(
            id=operation.id,
            status="input_required" if questions else status,
            said=str(told["said"]) if operation.is_final else f"{told['said']}; {told['next']}",
            created_at=operation.made_at,
            updated_at=max([operation.made_at, operation.started_at, operation.ended_at, *moments]),
            poll_ms=WAITING_POLL_MS if operation.status in {"waiting_for_approval", "queued"} else RUNNING_POLL_MS,
            result=answer(await _whole(app, engine, found, told)) if status == "completed" else None,
            questions=questions,
        )

    async def _questions(
        self, app: "Application", engine: "Engine", found: "Progress", ctx: RequestContext
    ) -> dict[str, ElicitRequest]:
        operation = found.operation
        if operation.status != "waiting_for_approval":
            self._answered.pop(operation.id, None)
            return {}
        tried = self._answered.get(operation.id, 0)
        if tried >= MOST_QUESTIONS or not can_ask(app, ctx.session.client_capabilities):
            return {}
        stored, plan = await engine.find_plan(operation.plan_id)
        from prov_server.engine.unusual import unusual_accounts  # noqa: PLC0415 - after the handshake

        if not fits(app, plan):
            return {}
        bound = f"{operation.id} {stored.sha256} {tried} {caller.get().subject}"
        key = hmac.digest(self._secret, bound.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
        return {f"approval-{key}": question(app, plan, unusual_accounts(app.engine), command=engine.choices.command)}


async def _whole(app: "Application", engine: "Engine", found: "Progress", told: Json) -> Json:
    """The tool's own answer. A workflow's also has what `execute_workflow` promises, so that it fits the schemas of both."""
    if found.operation.kind != "workflow":
        return told
    from prov_server.redaction import clean_json  # noqa: PLC0415 - after the handshake
    from provisioning.plan.words import summary  # noqa: PLC0415 - as above

    _, plan = await engine.find_plan(found.operation.plan_id)
    most = app.settings.limits.max_rows or None
    steps = [f"{step.wave}. {step.title}" for step in plan.steps[:most]]
    more = {"plan_id": plan.id, "summary": summary(plan), "steps": steps}
    cleaned: Json = clean_json(app.redactor, more)
    return {**cleaned, **told}
