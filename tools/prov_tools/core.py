"""The toolset `core`: the switches of the server itself."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from prov_tools.context import Context
from stratumops.errors import InvalidInputError
from stratumops.tool import ToolInput, ToolOutput, tool


class ToolsetsInput(ToolInput):
    """What to do with which toolsets."""

    action: Annotated[Literal["list", "enable", "disable"], Field(description="Action")] = "list"
    names: Annotated[list[str], Field(description="Toolsets", max_length=50, default_factory=list)]


class ToolsetRow(BaseModel):
    """One toolset."""

    name: str
    description: str
    enabled: bool
    tools: list[str]


class ToolsetsOutput(ToolOutput):
    """Every toolset as it is now."""

    toolsets: list[ToolsetRow]
    changed: bool


@tool(
    toolset="core",
    title="Toolsets",
    command="mcp toolsets",
    effect="record",
    # Without it nobody could see what read-only mode leaves; its switches end with the server.
    in_read_only=True,
    example={"action": "list"},
)
async def toolsets(args: ToolsetsInput, ctx: Context) -> ToolsetsOutput:
    """List toolsets; switch them on or off when a task needs a tool that is not offered."""
    if args.action != "list" and not args.names:
        raise InvalidInputError(f"{args.action} needs the names of toolsets", hint='for example names=["config"]')
    changed = False
    if args.action == "enable":
        changed = ctx.toolsets.enable(args.names)
    elif args.action == "disable":
        changed = ctx.toolsets.disable(args.names)
    rows = [
        ToolsetRow(name=s.name, description=s.description, enabled=s.enabled, tools=list(s.tools)) for s in ctx.toolsets.states()
    ]
    return ToolsetsOutput(toolsets=rows, changed=changed)
