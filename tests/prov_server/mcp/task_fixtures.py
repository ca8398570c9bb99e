"""The conformance suite's tools that answer with tasks (SEP-2663), and a source of tasks that lives in memory, for tests.

Their calls, in a task or not, go through the server as every call of a tool does.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from mcp.server.context import CallNext, HandlerResult
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    ClientCapabilities,
    ElicitRequest,
    ElicitRequestFormParams,
    ErrorData,
    InputRequiredResult,
    TextContent,
)

from prov_server.mcp.caller import caller
from prov_server.mcp.server import ProvServer
from prov_server.mcp.tasks import EXTENSION, RequestContext, Task, TaskStatus

Ctx = Context[Any, Any]
KEPT_MS = 600_000
ALWAYS = ("slow_compute", "failing_job", "protocol_error_job", "confirm_delete", "multi_input")
AFTER_A_QUESTION = "test_tool_with_task"
NEEDS_TASKS = "failing_job"


@dataclass
class Job:
    """A call that runs in the background."""

    owner: str
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    status: TaskStatus = "working"
    since: float = field(default_factory=time.time)
    result: CallToolResult | None = None
    error: ErrorData | None = None
    running: asyncio.Task[None] | None = None
    questions: dict[str, ElicitRequest] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    all_answered: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, *messages: str) -> list[Any]:
        """Ask all of them at once and wait for the answers."""
        asked = {secrets.token_hex(8): _question(message) for message in messages}
        self.questions, self.status = dict(asked), "input_required"
        await self.all_answered.wait()
        self.status = "working"
        return [self.answers[key] for key in asked]

    def as_task(self) -> Task:
        """As the protocol sees it."""
        said = f"{self.status} since {self.since:.0f}"
        return Task(
            self.id, self.status, said, self.since, time.time(), 100, KEPT_MS, self.result, self.error, dict(self.questions)
        )


current: ContextVar[Job | None] = ContextVar("current", default=None)
"""The job in which a tool runs; None for a call that became no task."""


class Jobs:
    """Tasks in memory (a `TaskSource`), each of them for whoever began it."""

    def __init__(self, server: ProvServer) -> None:
        self._server = server
        self._jobs: dict[str, Job] = {}

    async def start(self, params: CallToolRequestParams, ctx: RequestContext, call_next: CallNext) -> Task | HandlerResult:
        """Run the tool in the background; one that asks first does so before there is a task."""
        arguments = dict(params.arguments or {})
        if params.name == AFTER_A_QUESTION:
            if not params.input_responses:
                return await call_next(ctx)
            (answer,) = params.input_responses.values()
            arguments["name"] = (getattr(answer, "content", None) or {}).get("name", "")
        job = Job(caller.get().subject)
        self._jobs[job.id] = job
        job.running = asyncio.create_task(self._run(job, params.name, arguments))
        return job.as_task()

    async def _run(self, job: Job, name: str, arguments: dict[str, Any]) -> None:
        current.set(job)
        try:
            result = await self._server.call_tool(name, arguments)
            assert isinstance(result, CallToolResult)
            job.status, job.result = "completed", result
        except asyncio.CancelledError:
            job.status = "cancelled"
        except MCPError as error:
            job.status, job.error = "failed", error.error
        except ToolError as error:
            said = TextContent(type="text", text=str(error))
            job.status, job.result = "completed", CallToolResult(content=[said], is_error=True)

    async def find(self, id: str, ctx: RequestContext) -> Task | None:  # noqa: A002 - the protocol's word
        job = self._jobs.get(id)
        return job.as_task() if job is not None and job.owner == caller.get().subject else None

    async def cancel(self, task: Task, ctx: RequestContext) -> None:
        running = self._jobs[task.id].running
        assert running is not None
        running.cancel()
        await asyncio.wait([running])

    async def answer(self, task: Task, responses: Mapping[str, Any], ctx: RequestContext) -> None:
        job = self._jobs[task.id]
        for key in set(responses) & set(job.questions):
            job.answers[key] = responses[key]
            del job.questions[key]
        if job.status == "input_required" and not job.questions:
            job.all_answered.set()


def _question(message: str, name: str = "confirm", kind: str = "boolean") -> ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _job() -> Job:
    job = current.get()
    assert job is not None
    return job


def add_task_fixtures(server: ProvServer) -> None:
    """Add the tools, and offer tasks of them."""
    server.tasks.offer(Jobs(server), *ALWAYS, AFTER_A_QUESTION)

    @server.tool()
    def greet(name: str) -> str:
        """Greets; never a task."""
        return f"Hello, {name}!"

    @server.tool()
    async def slow_compute(seconds: float = 1, label: str = "") -> str:
        """Takes as long as it is told."""
        await asyncio.sleep(seconds)
        return f"computed {label}"

    @server.tool()
    async def failing_job(ctx: Ctx) -> str:
        """Fails as a tool does; only in a task."""
        if current.get() is None:
            wanted = ClientCapabilities(extensions={EXTENSION: {}})
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="this tool needs tasks",
                data={"requiredCapabilities": wanted.model_dump(by_alias=True, exclude_none=True)},
            )
        return str(1 // 0)

    @server.tool()
    async def protocol_error_job() -> str:
        """Fails as a server does."""
        raise MCPError(code=INTERNAL_ERROR, message="the job broke")

    @server.tool()
    async def confirm_delete(filename: str) -> str:
        """Asks once while it runs."""
        (answer,) = await _job().ask(f"Delete {filename}?")
        return f"{filename}: {answer}"

    @server.tool()
    async def multi_input() -> str:
        """Asks twice at once while it runs."""
        first, second = await _job().ask("The first?", "The second?")
        return f"{first}, {second}"

    @server.tool(name=AFTER_A_QUESTION)
    async def with_task(name: str = "") -> str | InputRequiredResult:
        """Asks, then becomes a task."""
        if name:
            return f"Hello, {name}!"
        return InputRequiredResult(input_requests={"user_name": _question("What is your name?", "name", "string")})
