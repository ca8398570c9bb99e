"""MCP's tasks (SEP-2663, `io.modelcontextprotocol/tasks`): a call of a tool that takes long is answered at once with a handle.

Which tools answer with a task, and where their tasks are kept, is told by `Tasks.offer`. Only a client of 2026-07-28 that
declares the extension with its request gets one; everybody else's call is as it always was. `tasks_operations` has the engine's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver import Extension, MethodBinding, require_client_extension
from mcp.shared.exceptions import MCPError
from mcp.shared.inbound import MCP_NAME_HEADER, decode_header_value
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequest,
    ErrorData,
    InputRequest,
    RequestParams,
)
from mcp_types.jsonrpc import HEADER_MISMATCH
from mcp_types.version import is_version_at_least
from pydantic import Field

from stratumops.schema import Json

EXTENSION = "io.modelcontextprotocol/tasks"
SINCE = "2026-07-28"
TaskStatus = Literal["working", "input_required", "completed", "failed", "cancelled"]
RequestContext = ServerRequestContext[Any, Any]
_METHODS = ("tasks/get", "tasks/update", "tasks/cancel")
_MAX_ID = 128


@dataclass(frozen=True, slots=True)
class Task:
    """A task as it stands. Times are seconds since 1970; `ttl_ms` is None for one that is kept for good.

    `result` belongs to a completed task, `error` to a failed one (a JSON-RPC error, never a tool's own), `questions` to one that
    needs input.
    """

    id: str
    status: TaskStatus
    said: str
    created_at: float
    updated_at: float
    poll_ms: int
    ttl_ms: int | None = None
    result: CallToolResult | None = None
    error: ErrorData | None = None
    questions: Mapping[str, InputRequest] = field(default_factory=dict)

    def created(self) -> Json:
        """The answer of the call that began it."""
        return {"resultType": "task", **self._about()}

    def detailed(self) -> Json:
        """The answer of `tasks/get`."""
        found = {"resultType": "complete", **self._about()}
        if self.status == "completed" and self.result is not None:
            found["result"] = _wire(self.result) | {"resultType": "complete"}
        if self.status == "failed" and self.error is not None:
            found["error"] = _wire(self.error)
        if self.status == "input_required":
            found["inputRequests"] = {key: _wire(one) for key, one in self.questions.items()}
        return found

    def _about(self) -> Json:
        return {
            "taskId": self.id,
            "status": self.status,
            "statusMessage": self.said,
            "createdAt": _moment(self.created_at),
            "lastUpdatedAt": _moment(self.updated_at),
            "ttlMs": self.ttl_ms,
            "pollIntervalMs": self.poll_ms,
        }


class TaskSource(Protocol):
    """Where the tasks of some tools are kept. Every method runs for the principal that is calling (`caller`)."""

    async def start(self, params: CallToolRequestParams, ctx: RequestContext, call_next: CallNext) -> Task | HandlerResult:
        """Begin what the call asks for; a task that `find` finds from now on, or the call's plain answer."""
        ...

    async def find(self, id: str, ctx: RequestContext) -> Task | None:  # noqa: A002 - the protocol's word
        """A task of this principal; None when there is none of that id, or it is another's."""
        ...

    async def cancel(self, task: Task, ctx: RequestContext) -> None:
        """Ask it to end; one that has ended stays as it is."""
        ...

    async def answer(self, task: Task, responses: Mapping[str, Any], ctx: RequestContext) -> None:
        """Take a person's answers to its questions; what answers no open question is ignored."""
        ...


class TaskParams(RequestParams):
    """Which task."""

    task_id: str = Field(alias="taskId", max_length=_MAX_ID)


class TaskUpdateParams(TaskParams):
    """Answers to a task's questions, by the keys under which they were asked."""

    input_responses: dict[str, Any] = Field(alias="inputResponses")


class Tasks(Extension):
    """The extension as the server has it: a registry of tools that answer with tasks, and the three methods."""

    identifier = EXTENSION

    def __init__(self) -> None:
        self._sources: dict[str, TaskSource] = {}

    def offer(self, source: TaskSource, *tools: str) -> None:
        """From now on calls of these tools may become tasks of `source`."""
        self._sources |= dict.fromkeys(tools, source)

    def methods(self) -> list[MethodBinding]:
        """What the extension adds to the protocol."""
        since = frozenset({SINCE})
        return [
            MethodBinding("tasks/get", TaskParams, self._get, since),
            MethodBinding("tasks/update", TaskUpdateParams, self._update, since),
            MethodBinding("tasks/cancel", TaskParams, self._cancel, since),
        ]

    async def intercept_tool_call(self, params: CallToolRequestParams, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        """Begin a task where the tool has some and the client takes it."""
        source = self._sources.get(params.name)
        if source is None or not declares(ctx):
            return await call_next(ctx)
        begun = await source.start(params, ctx, call_next)
        return begun.created() if isinstance(begun, Task) else begun

    async def guard(self, ctx: RequestContext, call_next: CallNext) -> HandlerResult:
        """A middleware: what the extension asks of requests that the SDK does not know as its own."""
        asked = ctx.params or {}
        if ctx.method in _METHODS and is_version_at_least(ctx.protocol_version, SINCE):
            _require_name_header(ctx, asked.get("taskId"))
        notices = asked.get("notifications")
        if ctx.method == "subscriptions/listen" and isinstance(notices, Mapping) and notices.get("taskIds"):
            require_client_extension(ctx, EXTENSION)
        return await call_next(ctx)

    async def _get(self, ctx: RequestContext, params: TaskParams) -> HandlerResult:
        _, task = await self._found(ctx, params)
        return task.detailed()

    async def _update(self, ctx: RequestContext, params: TaskUpdateParams) -> HandlerResult:
        source, task = await self._found(ctx, params)
        await source.answer(task, params.input_responses, ctx)
        return {"resultType": "complete"}

    async def _cancel(self, ctx: RequestContext, params: TaskParams) -> HandlerResult:
        source, task = await self._found(ctx, params)
        await source.cancel(task, ctx)
        return {"resultType": "complete"}

    async def _found(self, ctx: RequestContext, params: TaskParams) -> tuple[TaskSource, Task]:
        require_client_extension(ctx, EXTENSION)
        for source in dict.fromkeys(self._sources.values()):
            if (task := await source.find(params.task_id, ctx)) is not None:
                return source, task
        # The same for a task of somebody else: whether there is one is nobody's business.
        raise MCPError(code=INVALID_PARAMS, message="there is no such task (the call that began it told its id)")


def declares(ctx: RequestContext) -> bool:
    """Whether the client takes a task for this request."""
    able = ctx.session.client_capabilities
    is_new = is_version_at_least(ctx.protocol_version, SINCE)
    return is_new and able is not None and EXTENSION in (able.extensions or {})


def _require_name_header(ctx: RequestContext, task_id: Any) -> None:
    """Over HTTP the header `Mcp-Name` repeats the task's id, for whatever stands between and routes by it."""
    headers = getattr(ctx.request, "headers", None)
    if headers is not None and decode_header_value(headers.get(MCP_NAME_HEADER)) != task_id:
        raise MCPError(code=HEADER_MISMATCH, message=f"{MCP_NAME_HEADER} must be the request's taskId")


def _wire(value: CallToolResult | ErrorData | InputRequest) -> Json:
    dumped: Json = value.model_dump(by_alias=True, mode="json", exclude_none=True)
    if isinstance(value, ElicitRequest):
        dumped["params"].pop("_meta", None)
    return dumped


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
