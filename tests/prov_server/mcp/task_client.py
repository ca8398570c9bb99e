"""What a client of MCP's tasks does: takes handles, looks at them, answers, cancels."""

import asyncio
import time
from typing import Any, Literal

from mcp import Client
from mcp.client.extension import ClientExtension, ResultClaim
from mcp_types import CallToolResult, Request, RequestParams, Result
from pydantic import ConfigDict, Field, TypeAdapter

from prov_server.mcp.tasks import EXTENSION

PATIENCE = 120.0
POLL_SECONDS = 0.05
ENDED = {"completed", "failed", "cancelled"}
Told = dict[str, Any]


class TaskHandle(Result):
    """What a call is answered that became a task."""

    model_config = ConfigDict(extra="allow")

    result_type: Literal["task"] = Field(alias="resultType")
    task_id: str = Field(alias="taskId")


class _Params(RequestParams):
    model_config = ConfigDict(extra="allow")

    task_id: str = Field(alias="taskId")


class _Asked(Request[_Params, str]):
    method: str
    params: _Params
    name_param = "taskId"


_TOLD: Any = TypeAdapter(Told)


class TakesTasks(ClientExtension):
    """A client that declares the extension, and finishes tasks by itself where `Client.call_tool` is used."""

    identifier = EXTENSION

    def claims(self) -> list[ResultClaim[TaskHandle]]:
        async def finish(handle: TaskHandle, context: Any) -> CallToolResult:
            return CallToolResult.model_validate((await until(context.session, handle.task_id, *ENDED))["result"])

        return [ResultClaim(result_type="task", model=TaskHandle, resolve=finish)]


async def begun(client: Client, tool: str, arguments: Told) -> Told:
    """A call that must become a task."""
    handle = await client.session.call_tool(tool, arguments, allow_claimed=True)
    assert isinstance(handle, TaskHandle), handle
    return handle.model_dump(by_alias=True)


async def ask(session: Any, method: str, task_id: str, **more: Any) -> Told:
    """One of the three methods."""
    request = _Asked(method=method, params=_Params(taskId=task_id, **more))
    told: Told = await session.send_request(request, _TOLD)
    return told


async def until(session: Any, task_id: str, *statuses: str) -> Told:
    """The task once it has one of these statuses."""
    deadline = time.monotonic() + PATIENCE
    while True:
        told = await ask(session, "tasks/get", task_id)
        if told["status"] in statuses:
            return told
        assert told["status"] not in ENDED, told
        assert time.monotonic() < deadline, told
        await asyncio.sleep(POLL_SECONDS)
