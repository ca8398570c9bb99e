"""A canary: secrets are planted wherever somebody can put text, and every channel is searched for them in every usual form.

Each channel is also searched with a redactor that hides nothing: a search that finds nothing then would prove nothing.
"""

import asyncio
import base64
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import httpx2
import pytest
import structlog
from mcp import Client, types
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference
from pydantic import Field

from prov_server import compose, redaction
from prov_server.cli.main import run
from prov_server.cli.root import build_root
from prov_server.compose import Application
from prov_server.http.app import http_app
from prov_server.mcp.server import build
from prov_tools.context import Context
from prov_tools.registry import REGISTRY, TOOLSETS
from stratumops.errors import ConflictError
from stratumops.logging import configure
from stratumops.principal import TOOLS, Principal
from stratumops.redact import Redactor
from stratumops.registry import Registry
from stratumops.settings import Settings, load
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace
from svault.embedded import KeyPlace

pytestmark = pytest.mark.anyio

# Written in halves, so that nothing that scans this repository takes them for real ones.
KNOWN = {
    "password": 'q7/Kd+w "Zq"\\é3xT9&<r',
    "words": "correct horse battery staple",
    "number": "8812345670019",
    "file": "first line of the key file\nsecond line of the key file\n",
}
"""Values that somebody resolved, and registered."""
LOOKS = {
    "vault": "hvs." + "CAESIJ" + "4mZq8" * 5,
    "aws": "AKIA" + "IOSFODNN7EXAMPLQ",
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "pem": "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END " + "PRIVATE KEY-----",
}
"""Tokens that nobody registered: they are known by their looks."""
SECRETS = KNOWN | LOOKS


