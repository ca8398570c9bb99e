"""Every tool as a client is sent it: held against a committed snapshot, linted, and counted."""

import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client

import peers
from prov_server import compose
from prov_server.compose import Application
from prov_server.mcp.server import build
from prov_tools.registry import REGISTRY
from stratumops.settings import load
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio

SNAPSHOTS = Path(__file__).resolve().parent.parent / "snapshots"
ORDER = SNAPSHOTS / "tools.json"
SHARES = {
    950: {"toolsets", "generate_config", "validate_config", "get_schema"},
    1_000: {"review_config", "estimate_cost", "check_compliance", "plan_migration"},
    300: {"vault_store", "vault_list"},
    800: {"search_docs", "troubleshoot", "kogral_add", "get_guidelines"},
    900: {"query_infrastructure", "plan_config", "apply_plan", "execute_workflow", "operation_status"},
}
"""Each part of the product's share of the 4,000 tokens that the whole list may cost (o200k, compact JSON), and its tools."""

STALE = "the snapshots are stale; if the change is meant: pytest tests/prov_tools --update-snapshots"
TYPING = {"type", "enum", "const", "anyOf", "oneOf", "allOf"}


@pytest.fixture
async def listed(tmp_path: Path, anyio_backend: str) -> list[dict[str, Any]]:
    """The default list as it arrives in a client that asks for nothing more."""
    return await list_tools(tmp_path)


async def list_tools(folder: Path, **mcp: Any) -> list[dict[str, Any]]:
    app = compose.build(Workspace.at(folder), load(None, mcp=mcp))

    async def made() -> Application:
        return app

    async with Client(build(made, face="mcp")) as client:
        tools = (await client.list_tools()).tools
    await app.aclose()
    return [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tools]


async def test_what_a_client_is_sent_is_what_was_committed(
    listed: list[dict[str, Any]], everything: list[dict[str, Any]], request: pytest.FixtureRequest
):
    fresh: dict[str, Any] = {f"tools/{tool['name']}.json": tool for tool in everything} | {
        ORDER.name: [tool["name"] for tool in listed]
    }
    if request.config.getoption("--update-snapshots", default=False):
        for old in (SNAPSHOTS / "tools").glob("*.json"):
            old.unlink()
        for name, value in fresh.items():
            (SNAPSHOTS / name).write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    committed = {
        path.relative_to(SNAPSHOTS).as_posix(): json.loads(path.read_text(encoding="utf-8")) for path in SNAPSHOTS.rglob("*.json")
    }
    assert committed == fresh, STALE


@pytest.fixture
async def everything(tmp_path: Path, anyio_backend: str) -> list[dict[str, Any]]:
    """The list of a client that asks for all toolsets."""
    return await list_tools(tmp_path, toolsets=["all"])


async def test_every_tool_of_the_registry_can_be_listed_and_has_a_snapshot(everything: list[dict[str, Any]]):
    """Also one that is off at first."""
    names = [tool.name for tool in REGISTRY]
    assert [tool["name"] for tool in everything] == names
    assert {path.stem for path in (SNAPSHOTS / "tools").glob("*.json")} == set(names)


def untyped(schema: dict[str, Any], path: str) -> list[str]:
    """Where a schema leaves open what a value is."""
    if "$ref" in schema or not TYPING.intersection(schema):
        return [path]
    found = []
    if schema.get("type") == "array":
        found += untyped(schema.get("items", {}), f"{path}[]")
    for name, field in schema.get("properties", {}).items():
        found += untyped(field, f"{path}.{name}")
    if isinstance(extra := schema.get("additionalProperties"), dict):
        found += untyped(extra, f"{path}.*")
    return found


async def test_every_value_of_every_tool_is_typed(listed: list[dict[str, Any]]):
    for tool in listed:
        assert tool["outputSchema"]["properties"], tool["name"]
        assert untyped(tool["outputSchema"], f"{tool['name']} answers") == []
        assert untyped(tool["inputSchema"], f"{tool['name']} takes") == []


async def test_every_tool_says_what_it_is_for_and_what_its_parameters_are(listed: list[dict[str, Any]]):
    for tool in listed:
        assert len(tool["description"]) >= 20, tool["name"]
        assert tool["title"]
        # What the protocol assumes of a tool (it may destroy, and reaches out) is said where it is not so.
        effect = REGISTRY[tool["name"]].effect
        assert tool["annotations"].get("readOnlyHint", False) == (effect == "read"), tool["name"]
        assert tool["annotations"].get("destructiveHint", effect != "read") == (effect == "world"), tool["name"]
        assert tool["inputSchema"]["additionalProperties"] is False
        for name, schema in tool["inputSchema"]["properties"].items():
            assert schema.get("description"), f"{tool['name']}.{name}"


async def test_no_schema_carries_what_only_costs_tokens(listed: list[dict[str, Any]]):
    text = json.dumps([(tool["inputSchema"], tool["outputSchema"]) for tool in listed])
    assert '"title": "' not in text  # a field may be called so
    assert '"$defs"' not in text
    assert '"null"' not in text


async def test_the_default_list_stays_within_its_shares_of_tokens(listed: list[dict[str, Any]]):
    assert {tool["name"] for tool in listed} == set().union(*SHARES.values())
    for most, names in SHARES.items():
        part = [tool for tool in listed if tool["name"] in names]
        compact = json.dumps({"tools": part}, separators=(",", ":"), ensure_ascii=False)
        assert peers.count_tokens(compact) <= most, names


async def test_every_tool_has_an_example_that_its_own_input_accepts():
    for tool in REGISTRY:
        assert bool(tool.example) == bool(tool.input.model_fields), tool.name
        tool.parse(tool.example)


def test_a_generated_configuration_that_is_not_valid_has_not_passed():
    from prov_tools.config import GenerateConfigOutput

    made = GenerateConfigOutput(config="{}", valid=False, understood=[], assumed=[], unplaced=[], findings=[])
    assert not made.passed()
    assert made.model_copy(update={"valid": True}).passed()
