"""A real server on loopback around the real chain, with a few tools that tests can watch."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from pydantic import Field

from prov_server import compose
from prov_server.compose import Application
from prov_server.http.auth import Authenticator, SharedToken
from prov_server.http.listen import Listener, open_listener
from prov_server.http.serve import serve
from prov_server.mcp import server as mcp_server
from prov_tools.context import Context
from prov_tools.core import toolsets
from stratumops.registry import Registry
from stratumops.settings import Settings, load
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace

TOKEN = "prov_" + "t" * 43


@dataclass
class Watch:
    """What the tool `wait` is doing, so that tests wait for events and not for time."""

    started: asyncio.Event = field(default_factory=asyncio.Event)
    release: asyncio.Event = field(default_factory=asyncio.Event)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 0
    together: int = 1


class EchoInput(ToolInput):
    text: Annotated[str, Field(description="What to say", max_length=1_000_000)]
    times: Annotated[int, Field(description="How often", ge=1, le=3)] = 1


class EchoOutput(ToolOutput):
    said: list[str]
    note: str | None = None


class NothingInput(ToolInput):
    pass


def probe_tools(watch: Watch) -> Registry[Context]:
    @tool(toolset="probe", title="Echo", command="probe echo", effect="read", example={"text": "hello"})
    async def echo(args: EchoInput, ctx: Context) -> EchoOutput:
        """Say it again."""
        return EchoOutput(said=[args.text] * args.times)

    @tool(toolset="probe", title="Wait", command="probe wait", effect="read")
    async def wait(args: NothingInput, ctx: Context) -> EchoOutput:
        """Wait until the test says so."""
        watch.running += 1
        if watch.running >= watch.together:
            watch.started.set()
        try:
            await watch.release.wait()
        except asyncio.CancelledError:
            watch.cancelled.set()
            raise
        finally:
            watch.running -= 1
        return EchoOutput(said=["released"])

    @tool(toolset="probe", title="Break", command="probe break", effect="read")
    async def breaks(args: NothingInput, ctx: Context) -> EchoOutput:
        """Has a defect."""
        raise RuntimeError("internal words that nobody outside may read")

    @tool(toolset="probe", title="Record", command="probe record", effect="record")
    async def record(args: NothingInput, ctx: Context) -> EchoOutput:
        """Changes something of ours."""
        return EchoOutput(said=["recorded"])

    @tool(toolset="hidden", title="Hidden", command="probe hidden", effect="read", default=False)
    async def hidden(args: NothingInput, ctx: Context) -> EchoOutput:
        """Is off until somebody switches it on."""
        return EchoOutput(said=["found"])

    names = {"core": "The switches", "probe": "For tests", "hidden": "Off at first"}
    return Registry([toolsets, echo, wait, breaks, record, hidden], toolsets=names, always=["core"])


@dataclass
class Served:
    """A running server and a client that holds its token."""

    app: Application
    listener: Listener
    client: httpx2.AsyncClient
    watch: Watch
    stop: Callable[[], object]

    @property
    def url(self) -> str:
        return self.listener.url

    @property
    def address(self) -> tuple[str, int]:
        host, port = self.listener.socket.getsockname()[:2]
        return host, port

    async def call(self, name: str, **arguments: Any) -> httpx2.Response:
        return await self.client.post(f"/api/v1/tools/{name}", json=arguments)

    async def raw(self, data: bytes) -> bytes:
        """Send these bytes on a connection of their own and read until the server closes it."""
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(data)
            return await asyncio.wait_for(reader.read(), 20)
        finally:
            writer.close()
            await writer.wait_closed()


Start = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.fixture
def start(workspace: Workspace) -> Start:
    @asynccontextmanager
    async def starting(
        *, auth: Authenticator | None = None, no_auth: bool = False, trust: ssl.SSLContext | None = None, **flags: Any
    ) -> AsyncIterator[Served]:
        settings = server_settings(**flags)
        watch = Watch()
        app = compose.build(workspace, settings, registry=probe_tools(watch))

        async def made() -> Application:
            return app

        listener = open_listener(settings.server, root=workspace.root, no_auth=no_auth)
        ready = asyncio.Event()
        serving = asyncio.create_task(
            serve(
                app,
                mcp_server.build(made, face="mcp"),
                listener=listener,
                auth=None if no_auth else auth or SharedToken(TOKEN),
                on_ready=ready.set,
            )
        )
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            waiting.cancel()
            serving.result()
        headers = {} if no_auth else {"Authorization": f"Bearer {TOKEN}"}
        async with httpx2.AsyncClient(base_url=listener.url, headers=headers, verify=trust or True, timeout=30) as client:
            try:
                yield Served(app, listener, client, watch, serving.cancel)
            finally:
                watch.release.set()
                if not serving.cancelling():
                    serving.cancel()
                await asyncio.gather(serving, return_exceptions=True)

    return starting


def server_settings(**flags: Any) -> Settings:
    """Settings for a test: a free port, one worker, and the given groups of flags."""
    server = {"port": 0, **flags.pop("server", {})}
    return load(None, server=server, nickel={"workers": 1}, **flags)