def forms(secret: str) -> dict[str, bytes]:
    """A secret as it may turn up. In base64, what it determines alone when 0, 1 or 2 bytes stand before it."""
    data = secret.encode()
    found = {
        "raw": data,
        "hex": data.hex().encode(),
        "HEX": data.hex().upper().encode(),
        "url": quote(secret, safe="").encode(),
        "json": json.dumps(secret)[1:-1].encode(),
        "json, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
    }
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + data)
        found[f"base64 + {shift}"] = whole[(0, 2, 3)[shift] : (shift + len(data)) * 8 // 6]
    for number, line in enumerate(secret.splitlines()):
        if len(line) >= 16 and not line.startswith("-----"):
            found[f"line {number}"] = line.encode()
    return found


def leaks(said: bytes, secret: str) -> list[str]:
    return [name for name, form in forms(secret).items() if form in said]


class Blind(Redactor):
    """Hides nothing."""

    def text(self, text: str) -> str:
        return text

    def value(self, value: Any) -> Any:
        return value


class Planted(ToolInput):
    text: Annotated[str, Field(description="Any text")]


class Detail(ToolOutput):
    text: str
    by_name: dict[str, list[str]]


def tools() -> Registry[Context]:
    @tool(toolset="probe", title="Echo", command="probe echo", effect="record")
    async def echo(args: Planted, ctx: Context) -> Detail:
        """Says it again in every place of an answer, and in its progress."""
        await ctx.report(1, 2, f"working on {args.text}")
        raw = args.text.encode()
        encoded = [base64.b64encode(b"user:" + raw).decode(), raw.hex(), quote(args.text, safe=""), json.dumps([args.text])]
        return Detail(text=f"it is {args.text}.", by_name={args.text: encoded if args.text in KNOWN.values() else []})

    @tool(toolset="probe", title="Refuse", command="probe refuse", effect="read")
    async def refuse(args: Planted, ctx: Context) -> Detail:
        """Fails with it in every part of its error."""
        raise ConflictError(f"not {args.text}", hint=f"try without {args.text}", given=[{"text": args.text}])

    @tool(toolset="probe", title="Break", command="probe break", effect="read")
    async def breaks(args: Planted, ctx: Context) -> Detail:
        """Has a defect that quotes it."""
        structlog.get_logger().warning("about_to_break", text=args.text)
        logging.getLogger("another.library").warning("connecting to %s", args.text, stack_info=True)
        try:
            return Detail(text=str(int(args.text + "!")), by_name={})
        except ValueError as error:
            logging.getLogger("another.library").exception("it failed: %s", args.text)
            raise RuntimeError(args.text) from error

    return Registry([*REGISTRY, echo, refuse, breaks], toolsets=TOOLSETS | {"probe": "For tests"}, always=["core", "probe"])


@dataclass
class Stage:
    """A workspace in which a secret lies everywhere, and an application in it."""

    app: Application
    secret: str
    capture: pytest.CaptureFixture[str]
    said: list[bytes] = field(default_factory=list)

    def hear(self, *values: Any) -> None:
        """Remember what came out."""
        for one in values:
            dump = getattr(one, "model_dump_json", None)
            self.said.append(one if isinstance(one, bytes) else (dump(by_alias=True) if dump else str(one)).encode())

    async def attempt(self, what: Awaitable[Any]) -> None:
        """Remember an answer, or the error in its place."""
        try:
            self.hear(await what)
        except MCPError as error:
            self.hear(error.error.model_dump_json(), str(error))


@asynccontextmanager
async def connected(stage: Stage) -> AsyncIterator[Client]:
    async def made() -> Application:
        return stage.app

    info = types.Implementation(name=stage.secret, version="1")
    async with Client(build(made, face="mcp"), client_info=info) as client:
        yield client


def configuration(secret: str, more: str = "") -> str:
    """A configuration with the secret as the value of a field that takes any text."""
    text = json.dumps(secret, ensure_ascii=False)
    server = f'{{ name = "web", user_data = {text}, plan = "small"{more} }}'
    return f'{{ name = "canary", provider = "hetzner", servers = [{server}] }}'


async def over_mcp(stage: Stage) -> None:
    text = configuration(stage.secret)
    async with connected(stage) as client:
        stage.hear(await client.call_tool("echo", {"text": stage.secret}))
        for name in ("validate_config", "review_config", "estimate_cost", "check_compliance"):
            stage.hear(await client.call_tool(name, {"config": text}))
        stage.hear(await client.call_tool("export_config", {"config": text, "format": "terraform"}))
        if "\n" not in stage.secret:  # these words are taken apart; a key that nobody registered is known by its whole
            stage.hear(await client.call_tool("generate_config", {"description": f"a server named {stage.secret}"}))


async def mcp_errors(stage: Stage) -> None:
    async with connected(stage) as client:
        stage.hear(await client.call_tool("refuse", {"text": stage.secret}))
        stage.hear(await client.call_tool("breaks", {"text": stage.secret}))
        stage.hear(await client.call_tool("echo", {stage.secret: 1}))
        stage.hear(await client.call_tool(stage.secret, {}))
        await stage.attempt(client.get_prompt(stage.secret, {}))
        await stage.attempt(client.get_prompt("troubleshoot", {stage.secret: "x"}))
        await stage.attempt(client.read_resource(f"prov://config/{quote(stage.secret, safe='')}.ncl"))
        await stage.attempt(client.read_resource(f"prov://{quote(stage.secret, safe='')}/x"))


async def progress(stage: Stage) -> None:
    async def heard(progress: float, total: float | None, message: str | None) -> None:
        stage.hear(message)

    async with connected(stage) as client:
        await client.call_tool("echo", {"text": stage.secret}, progress_callback=heard)


async def resources(stage: Stage) -> None:
    async with connected(stage) as client:
        await stage.attempt(client.list_resources())
        await stage.attempt(client.read_resource("prov://config/main.ncl"))
        answer = await client.call_tool("review_config", {"config": configuration(stage.secret)})
        for one in answer.content:
            if isinstance(one, types.ResourceLink):
                await stage.attempt(client.read_resource(one.uri))


async def prompts(stage: Stage) -> None:
    async with connected(stage) as client:
        await stage.attempt(client.get_prompt("design_infrastructure", {"idea": stage.secret}))
        reference = PromptReference(type="ref/prompt", name="review_configuration")
        await stage.attempt(client.complete(reference, {"name": "config", "value": ""}))


async def rest(stage: Stage) -> None:
    async def made() -> Application:
        return stage.app

    served = http_app(stage.app, build(made, face="mcp"), auth=None)
    async with (
        served.router.lifespan_context(served),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=served), base_url="http://127.0.0.1:8002") as client,
    ):
        for name in ("echo", "refuse", "breaks"):
            stage.hear((await client.post(f"/api/v1/tools/{name}", json={"text": stage.secret})).content)
        stage.hear((await client.post("/api/v1/tools/echo", json={stage.secret: 1})).content)
        stage.hear((await client.post("/api/v1/tools/validate_config", json={"config": configuration(stage.secret)})).content)
        stage.hear((await client.get(f"/api/v1/tools/{quote(stage.secret, safe='')}")).content)
        stage.hear((await client.get("/metrics")).content)


async def command_line(stage: Stage) -> None:
    def make(workspace: Workspace, settings: Settings, **_: Any) -> Application:
        return compose.build(workspace, settings, registry=tools(), redactor=stage.app.redactor)

    folder = str(stage.app.workspace.root)
    for words in (
        ["probe", "echo", stage.secret],
        ["probe", "echo", stage.secret, "--json"],
        ["probe", "refuse", stage.secret],
        ["probe", "refuse", stage.secret, "--json"],
        ["probe", "break", stage.secret, "--verbose"],
        ["mcp", "validate", configuration(stage.secret)],
        ["mcp", "validate", configuration(stage.secret, ", nonsense = 1")],
        ["review", "main.ncl"],
        ["export", "main.ncl", "terraform"],
        [stage.secret],
        ["version", f"--{stage.secret}"],
    ):
        root = build_root(tools, build=make)
        # The command line starts an event loop of its own.
        await asyncio.to_thread(run, ["--workspace", folder, *words], root=root)
        stage.hear(*stage.capture.readouterr())


