"""MCP at `/mcp`: both protocol eras through the same guards, each caller on its own."""

import asyncio
import json
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp import MCPError
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from stratumops.principal import TOOLS, Principal

pytestmark = pytest.mark.anyio
ERAS = ["legacy", "auto"]
INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


class ByLetter:
    async def verify(self, token):
        return Principal(token[0], frozenset({TOOLS}))


@asynccontextmanager
async def connect(served, mode, token=None):
    headers = {"Authorization": f"Bearer {token * 40}"} if token else dict(served.client.headers)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(served.url + "/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("stateless", [False, True])
@pytest.mark.parametrize("mode", ERAS)
async def test_both_eras_list_and_call_the_tools(start, mode, stateless):
    async with start(server={"stateless": stateless}) as served, connect(served, mode) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
        answer = await client.call_tool("echo", {"text": "hello"})
        wrong = await client.call_tool("echo", {"text": "hello", "times": 99})
    assert names == ["toolsets", "echo", "wait", "breaks", "record"]
    assert answer.structured_content == {"said": ["hello"]}
    assert wrong.is_error
    assert json.loads(wrong.content[0].text)["error"]["code"] == "invalid_input"


@pytest.mark.parametrize("mode", ERAS)
async def test_the_token_s_subject_is_the_principal_of_mcp_calls(start, mode):
    async with start(auth=ByLetter()) as served:
        async with connect(served, mode, "a") as ada, connect(served, mode, "b") as bob:
            await ada.call_tool("toolsets", {"action": "enable", "names": ["hidden"]})
            assert "hidden" in [tool.name for tool in (await ada.list_tools()).tools]
            assert "hidden" not in [tool.name for tool in (await bob.list_tools()).tools]
        headers = {"Authorization": "Bearer " + "a" * 40}
        assert (await served.client.post("/api/v1/tools/hidden", json={}, headers=headers)).status_code == 200


async def test_without_a_token_nothing_of_mcp_is_answered(start):
    async with start() as served:
        for headers in (ACCEPT, {**ACCEPT, "MCP-Protocol-Version": "2026-07-28"}):
            answer = await served.client.post("/mcp", json=INITIALIZE, headers={**headers, "Authorization": ""})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_session_is_of_no_use_to_another_principal(start):
    async with start(auth=ByLetter()) as served:
        ada, bob = ({**ACCEPT, "Authorization": f"Bearer {letter * 40}"} for letter in "ab")
        opened = await served.client.post("/mcp", json=INITIALIZE, headers=ada)
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        stolen = await served.client.post("/mcp", json=listing, headers=bob | session)
        own = await served.client.post("/mcp", json=listing, headers=ada | session)
    assert opened.status_code == 200
    assert stolen.status_code == 404
    assert own.status_code == 200


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"\xff", b'{"jsonrpc":"2.0"}', b"[" * 50_000, b'{"jsonrpc":"2.0","id":1,"method":"no/such"}']
)
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28", "1999-01-01"])
async def test_garbage_at_mcp_is_a_client_s_error_and_the_server_goes_on(start, body, version):
    async with start(server={"stateless": True}) as served:
        answer = await served.client.post("/mcp", content=body, headers={**ACCEPT, "MCP-Protocol-Version": version})
        assert answer.status_code < 500
        assert "Traceback" not in answer.text
        assert (await served.call("echo", text="alive")).status_code == 200


async def test_a_client_of_the_newer_protocol_that_leaves_cancels_its_call(start):
    async with start() as served:
        async with connect(served, "auto") as client:
            calling = asyncio.create_task(client.call_tool("wait", {}))
            await asyncio.wait_for(served.watch.started.wait(), 10)
            calling.cancel()
            await asyncio.wait_for(served.watch.cancelled.wait(), 10)
        assert (await served.call("echo", text="alive")).status_code == 200


async def test_an_older_client_that_vanishes_in_mid_call_leaves_the_server_serving(start):
    async with start(limits={"max_concurrent_calls": 1}) as served:
        async with connect(served, "legacy") as client:
            calling = asyncio.create_task(client.call_tool("wait", {}))
            await asyncio.wait_for(served.watch.started.wait(), 10)
            calling.cancel()
            served.watch.release.set()
            await asyncio.gather(calling, return_exceptions=True)
        assert (await asyncio.wait_for(served.call("echo", text="alive"), 10)).status_code == 200


async def test_every_kind_of_mcp_request_is_counted_with_its_outcome(start):
    async with start() as served:
        async with connect(served, "legacy") as client:
            await client.list_resources()
            await client.list_prompts()
            await client.call_tool("echo", {"text": "x"})
            await client.call_tool("echo", {"text": "x", "times": 99})
            with pytest.raises(MCPError):
                await client.read_resource("prov://config/missing.ncl")
            with pytest.raises(MCPError):
                await client.get_prompt("no-such-prompt-canary")
        lines = (await served.client.get("/metrics")).text.splitlines()
    counted = {
        line.rpartition(" ")[0].partition("{")[2].rstrip("}") for line in lines if line.startswith("prov_mcp_requests_total{")
    }
    for method, outcome in (
        ("initialize", "ok"), ("resources/list", "ok"), ("prompts/list", "ok"), ("tools/call", "ok"), ("tools/call", "refused"),
    ):  # fmt: skip
        assert f'method="{method}",outcome="{outcome}"' in counted
    for method in ("resources/read", "prompts/get"):
        assert any(f'method="{method}"' in labels and 'outcome="ok"' not in labels for labels in counted), method
    assert "canary" not in str(lines)
    assert any(line.startswith('prov_mcp_request_duration_seconds_count{method="resources/list"}') for line in lines)
