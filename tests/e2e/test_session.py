"""A session as a desktop assistant has it: the official client, a real child process, one workspace, both protocol eras."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError, StdioServerParameters

from prov_tools.registry import REGISTRY

from .wire import PATIENCE, PROV, environment

pytestmark = pytest.mark.anyio

ERAS = [pytest.param("auto", id="2026-07-28"), pytest.param("legacy", id="2025-11-25")]
EVERYTHING = [tool.name for tool in REGISTRY if tool.default]
ENGLISH = "a 3-node Kubernetes cluster with Cilium on UpCloud"
SPANISH = "dos servidores web m5.large detrás de un balanceador con una base de datos PostgreSQL y un bucket privado en us-east-1"
BROKEN = """{
  provider = "aws",
  servers = [
    { name = "web", plan = "t3.micro", spec.cpu = 64 },
    { name = "web", plan = "t3.micro" },
    { name = "db", plan = "no.such" },
  ],
}
"""


@asynccontextmanager
async def connected(workspace: Path, mode: str, *options: str, **client: Any) -> AsyncIterator[Client]:
    command = StdioServerParameters(
        command=PROV, args=["mcp", "serve", "--workspace", str(workspace), *options], env=environment(), cwd=workspace
    )
    async with Client(command, mode=mode, **client) as connection:
        yield connection


def words(answer: Any) -> str:
    """The text of an answer's first block: of a tool's result, a prompt's message or a resource."""
    if hasattr(answer, "messages"):
        return str(answer.messages[0].content.text)
    return str((answer.contents if hasattr(answer, "contents") else answer.content)[0].text)


