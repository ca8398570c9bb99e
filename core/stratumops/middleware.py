"""The chain that every tool call passes, whichever face it came through.

A link is `async def link(call, proceed)`; it may refuse (raise), change the call, or look at the answer. Links are listed
outermost first where the server is composed. `validate` is one of them: links inside it see the arguments typed, as
`call.args`. Later parts (policy, budget, approval, redaction, audit) add their links there.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Literal, TypeVar

from stratumops.errors import InternalError
from stratumops.principal import Principal
from stratumops.tool import Tool, ToolInput, ToolOutput

Ctx = TypeVar("Ctx")
Face = Literal["mcp", "rest", "cli"]
"""How a call came in."""


@dataclass(frozen=True, slots=True)
class Call(Generic[Ctx]):
    """One call on its way: the tool, the arguments as they were sent, and who called through which face.

    `args` are the same arguments as the handler gets them; None until the link `validate` has been passed.
    `ctx` is what the handler may use.
    """

    tool: Tool[Any, Any, Ctx]
    arguments: dict[str, Any]
    args: ToolInput | None
    ctx: Ctx
    principal: Principal
    face: Face


Proceed = Callable[[Call[Ctx]], Awaitable[ToolOutput]]
Link = Callable[[Call[Ctx], Proceed[Ctx]], Awaitable[ToolOutput]]


async def validate(call: Call[Ctx], proceed: Proceed[Ctx]) -> ToolOutput:
    """The link that turns the arguments into the tool's input. Raises InvalidInputError naming every wrong one."""
    return await proceed(replace(call, args=call.tool.parse(call.arguments)))


async def handle(call: Call[Ctx]) -> ToolOutput:
    """The innermost step: run the handler. Raises InternalError when no link has validated the arguments."""
    if call.args is None:
        raise InternalError(f"{call.tool.name}: its arguments were not validated", hint="a defect of ours; please report it")
    output: ToolOutput = await call.tool.handler(call.args, call.ctx)
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