async def logs(stage: Stage) -> None:
    configure(level="debug", format="json", redactor=stage.app.redactor)
    async with connected(stage) as client:
        await client.call_tool("breaks", {"text": stage.secret})
        await client.call_tool("echo", {"text": stage.secret})
    configure(level="debug", format="console", redactor=stage.app.redactor)
    async with connected(stage) as client:
        await client.call_tool("breaks", {"text": stage.secret})
    stage.hear(*stage.capture.readouterr())


async def state(stage: Stage) -> None:
    """What lies in `.prov/` afterwards; the client and the principal are called like the secret."""
    async with connected(stage) as client:
        await client.call_tool("echo", {"text": stage.secret})
        await client.call_tool(stage.secret, {stage.secret: stage.secret})
        await stage.attempt(client.read_resource("prov://config/main.ncl"))
        stage.said.clear()
    somebody = Principal(stage.secret, frozenset({TOOLS}))
    await stage.app.call("echo", {"text": stage.secret}, principal=somebody, face="rest", client=stage.secret)
    await stage.app.aclose()
    files = [path for path in stage.app.workspace.own.rglob("*") if path.is_file() and path.name != "key"]
    assert files
    stage.hear(*(path.read_bytes() for path in files))


CHANNELS: list[Callable[[Stage], Awaitable[None]]] = [
    over_mcp, mcp_errors, progress, resources, prompts, rest, command_line, logs, state,
]  # fmt: skip


@asynccontextmanager
async def staged(
    folder: Path, secret: str, redactor: Redactor, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Stage]:
    (folder / "main.ncl").write_text(configuration(secret), encoding="utf-8")
    if secret == LOOKS["vault"]:
        (folder / f"{secret}.ncl").write_text("{}")
    if secret == LOOKS["aws"]:
        (folder / "prov.toml").write_text(f"[generation]\nenvironment = {json.dumps(secret)}\n")
    monkeypatch.setattr(redaction, "process_redactor", lambda: redactor)
    monkeypatch.setenv("PROV_DEBUG", "1")
    settings = load(folder, nickel={"workers": 1}, mcp={"toolsets": ["all"]})
    app = compose.build(Workspace.at(folder), settings, registry=tools(), redactor=redactor)
    if secret in KNOWN.values():
        assert app.redactor.register(secret)
    stage = Stage(app, secret, capture)
    capture.readouterr()
    try:
        yield stage
    finally:
        await app.aclose()


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.__name__)
async def test_no_secret_leaves_through(
    channel: Callable[[Stage], Awaitable[None]],
    name: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    async with staged(tmp_path, SECRETS[name], Redactor(), capsys, monkeypatch) as stage:
        await channel(stage)
    assert stage.said
    found = {one: leaks(said, stage.secret) for one, said in enumerate(stage.said) if leaks(said, stage.secret)}
    assert found == {}, [stage.said[one] for one in found][:3]


@pytest.mark.parametrize("channel", CHANNELS, ids=lambda channel: channel.__name__)
async def test_the_search_finds_what_nobody_hides(
    channel: Callable[[Stage], Awaitable[None]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    async with staged(tmp_path, KNOWN["words"], Blind(), capsys, monkeypatch) as stage:
        await channel(stage)
    assert any(leaks(said, stage.secret) for said in stage.said)


@pytest.mark.parametrize("hides", [True, False], ids=["hidden", "blind"])
async def test_a_secret_of_the_vault_is_in_no_channel_and_no_file(
    hides: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """One that the vault made, and one that came as an argument; both are resolved, and a tool quotes them by mistake."""
    typed = "typed-by-a-model-7Q"
    async with staged(tmp_path, "canary", Redactor() if hides else Blind(), capsys, monkeypatch) as stage:
        app = stage.app
        configure(level="debug", format="json", redactor=app.redactor)
        await app.vault.initialize(KeyPlace.FILE)
        async with connected(stage) as client:
            for arguments in ({}, {"value": typed}, {"value": typed, "path": "nowhere/app"}, {"value": typed, "source": 1}):
                told = {"path": "secret/app", "field": f"field-{len(arguments)}"} | arguments
                stage.hear(await client.call_tool("vault_store", told))
            stage.hear(await client.call_tool("vault_list", {"path": "secret"}))
            made = await app.vault.resolve("vault:secret/app#field-0")
            for value in (made, typed):
                stage.hear(await client.call_tool("echo", {"text": value}))
                stage.hear(await client.call_tool("refuse", {"text": value}))
                stage.hear(await client.call_tool("breaks", {"text": value}))
        await app.aclose()
    stage.hear(*capsys.readouterr())
    files = [path for path in app.workspace.own.rglob("*") if path.is_file()]
    assert any("vault" in path.parts for path in files)
    on_disk = {path.name: found for path in files for value in (made, typed) if (found := leaks(path.read_bytes(), value))}
    assert on_disk == {}
    assert any(leaks(said, value) for said in stage.said for value in (made, typed)) is not hides
