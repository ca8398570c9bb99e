"""The engine's operations as tasks, with a real server process and the sandbox: over stdio and HTTP, also after kill -9."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import INVALID_PARAMS, CallToolResult

from prov_server import compose
from prov_server.compose import Application
from prov_server.mcp.server import ProvServer, build
from provisioning.providers.sandbox.process import Sandbox
from stratumops.principal import LOCAL, TOOLS, Principal
from stratumops.settings import load
from stratumops.workspace import Workspace

from .conftest import text_of
from .task_client import PATIENCE, POLL_SECONDS, TakesTasks, ask, begun, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]  # an apply starts a cloud, two of them a server each

PROV = str(Path(sys.executable).with_name("prov"))
CONFIG = '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'
SETTINGS = {"PROV_ENGINE__PROVIDER": "sandbox", "PROV_ENGINE__ELICITATION": "true"}


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PROV_")} | SETTINGS


@pytest.fixture(autouse=True)
def sandbox(workspace: Workspace) -> Iterator[None]:
    """Ends the cloud that an approved plan started."""
    yield
    Sandbox(workspace.own / "sandbox").stop()


@pytest.fixture
async def application(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, anyio_backend: str) -> AsyncIterator[Application]:
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    app = compose.build(workspace, load(None, nickel={"workers": 1}))
    yield app
    await app.aclose()


def taking(server: ProvServer) -> Client:
    return Client(server, extensions=[TakesTasks()])


async def planned(client: Client) -> str:
    made = await client.call_tool("plan_config", {"config": CONFIG})
    assert made.structured_content is not None, made.content
    return str(made.structured_content["plan_id"])


async def never(context: Any, params: Any) -> Any:
    raise AssertionError("in a task nobody is asked by a request")


def yes(told: dict[str, Any], plan_id: str) -> dict[str, Any]:
    (key,) = told["inputRequests"]
    return {key: {"action": "accept", "content": {"word": plan_id.removeprefix("plan-")[:4]}}}


@asynccontextmanager
async def over_stdio(workspace: Workspace, **options: Any) -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=PROV, args=["mcp", "serve", "--workspace", str(workspace.root)], env=environment(), cwd=workspace.root
    )
    async with Client(command, extensions=[TakesTasks()], **options) as client:
        yield client


@asynccontextmanager
async def served(workspace: Workspace) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A `prov serve` and its address; killed at the end, if the test has not done so."""
    process = await asyncio.create_subprocess_exec(
        *(PROV, "--json", "--workspace", str(workspace.root), "serve", "--port", "0"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=workspace.root,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        said = b""
        while not said.rstrip().endswith(b"}"):
            part = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            assert part
            said += part
        yield process, json.loads(said)["url"].rstrip("/")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def over_http(workspace: Workspace, url: str, **options: Any) -> AsyncIterator[Client]:
    token = (workspace.own / "http-token").read_text().strip()
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), extensions=[TakesTasks()], **options) as client,
    ):
        yield client


async def test_an_apply_over_stdio_is_a_task_that_ends_with_the_tools_own_answer(workspace: Workspace):
    async with over_stdio(workspace, elicitation_callback=never) as client:
        plan_id = await planned(client)
        handle = await begun(client, "apply_plan", {"plan_id": plan_id})
        assert handle["taskId"].startswith("op-")
        assert handle["ttlMs"] is None
        assert handle["pollIntervalMs"] > 0
        told = await until(client.session, handle["taskId"], "input_required")
        await ask(client.session, "tasks/update", handle["taskId"], inputResponses=yes(told, plan_id))
        told = await until(client.session, handle["taskId"], "completed")
        result = CallToolResult.model_validate(told["result"])
        assert not result.is_error
        own = await client.call_tool("operation_status", {"operation": handle["taskId"]})
        assert result.structured_content == own.structured_content
        assert text_of(result) == text_of(own)
        assert told["lastUpdatedAt"] > told["createdAt"]
        # Again: it has ended, so the answer comes at once, and it is the same.
        again = await client.session.call_tool("apply_plan", {"plan_id": plan_id}, allow_claimed=True)
        assert isinstance(again, CallToolResult)
        assert again.structured_content == own.structured_content
        # A cancellation comes too late and changes nothing.
        assert (await ask(client.session, "tasks/cancel", handle["taskId"]))["resultType"] == "complete"
        assert (await ask(client.session, "tasks/get", handle["taskId"]))["status"] == "completed"


