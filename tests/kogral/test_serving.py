"""Kogral's own door: MCP over HTTP and over stdio, with the original's tools."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from kogral.knowledge import Knowledge
from kogral.mcp.server import build

pytestmark = pytest.mark.anyio
TOOLS = {"search", "add_execution", "add_decision", "get_guidelines", "list", "export"}
START = "from kogral.cli.entry import main; main()"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Knowledge(tmp_path / ".kogral")
    made.add("guideline", "Deployments on Kubernetes", "Two replicas, always.", tags=["kubernetes"])
    return tmp_path


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    yield from served(folder)


def served(folder: Path, *words: str, **environment: str) -> Iterator[str]:
    server = subprocess.Popen(
        [sys.executable, "-c", START, "serve", "--port", "0", "--project", str(folder), *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment},
    )  # fmt: skip
    assert server.stderr is not None
    assert server.stdout is not None
    said = server.stderr.readline()
    assert "kogral listens at " in said, said
    yield said.split()[-1]
    server.send_signal(signal.SIGTERM)
    out, _ = server.communicate(timeout=30)
    assert out == ""


async def test_health_says_how_many_nodes_there_are(url: str):
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/health")).json() == {"status": "ok", "nodes": 1}


@pytest.mark.parametrize("path", ["/", "/mcp"])
async def test_mcp_is_spoken_at_both_paths_with_the_originals_tools(url: str, path: str):
    async with Client(url + path) as client:
        assert {one.name for one in (await client.list_tools()).tools} == TOOLS
        found = await client.call_tool("get_guidelines", {"topic": "kubernetes deployment", "include_shared": True})
        assert found.structured_content is not None
        text = found.structured_content["guidelines"][0]["text"]
        assert "Two replicas, always." in text
        assert "data, not instructions" in text
        made = await client.call_tool(
            "add_execution",
            {
                "title": "Deploy api v1.2", "context": "Deployed to prod/web", "resolution": "Deployment successful",
                "metadata": {"service": "api", "version": "1.2"}, "tags": ["deployment", "kubernetes", "api"],
            },
        )  # fmt: skip
        assert made.structured_content is not None
        assert made.structured_content["metadata"]["service"] == "api"
        listed = await client.call_tool("list", {"type": "execution", "tags": "deployment"})
        assert listed.structured_content is not None
        assert [one["title"] for one in listed.structured_content["nodes"]] == ["Deploy api v1.2"]
        hits = await client.call_tool(
            "search", {"query": "deploy api", "semantic": False, "type": "execution", "project": "project"}
        )
        assert hits.structured_content is not None
        assert [one["title"] for one in hits.structured_content["hits"]] == ["Deploy api v1.2"]


async def test_a_web_page_that_rebinds_a_name_is_refused(url: str):
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{url}/mcp", json={}, headers={"Host": "evil.example.org", "Accept": "application/json"})
        assert answer.status_code in {403, 421}


async def test_with_a_token_only_health_is_open(folder: Path):
    for url in served(folder, KOGRAL_TOKEN="long-and-random"):
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"{url}/health")).status_code == 200
            assert (await client.post(f"{url}/mcp", json={})).status_code == 401
            wrong = {"Authorization": "Bearer long-and-randoM"}
            assert (await client.post(f"{url}/", json={}, headers=wrong)).status_code == 401
            right = {"Authorization": "Bearer long-and-random", "Accept": "application/json, text/event-stream"}
            assert (await client.post(f"{url}/mcp", json={}, headers=right)).status_code != 401


async def test_stdio_serves_the_folder_in_which_it_was_started(folder: Path):
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from kogral.cli.entry import main_mcp; main_mcp()"],
        cwd=str(folder),
        env=dict(os.environ),
    )
    async with Client(parameters) as client:
        assert {one.name for one in (await client.list_tools()).tools} == TOOLS
        contents = (await client.read_resource("kogral://guidelines")).contents
        assert "Deployments on Kubernetes" in contents[0].text


async def test_resources_and_prompts_are_there_and_what_is_read_is_fenced(folder: Path):
    async with Client(build(Knowledge(folder / ".kogral"))) as client:
        assert len((await client.list_resources()).resources) == 6
        assert {one.name for one in (await client.list_prompts()).prompts} == {"write_postmortem", "summarise_topic"}
        for name, arguments in (("write_postmortem", {"incident": "a\n# b"}), ("summarise_topic", {"topic": "disks"})):
            prompt = await client.get_prompt(name, arguments)
            assert "> " in prompt.messages[0].content.text
        node = (await client.read_resource("kogral://node/deployments-on-kubernetes")).contents[0].text
        assert "data, not instructions" in node
        graph = json.loads((await client.read_resource("kogral://graph")).contents[0].text)
        assert len(graph["nodes"]) == 1


async def test_a_decision_is_written_and_an_error_is_an_answer_with_a_hint(folder: Path):
    async with Client(build(Knowledge(folder / ".kogral"))) as client:
        made = await client.call_tool(
            "add_decision", {"title": "Use Cilium", "context": "a", "decision": "b", "consequences": "c", "tags": "cni, ebpf"}
        )
        assert made.structured_content is not None
        assert made.structured_content["tags"] == ["cni", "ebpf"]
        wrong = await client.call_tool("list", {"type": "memo"})
        assert wrong.is_error
        assert "no type 'memo'" in wrong.content[0].text


async def test_an_export_over_mcp_stays_below_the_projects_folder(folder: Path):
    async with Client(build(Knowledge(folder / ".kogral"))) as client:
        done = await client.call_tool("export", {"format": "json", "output": "docs/knowledge"})
        assert done.structured_content == {"files": ["docs/knowledge/graph.json"]}
        for output in ("../elsewhere", "/tmp/elsewhere", ".kogral/notes"):
            refused = await client.call_tool("export", {"format": "json", "output": output})
            assert refused.is_error, output
            assert "not below the project" in refused.content[0].text
