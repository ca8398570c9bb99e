"""The demonstration itself: a server as a child process, the SDK's client, and one scene after the other."""

import asyncio
import json
import shlex
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from prov_gen.source import PASTED
from prov_server.cli.console import visible
from prov_server.cli.demonstration.byhand import is_sandbox_installed
from prov_server.cli.demonstration.commands import play_scene
from prov_server.cli.demonstration.person import Person
from prov_server.cli.demonstration.stage import Stage
from prov_server.cli.highlight import show_code
from prov_server.cli.session import Session
from prov_server.cli.views.excerpt import Sources
from prov_server.cli.views.generate import show_understanding
from prov_server.cli.views.validate import show_verdict
from prov_server.install.registration import running_command
from prov_tools.config import GenerateConfigOutput, GetSchemaOutput, ValidateConfigOutput
from stratumops.errors import StratumError, UnavailableError
from stratumops.workspace import Workspace

if TYPE_CHECKING:
    from mcp import Client
    from mcp_types import CallToolResult

SERVER = ["-m", "prov_server", "mcp", "serve", "--sandbox", "--workspace"]
LIMIT_SECONDS = 300
ENGINE_SCENES = frozenset({16, 17, 18})
FILES = ("broken.ncl", "mended.ncl", "shop.ncl", "wanted.ncl", "site.ncl", "grown.ncl")


def play(session: Session, *, svg: str | None, scenes: Iterable[int] = ()) -> int:
    """Run the demonstration, or some scenes of it; answers 1 when something did not come as it should.

    Raises UnavailableError when the server does not answer, and what writing the picture raises.
    """
    stage = Stage(record=svg is not None)
    with tempfile.TemporaryDirectory(prefix="prov-demo-") as folder:
        workspace = Workspace.at(folder).root / "workspace"
        workspace.mkdir()
        for name in FILES:
            (workspace / name).write_text(_file(name), encoding="utf-8")
        (workspace.parent / "outside.ncl").write_text('{ servers = [{ name = "secret" }] }\n', encoding="utf-8")
        asyncio.run(_run(stage, Workspace.at(workspace), frozenset(scenes)))
    if svg:
        stage.picture(Path(svg))
        session.notes.print(Text.assemble(("wrote ", "good"), visible(svg)))
    return int(stage.failures > 0)


async def _run(stage: Stage, workspace: Workspace, scenes: frozenset[int]) -> None:
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client
    from mcp.shared.exceptions import MCPError

    person = Person.beside(workspace.root)
    parameters = StdioServerParameters(
        command=sys.executable, args=[*SERVER, str(workspace.root)], cwd=workspace.root, env=dict(person.environment)
    )
    with (
        _sandbox(workspace, wants=not scenes or bool(scenes & ENGINE_SCENES)),
        tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as log,
    ):
        try:
            async with asyncio.timeout(LIMIT_SECONDS), Client(stdio_client(parameters, errlog=log)) as client:
                await _scenes(stage, client, workspace, person, scenes)
        except (MCPError, OSError, TimeoutError, ExceptionGroup) as error:
            first = _first(error)
            if isinstance(first, StratumError) or not isinstance(first, MCPError | OSError | TimeoutError):
                raise first from None
            log.seek(0)
            said = " ".join(log.read().split())[-300:]
            raise UnavailableError(
                f"the server ended the demonstration: {str(first) or type(first).__name__}"
                + (f"; it said: {said}" if said else ""),
                hint="`prov mcp doctor` says what is missing",
            ) from None