async def test_a_task_outlives_its_server_and_another_process_answers_the_same(workspace: Workspace):
    async with served(workspace) as (process, url):
        async with over_http(workspace, url) as client:
            plan_id = await planned(client)
            handle = await begun(client, "apply_plan", {"plan_id": plan_id})
            before = await ask(client.session, "tasks/get", handle["taskId"])
        # The client left; another one finds the task.
        async with over_http(workspace, url) as client:
            assert (await ask(client.session, "tasks/get", handle["taskId"]))["createdAt"] == before["createdAt"]
        process.send_signal(signal.SIGKILL)
        await process.wait()
    async with served(workspace) as (_, url), over_http(workspace, url, elicitation_callback=never) as client:
        after = await until(client.session, handle["taskId"], "input_required")
        assert {name: after[name] for name in ("taskId", "createdAt", "ttlMs")} == {
            name: before[name] for name in ("taskId", "createdAt", "ttlMs")
        }
        await ask(client.session, "tasks/update", handle["taskId"], inputResponses=yes(after, plan_id))
        told = await until(client.session, handle["taskId"], "completed")
        assert told["result"]["structuredContent"]["status"] == "succeeded"


async def test_a_task_is_cancelled_as_an_operation_is(server: ProvServer, application: Application):
    async with taking(server) as client:
        handle = await begun(client, "apply_plan", {"plan_id": await planned(client)})
        assert (await ask(client.session, "tasks/cancel", handle["taskId"])).keys() >= {"resultType"}
        told = await until(client.session, handle["taskId"], "cancelled")
        assert not {"result", "error"} & set(told)
    operation = await (await application.engine()).find_operation(handle["taskId"])
    assert operation.status == "cancelled"


async def test_the_same_plan_again_is_the_same_task(server: ProvServer):
    async with taking(server) as client:
        plan_id = await planned(client)
        first = await begun(client, "apply_plan", {"plan_id": plan_id})
        second = await begun(client, "apply_plan", {"plan_id": plan_id, "wait": 90})
        assert (first["taskId"], first["createdAt"]) == (second["taskId"], second["createdAt"])


async def test_an_operation_of_another_principal_is_no_task(
    server: ProvServer, application: Application, monkeypatch: pytest.MonkeyPatch
):
    async with taking(server) as client:
        plan_id = await planned(client)
        operation = await (await application.engine()).submit(plan_id, by="somebody else")
        for method, more in (("tasks/get", {}), ("tasks/cancel", {}), ("tasks/update", {"inputResponses": {}})):
            with pytest.raises(MCPError) as caught:
                await ask(client.session, method, operation.id, **more)
            assert caught.value.error.code == INVALID_PARAMS
        # Submitting the plan again tells how it stands, as it does to everybody, and no handle.
        found = await client.session.call_tool("apply_plan", {"plan_id": plan_id}, allow_claimed=True)
        assert isinstance(found, CallToolResult)
        # Its own person has it.
        monkeypatch.setattr("prov_server.mcp.server.LOCAL", Principal("somebody else", frozenset({TOOLS})))
        assert (await ask(client.session, "tasks/get", operation.id))["taskId"] == operation.id


async def test_the_beginning_of_an_id_is_no_id(server: ProvServer):
    async with taking(server) as client:
        handle = await begun(client, "apply_plan", {"plan_id": await planned(client)})
        with pytest.raises(MCPError):
            await ask(client.session, "tasks/get", handle["taskId"][:-1])


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("apply_plan", {"plan_id": "plan-000000000000"}),
        ("apply_plan", {"plan_id": "plan-000000000000", "wait": "long"}),
        ("apply_plan", {}),
        ("apply_plan", {"plan_id": "x", "approved": True}),
        ("execute_workflow", {"workflow_id": "no-such", "dry_run": False}),
        ("execute_workflow", {"workflow_id": "no-such", "dry_run": "no"}),
    ],
)
async def test_what_the_chain_refuses_becomes_no_task(server: ProvServer, tool: str, arguments: dict[str, Any]):
    async with taking(server) as client:
        found = await client.session.call_tool(tool, arguments, allow_claimed=True)
        assert isinstance(found, CallToolResult)
        assert found.is_error


