"""MCP's tasks as any tool can have them: who gets one, who may look at it, what is refused."""

import json
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp.client.extension import advertise
from mcp_types import (
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    EmptyResult,
    Request,
    RequestParams,
    SubscriptionFilter,
)
from pydantic import ConfigDict

from prov_server.mcp.server import ProvServer
from prov_server.mcp.tasks import EXTENSION, Task
from stratumops.principal import TOOLS, Principal

from .conftest import text_of
from .task_client import TakesTasks, ask, begun, until
from .task_fixtures import add_task_fixtures

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def tools(server: ProvServer) -> None:
    add_task_fixtures(server)


def taking(server: ProvServer, **options: Any) -> Client:
    return Client(server, extensions=[TakesTasks()], **options)


async def refused(session: Any, method: str, task_id: str, **more: Any) -> int:
    with pytest.raises(MCPError) as caught:
        await ask(session, method, task_id, **more)
    return caught.value.error.code


async def test_a_client_that_declares_tasks_is_answered_at_once_and_finds_the_result_later(server: ProvServer):
    async with taking(server) as client:
        assert EXTENSION in (client.server_capabilities.extensions or {})
        handle = await begun(client, "slow_compute", {"seconds": 0.2, "label": "x"})
        assert handle["status"] == "working"
        assert not {"result", "error", "inputRequests", "requestState"} & set(handle)
        told = await until(client.session, handle["taskId"], "completed")
        assert told["result"]["content"][0]["text"] == "computed x"
        assert told["createdAt"] == handle["createdAt"]
        # A program that knows nothing of tasks gets the answer from its client.
        assert text_of(await client.call_tool("slow_compute", {"seconds": 0, "label": "y"})) == "computed y"


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_that_does_not_declare_tasks_waits_for_its_answer(server: ProvServer, mode: str):
    async with Client(server, mode=mode) as client:
        assert text_of(await client.call_tool("slow_compute", {"seconds": 0, "label": "z"})) == "computed z"


async def test_the_older_era_knows_no_tasks(server: ProvServer):
    async with Client(server, mode="legacy", extensions=[advertise(EXTENSION)]) as client:
        assert text_of(await client.call_tool("slow_compute", {"seconds": 0, "label": "z"})) == "computed z"
        assert await refused(client.session, "tasks/get", "any") == METHOD_NOT_FOUND


async def test_the_methods_are_for_clients_that_declare_tasks(server: ProvServer):
    async with Client(server) as client:
        for method in ("tasks/get", "tasks/cancel"):
            assert await refused(client.session, method, "any") == MISSING_REQUIRED_CLIENT_CAPABILITY
        assert await refused(client.session, "tasks/update", "any", inputResponses={}) == MISSING_REQUIRED_CLIENT_CAPABILITY


async def test_notices_about_tasks_are_for_clients_that_declare_tasks(server: ProvServer):
    class Params(RequestParams):
        model_config = ConfigDict(extra="allow")
        notifications: SubscriptionFilter

    class Listen(Request[Params, str]):
        method: str = "subscriptions/listen"
        params: Params

    wanted = SubscriptionFilter.model_validate({"taskIds": ["any"]})
    async with Client(server) as client:
        with pytest.raises(MCPError) as caught:
            await client.session.send_request(Listen(params=Params(notifications=wanted)), EmptyResult)
        assert caught.value.error.code == MISSING_REQUIRED_CLIENT_CAPABILITY


@pytest.mark.parametrize("task_id", ["", "never-was", "op-000000000000", "op-", "x" * 128, "x" * 129])
async def test_a_task_that_never_was_is_refused(server: ProvServer, task_id: str):
    async with taking(server) as client:
        for method in ("tasks/get", "tasks/cancel"):
            assert await refused(client.session, method, task_id) == INVALID_PARAMS
        assert await refused(client.session, "tasks/update", task_id, inputResponses={}) == INVALID_PARAMS


async def test_a_task_of_another_principal_does_not_exist(server: ProvServer, monkeypatch: pytest.MonkeyPatch):
    async with taking(server) as client:
        handle = await begun(client, "slow_compute", {"seconds": 60})
        # In memory everybody is LOCAL; over HTTP the token says who it is.
        monkeypatch.setattr("prov_server.mcp.server.LOCAL", Principal("somebody else", frozenset({TOOLS})))
        for method in ("tasks/get", "tasks/cancel"):
            assert await refused(client.session, method, handle["taskId"]) == INVALID_PARAMS
        monkeypatch.undo()
        assert (await ask(client.session, "tasks/get", handle["taskId"]))["status"] == "working"
        assert (await ask(client.session, "tasks/cancel", handle["taskId"]))["resultType"] == "complete"
        told = await until(client.session, handle["taskId"], "cancelled")
        assert not {"result", "error"} & set(told)


async def test_answers_that_nobody_asked_for_change_nothing(server: ProvServer):
    async with taking(server) as client:
        handle = await begun(client, "confirm_delete", {"filename": "a"})
        told = await until(client.session, handle["taskId"], "input_required")
        (key,) = told["inputRequests"]
        forged = {"confirm": {"action": "accept", "content": {"confirm": True}}}
        assert await ask(client.session, "tasks/update", handle["taskId"], inputResponses=forged)
        assert set((await ask(client.session, "tasks/get", handle["taskId"]))["inputRequests"]) == {key}
        await ask(client.session, "tasks/update", handle["taskId"], inputResponses={key: {"action": "decline"}})
        told = await until(client.session, handle["taskId"], "completed")
        assert "decline" in told["result"]["content"][0]["text"]


async def test_a_secret_in_a_result_is_hidden(server: ProvServer):
    secret = "canary-7Q2x9Lw4"
    (await server.application()).redactor.register(secret)
    async with taking(server) as client:
        handle = await begun(client, "slow_compute", {"seconds": 0, "label": secret})
        assert secret not in json.dumps(await until(client.session, handle["taskId"], "completed"))


def test_what_is_told_of_a_task_is_what_its_status_has():
    task = Task("t", "working", "said", 0.0, 1.5, 1000)
    assert task.detailed() == {
        "resultType": "complete",
        "taskId": "t",
        "status": "working",
        "statusMessage": "said",
        "createdAt": "1970-01-01T00:00:00.000Z",
        "lastUpdatedAt": "1970-01-01T00:00:01.500Z",
        "ttlMs": None,
        "pollIntervalMs": 1000,
    }
