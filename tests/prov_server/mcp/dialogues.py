"""The conformance suite's tools and prompts that ask the client something: by requests of their own in the older era,
by `InputRequiredResult` in the newer one (SEP-2322)."""

from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ClientCapabilities,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    InputRequiredResult,
    ListRootsRequest,
    SamplingCapability,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel, Field

from prov_server.mcp.server import ProvServer

Ctx = Context[Any, Any]


def add_dialogues(server: ProvServer) -> None:
    """Add the tools and the prompt."""
    _add_requests(server)
    _add_one_question(server)
    _add_rounds(server)
    _add_capabilities(server)


class Answer(BaseModel):
    response: Annotated[str, Field(description="User's response")]


class Defaults(BaseModel):
    name: Annotated[str, Field(description="User name")] = "John Doe"
    age: Annotated[int, Field(description="User age")] = 30
    score: Annotated[float, Field(description="User score")] = 95.5
    status: Annotated[Literal["active", "inactive", "pending"], Field(description="User status")] = "active"
    verified: Annotated[bool, Field(description="Verification status")] = True


def _titled(*values: str) -> Any:
    return [{"const": value, "title": f"The {value}"} for value in values]


class Enums(BaseModel):
    untitledSingle: Literal["option1", "option2", "option3"]  # noqa: N815 - the suite's names, here and below
    titledSingle: Annotated[str, Field(json_schema_extra={"oneOf": _titled("value1", "value2", "value3")})]  # noqa: N815 - as above
    legacyEnum: Annotated[  # noqa: N815 - as above
        str, Field(json_schema_extra={"enum": ["opt1", "opt2", "opt3"], "enumNames": ["Option 1", "Option 2", "Option 3"]})
    ]
    untitledMulti: list[Literal["option1", "option2", "option3"]]  # noqa: N815 - as above
    titledMulti: Annotated[  # noqa: N815 - as above
        list[str], Field(json_schema_extra={"items": {"anyOf": _titled("value1", "value2", "value3")}})
    ]


def _add_requests(server: ProvServer) -> None:
    async def ask(ctx: Ctx, message: str, schema: type[BaseModel]) -> str:
        result = await ctx.elicit(message=message, schema=schema)
        content = result.data.model_dump_json() if result.action == "accept" else "{}"
        return f"action={result.action}, content={content}"

    @server.tool()
    async def test_sampling(prompt: str, ctx: Ctx) -> str:
        """Asks the client's model."""
        asked = SamplingMessage(role="user", content=TextContent(type="text", text=prompt))
        made = await ctx.session.create_message(messages=[asked], max_tokens=100)  # pyright: ignore[reportDeprecated] # older era
        return f"LLM response: {made.content.text if made.content.type == 'text' else ''}"

    @server.tool()
    async def test_elicitation(message: str, ctx: Ctx) -> str:
        """Asks the person."""
        return f"User response: {await ask(ctx, message, Answer)}"

    @server.tool()
    async def test_elicitation_sep1034_defaults(ctx: Ctx) -> str:
        """Asks with a default for every kind of value."""
        return f"Elicitation completed: {await ask(ctx, 'Please review the defaults', Defaults)}"

    @server.tool()
    async def test_elicitation_sep1330_enums(ctx: Ctx) -> str:
        """Asks with every kind of choice."""
        return f"Elicitation completed: {await ask(ctx, 'Please choose', Enums)}"


def _form(message: str, field: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {field: {"type": kind}}, "required": [field]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def _sample(words: str, max_tokens: int) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=words))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=max_tokens))


def _filled(ctx: Ctx, key: str, field: str) -> Any:
    """What the person typed into the field of an accepted form, or None."""
    answer = (ctx.input_responses or {}).get(key)
    content = getattr(answer, "content", None)
    return content.get(field) if getattr(answer, "action", "") == "accept" and isinstance(content, dict) else None


