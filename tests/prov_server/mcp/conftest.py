"""An application in a workspace of its own, and clients of the MCP server around it."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from mcp import Client
from mcp_types import TextContent, TextResourceContents

from prov_server import compose
from prov_server.compose import Application
from prov_server.mcp.server import ProvServer, build
from stratumops.settings import load
from stratumops.workspace import Workspace

Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.at(tmp_path)


@pytest.fixture
async def application(workspace: Workspace, anyio_backend: str) -> AsyncIterator[Application]:
    app = compose.build(workspace, load(None, nickel={"workers": 1}))
    yield app
    await app.aclose()


@pytest.fixture
def server(application: Application) -> ProvServer:
    async def made() -> Application:
        return application

    return build(made, face="mcp")


@pytest.fixture(params=["auto", "legacy"], ids=["2026-07-28", "2025-11-25"])
def connect(request: pytest.FixtureRequest, server: ProvServer) -> Connect:
    """A client in memory, once of each era."""

    @asynccontextmanager
    async def connecting(**options: Any) -> AsyncIterator[Client]:
        async with Client(server, mode=request.param, **options) as client:
            assert client.protocol_version == ("2026-07-28" if request.param == "auto" else "2025-11-25")
            yield client

    return connecting


def text_of(answer: Any) -> str:
    """The text of an answer's first block: of a tool's result, a prompt's message or a resource."""
    if hasattr(answer, "messages"):
        block = answer.messages[0].content
    else:
        block = (answer.contents if hasattr(answer, "contents") else answer.content)[0]
    assert isinstance(block, TextContent | TextResourceContents)
    return block.text
