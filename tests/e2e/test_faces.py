"""The same result and the same error code on every face, for every tool and every kind of bad input.

A tool that is added to the registry is tested here without another line: its cases are made from its example and its schema.
"""

import contextlib
import io
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import httpx2
import pytest
from mcp import Client

from kogral.knowledge import Knowledge
from prov_server import compose
from prov_server.cli.generated import PERSONS
from prov_server.cli.main import run
from prov_server.compose import Application
from prov_server.http.app import http_app
from prov_server.mcp.server import build
from prov_server.toolsets import ToolsetSwitches
from prov_tools.arguments import ConfigArgument
from prov_tools.registry import REGISTRY
from stratumops.errors import (
    ConflictError,
    ExternalError,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    StratumError,
    UnavailableError,
)
from stratumops.principal import LOCAL
from stratumops.settings import load
from stratumops.tool import Tool
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio

KINDS: list[type[StratumError]] = [
    InvalidInputError, NotFoundError, ConflictError, PermissionDeniedError, UnavailableError, ExternalError,
]  # fmt: skip
BY_CODE = {kind.code: kind for kind in KINDS}
WRONG: dict[str, list[Any]] = {
    "string": [7, True, None, ["x"], {"a": 1}],
    "integer": ["many", 1.5, None, [1], {}],
    "number": ["much", None, [1], {}],
    "boolean": ["perhaps", "yes", "true", 1, 7, None, [True], {}],
    "array": [7, "x", None, {"a": 1}, [{}], [None]],
    "object": [7, "x", None, []],
}


@dataclass(frozen=True)
class Case:
    """A call. `words` is the same on the command line, where it can be said there."""

    name: str
    tool: str
    arguments: dict[str, Any]
    code: str | None
    words: list[str] | None = None


def words(tool: Tool[Any, Any, Any], arguments: dict[str, Any]) -> list[str] | None:
    """Arguments as a person types them; None where a person's command takes the tool's place and is asked otherwise."""
    if tool.command in {"plan", "workflow run"}:
        return None
    said = tool.command.split()
    for name, value in arguments.items():
        info = tool.input.model_fields.get(name)
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            said.append(flag if value else flag.replace("--", "--no-", 1))
        elif isinstance(value, list):
            said += [part for item in value for part in (flag, str(item))]
        elif info is not None and info.is_required():
            said.append(str(value))
        else:
            said += [flag, str(value)]
    return said


def cases_of(tool: Tool[Any, Any, Any]) -> Iterator[Case]:
    """Its example, and every way in which its input can be wrong."""
    fields = tool.input_schema.get("properties", {})
    valid = tool.example
    yield Case("example", tool.name, valid, None, words(tool, valid))
    for name in tool.input_schema.get("required", []):
        rest = {key: value for key, value in valid.items() if key != name}
        yield Case(f"without {name}", tool.name, rest, "invalid_input", words(tool, rest))
    unknown = valid | {"no_such_parameter": "x"}
    yield Case("unknown parameter", tool.name, unknown, "invalid_input", words(tool, unknown))
    for name, schema in fields.items():
        nullable = tool.input.model_fields[name].default is None
        for wrong in () if "anyOf" in schema else WRONG[schema.get("type", "string")]:
            if wrong is not None or not nullable:
                yield Case(f"{name}={wrong!r}", tool.name, valid | {name: wrong}, "invalid_input", None)
        if "enum" in schema:
            wrong = valid | {name: "no-such-value"}
            yield Case(f"{name}=no-such-value", tool.name, wrong, "invalid_input", words(tool, wrong))
        if any(isinstance(mark, ConfigArgument) for mark in tool.input.model_fields[name].metadata):
            for path, code in (
                ("missing.ncl", "not_found"),
                (".env.json", "permission_denied"),
                ("../outside.json", "permission_denied"),
                ("folder.ncl", "invalid_input"),
            ):
                asked = valid | {name: path}
                yield Case(f"{name}={path}", tool.name, asked, code, words(tool, asked))
            crashing = valid | {name: "{ tags.x = std.fail_with 'boom }"}
            yield Case(f"{name} that fails", tool.name, crashing, None, words(tool, crashing))


