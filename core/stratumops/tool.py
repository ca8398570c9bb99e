"""`Tool` and `@tool`: one declaration of something the product can do, read by every face (MCP, REST, command line)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from inspect import cleandoc
from typing import Any, Generic, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import ErrorDetails

from stratumops.errors import InvalidInputError
from stratumops.problems import sentence
from stratumops.schema import Json, compact_schema

MAX_PROBLEMS = 100
MAX_NAME = 80

Effect = Literal["read", "record", "world"]
"""What a call changes: nothing, our own records, or the world (which approvals will guard)."""

EFFECTS: dict[Effect, str] = {
    "read": "changes nothing",
    "record": "changes our own records",
    "world": "changes the world",
}
"""The effects in a reader's words."""


class ToolInput(BaseModel):
    """The base of every tool's input: unknown parameters are an error, values have the schema's types and are frozen.

    Nothing is converted: "yes" and 1 are no booleans, on any face. The command line converts its words itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ToolOutput(BaseModel):
    """The base of every tool's output."""

    model_config = ConfigDict(extra="forbid")

    def passed(self) -> bool:
        """False when the call worked but its verdict is negative (findings, compliance): exit code 1 in a shell."""
        return True

    def resource_links(self) -> dict[str, str]:
        """Resources that hold the whole of this answer or more about it, as name -> address."""
        return {}

    def holds_retrieved_text(self) -> bool:
        """Whether somebody else's words stand in it: what changes the world afterwards needs an approval given after this."""
        return False

    def person_page(self) -> str:
        """The address of a page that a person must open before this is done; a client that can shows it. It stands in `url`."""
        return ""


Hidden = SkipJsonSchema[Any]
"""A field of an output for a face in this process, such as the whole that a person's table shows.

Declare it `whole: Annotated[Hidden, HIDDEN] = None`: it is neither sent nor described.
"""
HIDDEN: Any = Field(exclude=True, repr=False)

In = TypeVar("In", bound=ToolInput)
Out = TypeVar("Out", bound=ToolOutput)
Ctx = TypeVar("Ctx")
Handler = Callable[[In, Ctx], Awaitable[Out]]


@dataclass(frozen=True, eq=False)  # a tool is itself: two are never equal, and one can be a key
class Tool(Generic[In, Out, Ctx]):
    """A tool as a value; `Registry` collects them and the faces loop over it.

    `command` and `aliases` are words after `prov` ("mcp generate"); `default` says whether it is offered before anyone
    switches its toolset on; `in_read_only` keeps a tool in read-only mode that changes no more than its own server's
    surroundings; `example` are arguments for the documentation.
    """

    name: str
    toolset: str
    title: str
    description: str
    command: str
    effect: Effect
    handler: Handler[In, Ctx, Out]
    input: type[In]
    output: type[Out]
    aliases: tuple[str, ...] = ()
    default: bool = True
    idempotent: bool = True
    open_world: bool = False
    in_read_only: bool = False
    example: dict[str, Any] = field(default_factory=dict)

    @property
    def runs_in_read_only(self) -> bool:
        """Whether read-only mode offers it: it changes nothing at all, or was declared to stay."""
        return self.effect == "read" or self.in_read_only

    @cached_property
    def input_schema(self) -> Json:
        """JSON Schema of the arguments."""
        return compact_schema(self.input, mode="validation")

    @cached_property
    def output_schema(self) -> Json:
        """JSON Schema of the structured result."""
        return compact_schema(self.output, mode="serialization")

    def parse(self, arguments: dict[str, Any]) -> In:
        """The arguments as the handler wants them. Raises InvalidInputError naming every wrong one, without their values."""
        try:
            return self.input.model_validate(arguments)
        except ValidationError as error:
            raise invalid_arguments(self.name, error) from None
        except RecursionError:
            raise InvalidInputError("the arguments are nested too deeply") from None


def invalid_arguments(name: str, error: ValidationError) -> InvalidInputError:
    """A pydantic error as ours: paths and reasons, but no input value, which could be a secret.

    Bounded, whatever was sent: at most `MAX_PROBLEMS` are listed, and names of parameters that there are not are cut short.
    """
    found = error.errors(include_url=False, include_input=False)
    problems = [_problem(item) for item in found[:MAX_PROBLEMS]]
    said = "; ".join(problem["message"] for problem in problems[:5])
    more = f" (and {len(found) - 5} more)" if len(found) > 5 else ""
    return InvalidInputError(f"{said}{more}", hint=f"correct the arguments; the schema of {name} lists them", problems=problems)


def _problem(item: ErrorDetails) -> dict[str, str]:
    path = ".".join(str(part)[:MAX_NAME] for part in item["loc"]) or "(arguments)"
    message = sentence("the arguments" if path == "(arguments)" else path, item)
    return {"path": path, "message": message, "type": item["type"]}


def tool(
    *,
    toolset: str,
    title: str,
    command: str,
    effect: Effect,
    aliases: tuple[str, ...] = (),
    default: bool = True,
    idempotent: bool = True,
    open_world: bool = False,
    in_read_only: bool = False,
    example: dict[str, Any] | None = None,
) -> Callable[[Handler[In, Ctx, Out]], Tool[In, Out, Ctx]]:
    """Turn `async def name(args: In, ctx: Ctx) -> Out` into a Tool.

    The name, the models and the description come from the function; nothing is registered by side effect.
    """

    def wrap(handler: Handler[In, Ctx, Out]) -> Tool[In, Out, Ctx]:
        hints = get_type_hints(handler)
        return Tool(
            name=handler.__name__,
            toolset=toolset,
            title=title,
            description=cleandoc(handler.__doc__ or ""),
            command=command,
            effect=effect,
            handler=handler,
            input=hints["args"],
            output=hints["return"],
            aliases=aliases,
            default=default,
            idempotent=idempotent,
            open_world=open_world,
            in_read_only=in_read_only,
            example=example or {},
        )

    return wrap