def _add_one_question(server: ProvServer) -> None:
    @server.tool()
    async def test_input_required_result_elicitation(ctx: Ctx) -> str | InputRequiredResult:
        """Asks for a name."""
        name = _filled(ctx, "user_name", "name")
        if isinstance(name, str):
            return f"Hello, {name}!"
        return InputRequiredResult(input_requests={"user_name": _form("What is your name?", "name")})

    @server.tool()
    async def test_input_required_result_sampling(ctx: Ctx) -> str | InputRequiredResult:
        """Asks the client's model."""
        answer = (ctx.input_responses or {}).get("capital_question")
        if answer is not None:
            return str(getattr(getattr(answer, "content", None), "text", ""))
        return InputRequiredResult(input_requests={"capital_question": _sample("What is the capital of France?", 100)})

    @server.tool()
    async def test_input_required_result_list_roots(ctx: Ctx) -> str | InputRequiredResult:
        """Asks for the client's folders."""
        answer = (ctx.input_responses or {}).get("client_roots")
        if answer is not None:
            return ", ".join(str(root.uri) for root in getattr(answer, "roots", []))
        return InputRequiredResult(input_requests={"client_roots": ListRootsRequest()})

    @server.prompt(description="A prompt that asks for its context")
    async def test_input_required_result_prompt(ctx: Ctx) -> Any:
        context = _filled(ctx, "user_context", "context")
        if isinstance(context, str):
            return f"The context is: {context}"
        return InputRequiredResult(input_requests={"user_context": _form("What context should the prompt use?", "context")})


def _add_rounds(server: ProvServer) -> None:
    @server.tool()
    async def test_input_required_result_request_state(ctx: Ctx) -> str | InputRequiredResult:
        """Finds its own state again."""
        if ctx.request_state == "asked" and _filled(ctx, "confirm", "ok") is not None:
            return "state-ok"
        return InputRequiredResult(input_requests={"confirm": _form("Please confirm", "ok", "boolean")}, request_state="asked")

    @server.tool()
    async def test_input_required_result_tampered_state(ctx: Ctx) -> str | InputRequiredResult:
        """Never sees a state that is not its own: the server refuses it first."""
        if ctx.request_state == "sealed" and _filled(ctx, "confirm", "ok") is not None:
            return "the state is whole"
        return InputRequiredResult(input_requests={"confirm": _form("Please confirm", "ok", "boolean")}, request_state="sealed")

    @server.tool()
    async def test_input_required_result_multiple_inputs(ctx: Ctx) -> str | InputRequiredResult:
        """Asks three things at once."""
        if {"user_name", "greeting", "client_roots"} <= set(ctx.input_responses or {}):
            return f"Everything is answered, {_filled(ctx, 'user_name', 'name')}"
        return InputRequiredResult(
            input_requests={
                "user_name": _form("What is your name?", "name"),
                "greeting": _sample("Generate a greeting", 50),
                "client_roots": ListRootsRequest(),
            },
            request_state="three questions",
        )

    @server.tool()
    async def test_input_required_result_multi_round(ctx: Ctx) -> str | InputRequiredResult:
        """Asks twice; what was answered first is in the state."""
        colour = _filled(ctx, "step2", "color")
        if ctx.request_state and ctx.request_state.startswith("name:") and colour:
            return f"{ctx.request_state.removeprefix('name:')} likes {colour}"
        name = _filled(ctx, "step1", "name")
        if ctx.request_state == "begun" and name:
            second = _form("Step 2: What is your favorite color?", "color")
            return InputRequiredResult(input_requests={"step2": second}, request_state=f"name:{name}")
        first = _form("Step 1: What is your name?", "name")
        return InputRequiredResult(input_requests={"step1": first}, request_state="begun")


def _add_capabilities(server: ProvServer) -> None:
    @server.tool()
    async def test_input_required_result_capabilities(ctx: Ctx) -> str | InputRequiredResult:
        """Asks only for what the client says it can do."""
        if ctx.input_responses:
            return "answered"
        able = ctx.client_capabilities
        asked: dict[str, Any] = {}
        if able is not None and able.elicitation is not None:
            asked["user_name"] = _form("What is your name?", "name")
        if able is not None and able.sampling is not None:
            asked["greeting"] = _sample("Generate a greeting", 50)
        return InputRequiredResult(input_requests=asked) if asked else "nothing to ask"

    @server.tool()
    async def test_missing_capability(ctx: Ctx) -> str:
        """Cannot work for a client without a model."""
        if ctx.client_capabilities is None or ctx.client_capabilities.sampling is None:
            wanted = ClientCapabilities(sampling=SamplingCapability())
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message="this tool needs sampling",
                data={"requiredCapabilities": wanted.model_dump(by_alias=True, exclude_none=True)},
            )
        return "the client can sample"
