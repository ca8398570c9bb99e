"""The protocol's own inspector over stdio: what it finds fault with in our schemas, and whether it can use the server."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import peers
from prov_tools.registry import REGISTRY

from .wire import PROV, environment

pytestmark = pytest.mark.anyio


async def inspect(workspace: Path, *options: str) -> dict[str, Any]:
    command = [*peers.node_tool("inspector"), "--cli", PROV, "mcp", "serve", "--workspace", str(workspace)]
    process = await asyncio.create_subprocess_exec(
        *(*command, "--format", "json", *options),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # Its catalogue of servers stays out of the user's home.
        env=environment() | {"HOME": str(workspace.parent)},
    )
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    result: dict[str, Any] = json.loads(out)["result"]
    return result


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_the_strict_inspector_finds_no_fault_with_any_tool(era: str, workspace: Path):
    listed = await inspect(workspace, "--method", "tools/list", "--strict", "--protocol-era", era)
    assert [tool["name"] for tool in listed["tools"]] == [tool.name for tool in REGISTRY if tool.default]


async def test_the_inspector_reads_lists_and_calls(workspace: Path):
    (workspace / "main.ncl").write_text('{ provider = "aws" }')
    async with asyncio.TaskGroup() as group:
        called = group.create_task(
            inspect(workspace, "--method", "tools/call", "--tool-name", "get_schema", "--tool-arg", "name=volume")
        )
        read = group.create_task(inspect(workspace, "--method", "resources/read", "--uri", "prov://config/main.ncl"))
    resources = await inspect(workspace, "--method", "resources/templates/list")
    prompts = await inspect(workspace, "--method", "prompts/list")
    assert called.result()["structuredContent"]["name"] == "volume"
    assert read.result()["contents"][0]["text"] == '{ provider = "aws" }'
    assert {row["uriTemplate"] for row in resources["resourceTemplates"]} == {
        "prov://schema/{name}",
        "prov://config/{+path}",
        "prov://report/{+path}",
        "prov://check/{id}",
        "prov://doc/{+path}",
        "skill://{+path}",
    }
    assert len(prompts["prompts"]) == 4
