"""The chain that every tool call passes, whichever face it came through.

A link is `async def link(call, proceed)`; it may refuse (raise), change the call, or look at the answer. Links are listed
outermost first where the server is composed. Later parts (policy, budget, approval, redaction, audit) add their links there.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stratumops.tool import Tool, ToolOutput

Ctx = TypeVar("Ctx")


@dataclass(frozen=True, slots=True)
class Call(Generic[Ctx]):
    """One call on its way: the tool, the raw arguments, and what the handler may use."""

    tool: Tool[Any, Any, Ctx]
    arguments: dict[str, Any]
    ctx: Ctx
    principal: str
    face: str


Proceed = Callable[[Call[Ctx]], Awaitable[ToolOutput]]
Link = Callable[[Call[Ctx], Proceed[Ctx]], Awaitable[ToolOutput]]


async def handle(call: Call[Ctx]) -> ToolOutput:
    """The innermost step: validate the arguments and run the handler."""
    output: ToolOutput = await call.tool.handler(call.tool.parse(call.arguments), call.ctx)
    return output


def chain(links: Sequence[Link[Ctx]]) -> Proceed[Ctx]:
    """The links, outermost first, around `handle`."""
    proceed: Proceed[Ctx] = handle
    for link in reversed(links):
        proceed = _bind(link, proceed)
    return proceed


def _bind(link: Link[Ctx], proceed: Proceed[Ctx]) -> Proceed[Ctx]:
    async def step(call: Call[Ctx]) -> ToolOutput:
        return await link(call, proceed)

    return step