# What only one tool can get wrong.
PARTICULAR = [
    Case("unknown name", "get_schema", {"name": "nonsense"}, "not_found", ["schema", "show", "nonsense"]),
    Case("a long name", "get_schema", {"name": "x" * 65}, "invalid_input", ["schema", "show", "x" * 65]),
    Case("enable", "toolsets", {"action": "enable", "names": ["config"]}, None),
    Case("disable", "toolsets", {"action": "disable", "names": ["config"]}, None),
    Case("nothing to enable", "toolsets", {"action": "enable"}, "invalid_input", ["mcp", "toolsets", "enable"]),
    Case(
        "unknown toolset",
        "toolsets",
        {"action": "enable", "names": ["nonsense"]},
        "invalid_input",
        ["mcp", "toolsets", "enable", "--names", "nonsense"],
    ),
    Case("no words", "generate_config", {"description": ""}, None, ["mcp", "generate", ""]),
    Case("NUL in words", "generate_config", {"description": "two\x00servers"}, None),
    Case("too many words", "generate_config", {"description": "x" * 20_001}, "invalid_input", ["mcp", "generate", "x" * 20_001]),
    Case("10 MB of text", "validate_config", {"config": "x" * (10 << 20)}, "invalid_input"),
    Case("NUL in text", "validate_config", {"config": "{ a = 1 }\x00"}, None),
]
CASES = [case for tool in REGISTRY for case in cases_of(tool)] + PARTICULAR


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faces") / "workspace"
    (folder / "folder.ncl").mkdir(parents=True)
    # Tools that are off at first are tried too. What the models find changes while they load: words alone answer here.
    (folder / "prov.toml").write_text('[mcp]\ntoolsets = ["all"]\n[rag]\nshipped = false\nembedder = "none"\n')
    known = Knowledge(folder / ".kogral")
    for title in ("Use Cilium", "Use Calico"):
        known.add_decision(title, context="A network for pods", decision=title, consequences="It is there")
    (folder / ".env.json").write_text("{}")
    (folder.parent / "outside.json").write_text("{}")
    return folder


@dataclass(frozen=True)
class Faces:
    """One application behind MCP and REST, and the command line in the same workspace."""

    folder: Path
    client: Client
    rest: httpx2.AsyncClient
    switches: ToolsetSwitches

    def reset(self) -> None:
        """Everything as it is at the start of a server: neither a case nor a face sees what another has switched."""
        self.switches.select(LOCAL, self.switches.initial)

    async def mcp_answer(self, tool: str, arguments: dict[str, Any]) -> Any:
        self.reset()
        result = await self.client.call_tool(tool, arguments)
        first, *others = result.content
        assert {block.type for block in others} <= {"resource_link"}
        text = json.loads(first.text)  # type: ignore[union-attr] # a text block, or this fails
        assert bool(result.is_error) == ("error" in text)
        if not result.is_error:
            assert text == result.structured_content
        # Only here can a whole be read as a resource, so only here an answer names it.
        text.pop("links", None)
        return text

    async def rest_answer(self, tool: str, arguments: dict[str, Any]) -> tuple[int, Any]:
        self.reset()
        response = await self.rest.post(f"/api/v1/tools/{tool}", json=arguments)
        return response.status_code, response.json()

    async def cli_answer(self, words: list[str]) -> tuple[int, Any, str]:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = await anyio.to_thread.run_sync(run, ["--workspace", str(self.folder), "--json", *words])
        return code, json.loads(out.getvalue()), err.getvalue()


@pytest.fixture(scope="module")
async def faces(folder: Path, anyio_backend: str) -> AsyncIterator[Faces]:
    settings = load(folder, nickel={"workers": 1}, server={"max_request_bytes": 64 << 20})
    app = compose.build(Workspace.at(folder), settings)

    async def made() -> Application:
        return app

    transport = httpx2.ASGITransport(app=http_app(app, build(made, face="mcp"), auth=None))
    async with (
        Client(build(made, face="mcp")) as client,
        httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8002") as rest,
    ):
        yield Faces(folder, client, rest, app.switches)
    await app.aclose()


