"""The MCP face through a client in memory, once of each protocol era."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError

from prov_server import compose
from prov_server.compose import Application
from prov_server.mcp.caller import SCOPE_KEY, principal_of
from prov_server.mcp.server import ProvServer, build, once
from prov_tools.context import Context
from prov_tools.core import toolsets
from prov_tools.registry import REGISTRY
from stratumops.errors import InternalError
from stratumops.principal import LOCAL, TOOLS, Principal
from stratumops.registry import Registry
from stratumops.settings import FILE_NAME, load
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace

from .conftest import Connect, text_of

pytestmark = pytest.mark.anyio

OTHER = Principal("somebody else", frozenset({TOOLS}))


class Nothing(ToolInput):
    pass


class Said(ToolOutput):
    said: str
    note: str | None = None


def probes() -> Registry[Context]:
    @tool(toolset="probe", title="Defect", command="probe defect", effect="read")
    async def defect(args: Nothing, ctx: Context) -> Said:
        """Has a defect."""
        raise RuntimeError("words that no client may read")

    @tool(toolset="probe", title="Steps", command="probe steps", effect="read")
    async def steps(args: Nothing, ctx: Context) -> Said:
        """Reports how far it is."""
        await ctx.report(1, 2, "half way")
        await ctx.report(2, None, "ñ done")
        return Said(said="¡hecho!")

    @tool(toolset="probe", title="Record", command="probe record", effect="record", idempotent=False)
    async def record(args: Nothing, ctx: Context) -> Said:
        """Writes into our own records."""
        return Said(said="recorded")

    @tool(toolset="probe", title="World", command="probe world", effect="world", open_world=True)
    async def world(args: Nothing, ctx: Context) -> Said:
        """Changes the world."""
        return Said(said="changed")

    @tool(toolset="quiet", title="Quiet", command="probe quiet", effect="read", default=False)
    async def quiet(args: Nothing, ctx: Context) -> Said:
        """Is off at first."""
        return Said(said="found")

    names = {"core": "Switches", "probe": "For tests", "quiet": "Off at first"}
    return Registry([toolsets, defect, steps, record, world, quiet], toolsets=names, always=["core"])


def probing(workspace: Workspace, **flags: Any) -> tuple[Application, ProvServer]:
    app = compose.build(workspace, load(None, **flags), registry=probes())

    async def made() -> Application:
        return app

    return app, build(made, face="mcp")


async def test_the_list_is_the_registry_in_its_order(connect: Connect):
    async with connect() as client:
        assert client.server_info is not None
        assert client.server_info.name == "stratumops"
        assert client.server_capabilities.tools is not None
        assert client.server_capabilities.tools.list_changed
        assert [tool.name for tool in (await client.list_tools()).tools] == [tool.name for tool in REGISTRY if tool.default]


async def test_an_answer_is_compact_json_and_the_same_as_structured_content(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("get_schema", {"name": "volume"})
    assert len(result.content) == 1
    assert not result.is_error
    assert text_of(result) == json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [({"name": "nonsense"}, "not_found"), ({"name": 3}, "invalid_input"), ({"names": "x"}, "invalid_input")],
)
async def test_an_error_is_compact_json_that_a_model_reads(connect: Connect, arguments: dict[str, Any], code: str):
    async with connect() as client:
        result = await client.call_tool("get_schema", arguments)
    assert len(result.content) == 1
    assert result.is_error
    assert result.structured_content is None
    said = json.loads(text_of(result))
    assert text_of(result) == json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    assert set(said["error"]) == {"code", "message", "hint", "details"}
    assert said["error"]["code"] == code


async def test_an_argument_of_the_wrong_type_is_named_but_its_value_is_not_repeated(connect: Connect):
    async with connect() as client:
        result = await client.call_tool("validate_config", {"config": {"password": "hunter2-hunter2"}})
    text = text_of(result)
    assert '"path":"config"' in text
    assert "hunter2" not in text


async def test_a_defect_of_ours_reaches_the_client_without_its_words(workspace: Workspace):
    _, server = probing(workspace)
    async with Client(server) as client:
        result = await client.call_tool("defect", {})
        assert result.is_error
        assert json.loads(text_of(result))["error"]["code"] == "internal"
        assert "words that no client may read" not in text_of(result)
        assert not (await client.call_tool("steps", {})).is_error


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_progress_of_a_call_arrives_in_its_order(workspace: Workspace, mode: str):
    _, server = probing(workspace)
    heard: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total, message))

    async with Client(server, mode=mode) as client:
        result = await client.call_tool("steps", {}, progress_callback=hear)
    assert heard == [(1, 2, "half way"), (2, None, "ñ done")]
    assert text_of(result) == '{"said":"¡hecho!"}'


async def test_annotations_follow_from_what_a_tool_changes(workspace: Workspace):
    _, server = probing(workspace)
    async with Client(server) as client:
        sent = {tool.name: tool.annotations for tool in (await client.list_tools()).tools}
    hints = {name: annotations.model_dump(exclude_none=True) for name, annotations in sent.items() if annotations}
    steps, record, world = hints["steps"], hints["record"], hints["world"]
    assert steps == {"read_only_hint": True, "open_world_hint": False}
    # What the protocol assumes of a tool that says nothing (it may destroy, and reaches out) is not said again.
    assert record == {"destructive_hint": False, "open_world_hint": False}
    assert world == {"idempotent_hint": True}


async def test_read_only_mode_hides_and_refuses_what_changes_something(workspace: Workspace):
    _, server = probing(workspace, mcp={"read_only": True})
    async with Client(server) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["toolsets", "defect", "steps"]
        for name in ("record", "world"):
            refused = await client.call_tool(name, {})
            assert json.loads(text_of(refused))["error"]["code"] == "permission_denied"
        await client.call_tool("toolsets", {"action": "enable", "names": ["all"]})
        assert "record" not in [tool.name for tool in (await client.list_tools()).tools]


async def test_a_tool_that_is_off_at_first_is_found_by_switching_its_toolset_on(workspace: Workspace):
    _, server = probing(workspace)
    async with Client(server) as client:
        assert "quiet" not in [tool.name for tool in (await client.list_tools()).tools]
        refused = json.loads(text_of(await client.call_tool("quiet", {})))["error"]
        assert refused["code"] == "not_found"
        assert "quiet" in refused["hint"]
        await client.call_tool("toolsets", {"action": "enable", "names": ["quiet"]})
        assert "quiet" in [tool.name for tool in (await client.list_tools()).tools]
        assert (await client.call_tool("quiet", {})).structured_content == {"said": "found"}


async def test_the_switches_of_one_principal_are_not_those_of_another(application: Application, server: ProvServer):
    async with Client(server) as client:
        await application.call("toolsets", {"action": "disable", "names": ["config"]}, principal=OTHER, face="mcp")
        assert "get_schema" not in [tool.name for tool in application.offered(OTHER)]
        assert [tool.name for tool in (await client.list_tools()).tools] == [tool.name for tool in REGISTRY if tool.default]


async def test_many_calls_at_once_get_each_their_own_answer(connect: Connect):
    names = ["volume", "server", "bucket", "dns", "cache", "queue"] * 5
    async with connect() as client:
        results = await asyncio.gather(*(client.call_tool("get_schema", {"name": name}) for name in names))
    assert [(result.structured_content or {})["name"] for result in results] == names


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_broken_settings_are_told_to_the_client_and_mended_without_a_restart(tmp_path: Path, mode: str):
    (tmp_path / FILE_NAME).write_text('[log]\nlevel = "shouting"\n')
    made: list[Application] = []

    def make() -> Application:
        made.append(compose.build(Workspace.at(tmp_path), load(tmp_path)))
        return made[-1]

    async with Client(build(once(make), face="mcp"), mode=mode) as client:
        for attempt in (client.list_tools(), client.call_tool("get_schema", {}), client.read_resource("prov://config/a.ncl")):
            with pytest.raises(MCPError) as told:
                await attempt
            assert "log.level" in told.value.error.message
            assert FILE_NAME in told.value.error.message
            assert "shouting" not in told.value.error.message
        # What needs no settings works all the same.
        assert len((await client.list_prompts()).prompts) == 4
        (tmp_path / FILE_NAME).write_text('[log]\nlevel = "warning"\n')
        assert [tool.name for tool in (await client.list_tools()).tools] == [tool.name for tool in REGISTRY if tool.default]
        await client.list_tools()
    assert len(made) == 1
    await made[0].aclose()


class Notices:
    """Hears when a client is told that its tools changed."""

    def __init__(self) -> None:
        self.came = asyncio.Event()

    async def hear(self, message: Any) -> None:
        if getattr(message, "method", "") == "notifications/tools/list_changed":
            self.came.set()


@pytest.mark.parametrize("face", ["mcp", "rest"])
async def test_every_session_of_a_principal_hears_that_its_tools_changed(workspace: Workspace, face: Any):
    app, server = probing(workspace)
    first, second = Notices(), Notices()
    async with (
        Client(server, mode="legacy", message_handler=first.hear) as one,
        Client(server, mode="legacy", message_handler=second.hear) as other,
    ):
        await one.list_tools()
        # What another principal switches is told to none of them; were it told, this would come before the next notice.
        await app.call("toolsets", {"action": "enable", "names": ["quiet"]}, principal=OTHER, face="rest")
        await one.list_tools()
        await other.list_tools()
        assert not first.came.is_set()
        assert not second.came.is_set()
        if face == "mcp":
            await one.call_tool("toolsets", {"action": "enable", "names": ["quiet"]})
        else:
            await app.call("toolsets", {"action": "enable", "names": ["quiet"]}, principal=LOCAL, face=face)
        await asyncio.wait_for(first.came.wait(), 10)
        await asyncio.wait_for(second.came.wait(), 10)
    assert not server._sessions._open, "sessions that ended are forgotten"


async def test_over_http_a_message_without_a_principal_is_refused(workspace: Workspace):
    _, server = probing(workspace)
    async with Client(server, mode="auto") as client:
        await client.list_tools()
        server.serve_http()
        with pytest.raises(MCPError) as told:
            await client.list_tools()
    assert told.value.error.data["code"] == "internal"
    with pytest.raises(InternalError):
        principal_of({SCOPE_KEY: "owner"})


async def test_a_handshake_is_counted_as_soon_as_there_is_something_to_count_in(workspace: Workspace):
    app, server = probing(workspace)
    async with Client(server, mode="legacy") as client:
        await client.list_tools()
    told = app.metrics.render()
    assert b'prov_mcp_requests_total{method="initialize",outcome="ok"} 1.0' in told
    assert b'prov_mcp_requests_total{method="tools/list",outcome="ok"} 1.0' in told


async def test_a_prompt_that_cannot_be_made_is_told_as_wrong_parameters(connect: Connect, caplog: pytest.LogCaptureFixture):
    async with connect() as client:
        for name, arguments, said in (
            ("nonsense", {}, "design_infrastructure"),
            ("design_infrastructure", {}, "idea is missing"),
            ("design_infrastructure", {"idea": "x", "colour": "y"}, "colour"),
        ):
            with pytest.raises(MCPError) as caught:
                await client.get_prompt(name, arguments)
            assert caught.value.error.code == -32602
            assert said in caught.value.error.message
    assert not [record for record in caplog.records if record.exc_info]
