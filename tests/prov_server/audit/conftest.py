"""An application with tools of every kind, and what its workspace's audit says afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from prov_server import compose
from prov_server.compose import Application
from prov_tools.call_log import FILE, FOLDER
from prov_tools.context import Context
from prov_tools.core import toolsets
from stratumops.errors import ConflictError
from stratumops.registry import Registry
from stratumops.settings import Settings, load
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace


class Said(ToolInput):
    text: Annotated[str, Field(description="What to say")] = ""


class Heard(ToolOutput):
    text: str


def tools(done: list[str]) -> Registry[Context]:
    @tool(toolset="probe", title="Look", command="probe look", effect="read")
    async def look(args: Said, ctx: Context) -> Heard:
        """Changes nothing."""
        done.append("look")
        return Heard(text=args.text)

    @tool(toolset="probe", title="Change", command="probe change", effect="record")
    async def change(args: Said, ctx: Context) -> Heard:
        """Changes something."""
        done.append("change")
        return Heard(text="changed")

    @tool(toolset="probe", title="Conflict", command="probe conflict", effect="read")
    async def conflict(args: Said, ctx: Context) -> Heard:
        """Refuses by itself."""
        raise ConflictError("it has changed since", hint="read it again")

    @tool(toolset="probe", title="Break", command="probe break", effect="read")
    async def breaks(args: Said, ctx: Context) -> Heard:
        """Has a defect."""
        raise RuntimeError(args.text)

    @tool(toolset="off", title="Off", command="probe off", effect="read", default=False)
    async def off(args: Said, ctx: Context) -> Heard:
        """Is off at first."""
        raise AssertionError

    names = {"core": "The switches", "probe": "For tests", "off": "Off at first"}
    return Registry([toolsets, look, change, conflict, breaks, off], toolsets=names, always=["core"])


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return Workspace.at(folder)


@pytest.fixture
def done() -> list[str]:
    """The tools whose handlers ran."""
    return []


Make = Callable[..., Application]


@pytest.fixture
def make(workspace: Workspace, done: list[str]) -> Make:
    """An application under these settings."""

    def making(**flags: Any) -> Application:
        settings: Settings = load(None, **flags)
        return compose.build(workspace, settings, registry=tools(done))

    return making


def lines_of(workspace: Workspace) -> list[dict[str, Any]]:
    """The lines of the audit that are not the chain's own."""
    path = workspace.own / FOLDER / FILE
    every = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    return [line for line in every if line["type"] != "chain"]