EACH_TIME = re.compile(r"plan-[0-9a-f]{12}|\d\d:\d\d UTC")
# A fence's word, an index that goes on, the next node of the same title, the second of a change.
EACH_NODE = re.compile(
    r'\b[0-9a-f]{16}\b|"(?:generation|id)": \d+'
    r"|(?<=kept-for-)audits(?:-\d+)?|\d{4}-\d\d-\d\dT[\d:]+Z|@[0-9a-f]{8}|\b[0-9a-f]{64}\b"
)


def _same(match: re.Match[str]) -> str:
    key, colon, _ = match.group().partition(": ")
    return f"{key}: 0" if colon else "another"


def comparable(case: Case, answer: Any) -> Any:
    """The audit tells of each call, so of the one before too: only its names of fields stay. Each plan is another one."""
    if "error" in answer:
        return answer
    if case.tool in {"plan_config", "execute_workflow"}:
        return json.loads(EACH_TIME.sub("another", json.dumps(answer)))
    if REGISTRY[case.tool].toolset in {"knowledge", "infra"}:
        return json.loads(EACH_NODE.sub(_same, json.dumps(answer)))
    return sorted(answer) if case.tool.startswith("audit_") else answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.tool}: {case.name}"[:80])
async def test_every_face_gives_the_same_result_and_the_same_error_code(case: Case, faces: Faces):
    by_mcp = await faces.mcp_answer(case.tool, case.arguments)
    status, by_rest = await faces.rest_answer(case.tool, case.arguments)
    assert comparable(case, by_rest) == comparable(case, by_mcp)
    code = by_mcp["error"]["code"] if "error" in by_mcp else None
    if case.code is not None:
        assert code == case.code
    assert status == (BY_CODE[code].http_status if code else 200)
    if code:
        assert by_mcp["error"]["message"]
        assert by_mcp["error"]["hint"]

    if case.words is None:
        return
    exit_code, by_cli, stderr = await faces.cli_answer(case.words)
    assert "Traceback" not in stderr
    if code is None:
        assert comparable(case, by_cli) == comparable(case, by_mcp)
        assert exit_code == (0 if REGISTRY[case.tool].output.model_validate(by_mcp).passed() else 1)
    else:
        # The command line finds some of these itself, in its own words.
        assert by_cli["error"]["code"] == code
        assert by_cli["error"]["message"]
        assert exit_code == BY_CODE[code].exit_code


async def test_a_command_cannot_switch_toolsets_and_says_what_can(faces: Faces):
    for action in ("enable", "disable"):
        exit_code, told, stderr = await faces.cli_answer(["mcp", "toolsets", action, "--names", "config"])
        assert (exit_code, told["error"]["code"]) == (2, "invalid_input")
        assert "running server" in told["error"]["message"]
        assert "mcp.toolsets" in told["error"]["hint"]
        assert stderr == ""


async def test_a_tool_that_does_not_exist_is_not_found_on_every_face(faces: Faces):
    by_mcp = await faces.mcp_answer("generate_confg", {})
    status, by_rest = await faces.rest_answer("generate_confg", {})
    assert by_mcp == by_rest
    assert (status, by_mcp["error"]["code"]) == (404, "not_found")
    assert "generate_config" in by_mcp["error"]["hint"]


async def test_every_tool_has_a_command_and_an_address(faces: Faces):
    document = (await faces.rest.get("/api/v1/openapi.json")).json()
    for tool in REGISTRY:
        assert f"/api/v1/tools/{tool.name}" in document["paths"]
        for words in (tool.command, *tool.aliases):
            with contextlib.redirect_stdout(io.StringIO()) as shown:
                assert await anyio.to_thread.run_sync(run, [*words.split(), "--help"]) == 0
            if words in PERSONS:
                continue  # a command of a person's own, with words of its own
            assert tool.description.split(".")[0].split(",")[0] in " ".join(shown.getvalue().split())