async def test_calls_that_become_tasks_are_audited_and_limited_as_others(server: ProvServer, application: Application):
    async with taking(server) as client:
        plan_id = await planned(client)
        handle = await begun(client, "apply_plan", {"plan_id": plan_id})
        await ask(client.session, "tasks/cancel", handle["taskId"])
        await until(client.session, handle["taskId"], "cancelled")
        output = await application.call("audit_list", {}, principal=LOCAL, face="cli")
        tools = [one["tool"] for one in output.model_dump()["calls"]]
        assert {"plan_config", "apply_plan", "operation_status"} <= set(tools)
        largest = application.settings.limits.max_argument_bytes
        found = await client.session.call_tool("apply_plan", {"plan_id": "p" * (largest + 1)}, allow_claimed=True)
        assert isinstance(found, CallToolResult)
        assert found.is_error


async def test_a_read_only_server_begins_no_task(workspace: Workspace, anyio_backend: str):
    app = compose.build(workspace, load(None, nickel={"workers": 1}, mcp={"read_only": True}))

    async def made() -> Application:
        return app

    async with taking(build(made, face="mcp")) as client:
        found = await client.session.call_tool("apply_plan", {"plan_id": "plan-000000000000"}, allow_claimed=True)
        assert isinstance(found, CallToolResult)
        assert "read-only" in text_of(found)
    await app.aclose()


async def test_a_workflow_is_a_task_whose_answer_fits_the_tools_schema(server: ProvServer):
    async with asyncio_server() as port:
        parameters = {"host": "127.0.0.1", "port": str(port), "attempts": "3"}
        wish = {"workflow_id": "health-check", "parameters": parameters}
        async with taking(server) as client:
            shown = await client.session.call_tool("execute_workflow", wish, allow_claimed=True)
            assert isinstance(shown, CallToolResult)
            assert shown.structured_content is not None, shown.content
            assert shown.structured_content.get("operation") is None
        async with Client(server, extensions=[TakesTasks()], elicitation_callback=never) as client:
            handle = await begun(client, "execute_workflow", wish | {"dry_run": False})
            told = await until(client.session, handle["taskId"], "input_required")
            plan_id = "plan-" + handle["taskId"].removeprefix("op-")
            await ask(client.session, "tasks/update", handle["taskId"], inputResponses=yes(told, plan_id))
            told = await until(client.session, handle["taskId"], "completed")
            result = CallToolResult.model_validate(told["result"])
            assert result.structured_content is not None
            assert result.structured_content["status"] == "succeeded", result.structured_content
            for tool in ("execute_workflow", "apply_plan"):
                await client.session.validate_tool_result(tool, result)


@asynccontextmanager
async def asyncio_server() -> AsyncIterator[int]:
    """Something that answers on a port."""

    async def hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    listener = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with listener:
        yield listener.sockets[0].getsockname()[1]


async def test_a_client_that_knows_no_tasks_waits_as_it_always_did(server: ProvServer):
    async with Client(server) as client:
        plan_id = await planned(client)
        deadline = time.monotonic() + PATIENCE
        while True:
            found = await client.call_tool("apply_plan", {"plan_id": plan_id, "wait": 0})
            assert found.structured_content is not None
            if found.structured_content["status"] == "waiting_for_approval":
                break
            assert time.monotonic() < deadline
            await asyncio.sleep(POLL_SECONDS)


async def test_a_state_that_cannot_be_opened_is_an_error_of_its_own(server: ProvServer, workspace: Workspace):
    workspace.make_own()
    place = workspace.own / "sandbox"
    place.write_text("no folder")
    async with taking(server) as client:
        for method, more in (("tasks/get", {}), ("tasks/cancel", {})):
            with pytest.raises(MCPError) as caught:
                await ask(client.session, method, "op-000000000000", **more)
            assert caught.value.error.code != INVALID_PARAMS
            assert caught.value.error.data["code"] != "internal"
    place.unlink()


async def test_a_cancellation_is_refused_where_the_tool_is(server: ProvServer):
    async with taking(server) as client:
        handle = await begun(client, "apply_plan", {"plan_id": await planned(client)})
        await client.call_tool("toolsets", {"action": "disable", "names": ["engine"]})
        with pytest.raises(MCPError, match="toolset"):
            await ask(client.session, "tasks/cancel", handle["taskId"])
        assert (await ask(client.session, "tasks/get", handle["taskId"]))["status"] == "working"
