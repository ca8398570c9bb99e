"""`kogral_add`: what was learnt becomes a node of the workspace's graph."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.context import Context
from stratumops.errors import InvalidInputError
from stratumops.tool import ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from kogral.knowledge import Knowledge
    from kogral.node import Node

Type = Literal["note", "decision", "guideline", "pattern", "journal", "execution"]
SECTIONS: dict[str, tuple[str, ...]] = {
    "decision": ("context", "decision", "consequences", "alternatives"),
    "execution": ("context", "root_cause", "resolution", "action_items"),
}
"""What a decision and an execution are made of; an execution's action items are lines."""


class KogralAddInput(ToolInput):
    """A node."""

    type: Annotated[Type, Field(description="What it is")]
    title: Annotated[str, Field(description="In a line")]
    body: Annotated[str, Field(description="Markdown")] = ""
    sections: Annotated[
        dict[str, str] | None,
        Field(description="decision: context, decision, consequences; execution: context, root_cause, resolution, action_items"),
    ] = None
    tags: Annotated[list[str] | None, Field(description="Words")] = None
    related: Annotated[SkipJsonSchema[list[str] | None], Field(description="Ids of other nodes")] = None
    metadata: Annotated[SkipJsonSchema[dict[str, str] | None], Field(description="Such as service, version")] = None


class KogralAddOutput(ToolOutput):
    """Where it is."""

    id: str
    path: SkipJsonSchema[str]


@tool(
    toolset="knowledge",
    title="Write down what was learnt",
    command="kogral add",
    effect="record",
    idempotent=False,
    example={"type": "note", "title": "The old replica is kept for audits", "tags": ["postgresql"]},
)
async def kogral_add(args: KogralAddInput, ctx: Context) -> KogralAddOutput:
    """Write a node of knowledge, so that the next search finds it."""
    sections = args.sections or {}
    known = SECTIONS.get(args.type, ())
    if wrong := sorted(set(sections) - set(known)):
        there = f"of a {args.type} there are: {', '.join(known)}" if known else f"a {args.type} has none: put the text into body"
        raise InvalidInputError(f"sections: there is no {', '.join(one[:40] for one in wrong)}", hint=there)
    graph = await asyncio.to_thread(ctx.knowledge)
    made = await asyncio.to_thread(_add, graph, args, sections, ctx.principal.subject)
    assert made.path is not None
    return KogralAddOutput(id=made.id, path=made.path.relative_to(ctx.workspace.root).as_posix())


def _add(graph: "Knowledge", args: KogralAddInput, sections: dict[str, str], author: str) -> "Node":
    metadata = args.metadata or {}
    if args.type == "execution":
        actions = [line.strip("-* \t") for line in sections.get("action_items", "").splitlines() if line.strip("-* \t")]
        return graph.add_execution(
            args.title,
            context=sections.get("context", args.body),
            root_cause=sections.get("root_cause", ""),
            resolution=sections.get("resolution", ""),
            action_items=actions,
            tags=args.tags or [],
            related=args.related or [],
            metadata=metadata,
            author=author,
        )
    if args.type == "decision" and sections:
        return graph.add_decision(
            args.title,
            context=sections.get("context", args.body),
            decision=sections.get("decision", ""),
            consequences=sections.get("consequences", ""),
            alternatives=sections.get("alternatives", ""),
            tags=args.tags or [],
            related=args.related or [],
            metadata=metadata,
            author=author,
        )
    return graph.add(
        args.type, args.title, args.body, tags=args.tags or [], related=args.related or [], metadata=metadata, author=author
    )