def _first(error: Exception) -> Exception:
    """What went wrong first; the SDK's task groups wrap it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


async def _scenes(stage: Stage, client: "Client", workspace: Workspace, person: Person, wanted: frozenset[int]) -> None:
    asked = tomllib.loads(_file("scenes.toml"))
    scenes: list[Callable[[], Awaitable[None]]] = [
        partial(_connect, stage, client),
        *(partial(_describe, stage, client, one["language"], one["text"]) for one in asked["description"]),
        partial(_read_schema, stage, client, asked["schema"]),
        partial(_show_faults, stage, client, workspace),
        partial(_mend, stage, client, workspace),
        *(partial(play_scene, stage, client, one, person) for one in asked["command"]),
        partial(_review, stage, client),
        partial(_attack, stage, client, asked["attack"]),
        *(partial(play_scene, stage, client, one, person) for one in asked["record"]),
        *_engine_scenes(stage, client, asked["engine"], person),
        partial(_close, stage, asked["next"]),
    ]
    for number, scene in enumerate(scenes, start=1):
        if not wanted or number in wanted:
            stage.number = number
            await scene()


@contextmanager
def _sandbox(workspace: Workspace, *, wants: bool) -> Iterator[None]:
    """A sandbox that starts while the first scenes are shown, and ends with the last one."""
    if not wants or not is_sandbox_installed():
        yield
        return
    from provisioning.providers.sandbox.process import Sandbox

    sandbox = Sandbox(workspace.make_own() / "sandbox")
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(sandbox.ensure)
        try:
            yield
        finally:
            wait([starting])
            sandbox.stop()


def _engine_scenes(
    stage: Stage, client: "Client", scenes: list[dict[str, Any]], person: Person
) -> list[Callable[[], Awaitable[None]]]:
    """The scenes that need the sandbox, or the one line that says how to get them."""
    if is_sandbox_installed():
        return [partial(play_scene, stage, client, one, person) for one in scenes]

    async def left_out() -> None:
        stage.scene("Machines, from a plan to nothing")
        stage.say("left out: it needs the sandbox, a cloud on this machine: ", ("pip install 'stratumops[sandbox]'", "name"))

    return [left_out]


async def _connect(stage: Stage, client: "Client") -> None:
    stage.scene("An assistant connects over MCP")
    info = client.server_info
    stage.say(("started    ", "quiet"), "prov mcp serve")
    stage.say(("server     ", "quiet"), f"{info.name} {info.version}" if info else "-")
    stage.say(("protocol   ", "quiet"), str(client.protocol_version))
    tools = (await client.list_tools()).tools
    width = max(len(tool.name) for tool in tools)
    for index, tool in enumerate(tools):
        head = "tools      " if index == 0 else " " * 11
        stage.say((head, "quiet"), (tool.name.ljust(width), "name"), "  ", tool.title or "")
    stage.console.print()
    stage.expect(bool(tools) and all(tool.output_schema for tool in tools), "every tool has a typed answer")


async def _describe(stage: Stage, client: "Client", language: str, text: str) -> None:
    stage.scene(f"Words to a typed configuration, in {language}")
    stage.asked("generate_config", text)
    made = GenerateConfigOutput.model_validate(await _call(client, "generate_config", description=text))
    show_understanding(stage.console, made)
    show_code(stage.console, made.config)
    stage.console.print()
    verdict = ValidateConfigOutput.model_validate(await _call(client, "validate_config", config=made.config))
    show_verdict(stage.console, verdict, Sources(None, name=PASTED, text=made.config))
    clean = "seven layers have nothing against it" if verdict.valid else "no errors; the warnings are a person's to decide"
    stage.expect(verdict.errors == 0, f"the text was evaluated again: {clean}")


async def _read_schema(stage: Stage, client: "Client", wanted: dict[str, Any]) -> None:
    stage.scene("What may a configuration say?")
    stage.asked("get_schema", wanted["name"])
    schema = GetSchemaOutput.model_validate(await _call(client, "get_schema", name=wanted["name"]))
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading, width in (("field", None), ("type", 34), ("default", None), ("description", None)):
        table.add_column(heading, max_width=width, no_wrap=width is not None, overflow="ellipsis" if width else "fold")
    top = [field for field in schema.fields if "." not in field.path]
    for field in top[: wanted["rows"]]:
        row = (field.type, field.default, field.description)
        table.add_row(Text(field.path, "name"), *(Text(visible(cell)) for cell in row))
    stage.console.print(table)
    stage.say((f"... and {len(schema.fields) - min(wanted['rows'], len(top))} more", "quiet"))
    stage.console.print()
    stage.expect(bool(schema.fields), "fields, types and defaults come from the same models that validate")


async def _show_faults(stage: Stage, client: "Client", workspace: Workspace) -> None:
    stage.scene("A configuration with faults of every kind")
    stage.asked("validate_config", "broken.ncl")
    broken = ValidateConfigOutput.model_validate(await _call(client, "validate_config", config="broken.ncl"))
    show_verdict(stage.console, broken, Sources(workspace, name="broken.ncl"))
    stage.expect(not broken.valid and broken.errors > 3, "all faults at once, each with its place and how to mend it")


async def _mend(stage: Stage, client: "Client", workspace: Workspace) -> None:
    stage.scene("The same, mended as the findings say")
    stage.asked("validate_config", "mended.ncl")
    show_code(stage.console, _file("mended.ncl"))
    stage.console.print()
    mended = ValidateConfigOutput.model_validate(await _call(client, "validate_config", config="mended.ncl"))
    show_verdict(stage.console, mended, Sources(workspace, name="mended.ncl"))
    stage.expect(mended.valid, "nothing left to mend")


async def _review(stage: Stage, client: "Client") -> None:
    stage.scene("All of it in one call, for an assistant")
    stage.asked("review_config", "shop.ncl")
    answer = await client.call_tool("review_config", {"config": "shop.ncl"})
    stage.console.print_json(_text(answer), indent=2)
    links = [block.uri for block in answer.content if block.type == "resource_link"]
    read = [await client.read_resource(uri) for uri in links[:1]]
    whole = sum(len(getattr(part, "text", "")) for one in read for part in one.contents)
    stage.console.print()
    stage.expect(whole > len(_text(answer)), f"{len(_text(answer)):,} characters; {len(links)} links lead to the wholes")


async def _attack(stage: Stage, client: "Client", attacks: list[dict[str, str]]) -> None:
    stage.scene("What it refuses")
    for attack in attacks:
        stage.asked("validate_config", attack["what"])
        show_code(stage.console, attack["config"])
        answer = await client.call_tool("validate_config", {"config": attack["config"]})
        if answer.is_error:
            error = json.loads(_text(answer))["error"]
            refusal = f"error[{error['code']}]: {error['message']}"
        else:
            found = ValidateConfigOutput.model_validate(answer.structured_content).findings
            refusal = f"error[{found[0].code}]: {found[0].message}" if found else ""
        stage.say(("← ", "info"), visible(refusal))
        stage.expect(bool(refusal) and "root:" not in _text(answer), "refused; nothing outside the workspace was read")
        stage.console.print()


async def _close(stage: Stage, steps: list[dict[str, str]]) -> None:
    stage.scene("What next")
    commands = [typed(step["command"]) for step in steps]
    width = max(map(len, commands))
    for command, step in zip(commands, steps, strict=True):
        stage.say("  ", (command.ljust(width), "name"), "  ", (step["words"], "quiet"))
    stage.console.print()


def typed(command: str) -> str:
    """A command as it works in this shell: with the path of the running program when `prov` is not on PATH."""
    if shutil.which("prov"):
        return command
    running = Path(running_command())
    shown = f"{running.relative_to(Path.cwd())}" if running.is_relative_to(Path.cwd()) else str(running)
    return shlex.quote(shown) + command.removeprefix("prov")


async def _call(client: "Client", tool: str, **arguments: Any) -> Any:
    answer = await client.call_tool(tool, arguments)
    if answer.is_error:
        error = json.loads(_text(answer))["error"]
        raise UnavailableError(error["message"], hint=error["hint"])
    return answer.structured_content


def _text(answer: "CallToolResult") -> str:
    return "".join(getattr(block, "text", "") for block in answer.content)


def _file(name: str) -> str:
    return files(__package__ or "").joinpath(name).read_text(encoding="utf-8")