async def call(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    # What a model reads and what a program reads are the same.
    assert json.loads(words(result)) == result.structured_content
    return result.structured_content


async def error(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    refused: dict[str, Any] = json.loads(words(result))["error"]
    assert set(refused) == {"code", "message", "hint", "details"}
    return refused


@pytest.mark.parametrize("mode", ERAS)
async def test_an_idea_becomes_a_validated_configuration_and_a_broken_one_is_mended(mode: str, workspace: Path):
    async with connected(workspace, mode) as client:
        assert client.server_info is not None
        assert client.server_info.name == "stratumops"
        assert "generate_config" in (client.instructions or "")
        assert [tool.name for tool in (await client.list_tools()).tools] == EVERYTHING

        english = await call(client, "generate_config", description=ENGLISH, split=False)
        assert english["valid"]
        assert english["unplaced"] == []
        assert next(iter(english)) == "config"
        assert "upcloud" in english["config"]
        assert "clusters" in english["config"]

        assert "files" not in english

        spanish = await call(client, "generate_config", description=SPANISH)
        assert spanish["valid"]
        assert spanish["unplaced"] == []
        for word in ("servers", "load_balancers", "databases", "us-east-1", "m5.large", "postgres"):
            assert word in spanish["config"], word

        # The client saves what it was given, as split files, and asks about the path.
        for name, text in spanish["files"].items():
            (workspace / name).write_text(text)
        by_path = await call(client, "validate_config", config="main.ncl")
        by_text = await call(client, "validate_config", config=spanish["config"])
        assert by_path["valid"]
        assert by_path["resources"] == by_text["resources"]
        assert by_path["resources"]["server"] == 2

        fields = await call(client, "get_schema", name="server")
        assert {"name", "plan"} <= {field["path"] for field in fields["fields"]}

        (workspace / "broken.ncl").write_text(BROKEN)
        verdict = await call(client, "validate_config", config="broken.ncl")
        assert not verdict["valid"]
        assert verdict["errors"] >= 3
        wrong = {finding["line"] for finding in verdict["findings"] if finding["severity"] == "error"}
        assert {4, 6} <= wrong
        assert all(finding["message"] and finding["fix"] for finding in verdict["findings"] if finding["severity"] == "error")

        mended = BROKEN.replace(", spec.cpu = 64", "").replace('"web", plan = "t3.micro" },\n    { name = "db"', '"db"')
        mended = mended.replace('    { name = "web", plan = "t3.micro" },\n    { name = "web", plan', '    { name = "web", plan')
        mended = mended.replace("no.such", "t3.small")
        (workspace / "broken.ncl").write_text(mended)
        assert (await call(client, "validate_config", config="broken.ncl", strict=False))["valid"]


@pytest.mark.parametrize("mode", ERAS)
async def test_resources_prompts_and_completions_serve_a_person_who_types(mode: str, workspace: Path):
    (workspace / "main.ncl").write_text('{ provider = "aws" }')
    async with connected(workspace, mode) as client:
        read = await client.read_resource("prov://config/main.ncl")
        assert words(read) == '{ provider = "aws" }'
        assert "Volume" in words(await client.read_resource("prov://schema/volume"))
        with pytest.raises(MCPError):
            await client.read_resource("prov://config/missing.ncl")

        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
        assert prompts == {"design_infrastructure", "review_configuration", "plan_migration", "troubleshoot"}
        made = await client.get_prompt("review_configuration", {"config": "main.ncl"})
        assert "> main.ncl" in words(made)


@pytest.mark.parametrize("mode", ERAS)
async def test_a_toolset_that_is_switched_off_leaves_the_list_with_a_notice(mode: str, workspace: Path):
    noticed = asyncio.Event()

    async def listen(message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            noticed.set()

    async with connected(workspace, mode, message_handler=listen) as client:
        async with notices(client, noticed):
            changed = await call(client, "toolsets", action="disable", names=["config"])
            assert changed["changed"]
            await asyncio.wait_for(noticed.wait(), PATIENCE)
        others = [tool.name for tool in REGISTRY if tool.default and tool.toolset != "config"]
        assert [tool.name for tool in (await client.list_tools()).tools] == others
        refused = await error(client, "get_schema", name="server")
        assert refused["code"] == "not_found"
        assert 'action="enable", names=["config"]' in refused["hint"]
        noticed.clear()
        async with notices(client, noticed):
            assert (await call(client, "toolsets", action="enable", names=["config"]))["changed"]
            await asyncio.wait_for(noticed.wait(), PATIENCE)
        assert not (await call(client, "toolsets", action="enable", names=["config"]))["changed"]
        # A toolset that is switched on by name is on with the tools that are off at first.
        whole = [tool.name for tool in REGISTRY if tool.default or tool.toolset == "config"]
        assert [tool.name for tool in (await client.list_tools()).tools] == whole


@asynccontextmanager
async def notices(client: Client, noticed: asyncio.Event) -> AsyncIterator[None]:
    """Newer clients ask for notices on a subscription; older ones get them anyway."""
    if client.protocol_version < "2026":
        yield
        return

    async def follow(subscription: Any) -> None:
        async for _ in subscription:
            noticed.set()

    async with client.listen(tools_list_changed=True) as subscription:
        following = asyncio.create_task(follow(subscription))
        yield
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)


async def test_a_server_offers_the_toolsets_that_its_command_line_names(workspace: Path):
    async with connected(workspace, "auto", "--toolsets", "core", "--read-only") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["toolsets"]
        await call(client, "toolsets", action="enable", names=["all"])
        # Read-only mode takes away what changes something, such as storing a secret.
        tools = (await client.list_tools()).tools
        left = [tool.name for tool in REGISTRY if tool.runs_in_read_only]
        assert [tool.name for tool in tools] == left
        assert "vault_list" in left
        assert "vault_store" not in left
        # The switches change the server's own state, and stay: without them nobody could see what there is.
        hints = {tool.name: bool(tool.annotations.read_only_hint) for tool in tools if tool.annotations}
        assert hints == {name: name != "toolsets" for name in left}


async def test_an_unknown_toolset_on_the_command_line_is_told_to_the_client(workspace: Path):
    async with connected(workspace, "auto", "--toolsets", "nonsense") as client:
        with pytest.raises(MCPError, match="unknown toolset: nonsense"):
            await client.list_tools()
