"""What the conformance suite looks for on a server: its named tools, resources and prompts, added to ours as a test-only toolset.

The suite's own scenarios say what each of them answers; nothing here is part of the product.
"""

import base64
import json
from typing import Annotated, Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp_types import (
    AudioContent,
    CallToolResult,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import Field

from prov_server.mcp.server import ProvServer

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
SILENCE = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

ADDRESS_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}

Ctx = Context[Any, Any]


def add_fixtures(server: ProvServer) -> None:
    """Add everything that answers by itself; `dialogues` adds what asks the client back."""
    _add_contents(server)
    _add_notices(server)
    _add_schemas(server)
    _add_resources(server)
    _add_prompts(server)
    _add_acknowledgements(server)


def _text(text: str) -> TextContent:
    return TextContent(type="text", text=text)


def _embedded(uri: str, mime_type: str, text: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=text))


def _add_contents(server: ProvServer) -> None:
    image = ImageContent(type="image", data=PIXEL, mime_type="image/png")
    answers: dict[str, list[Any]] = {
        "test_simple_text": [_text("This is a simple text response for testing.")],
        "test_image_content": [image],
        "test_audio_content": [AudioContent(type="audio", data=SILENCE, mime_type="audio/wav")],
        "test_embedded_resource": [_embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")],
        "test_multiple_content_types": [
            _text("Multiple content types test:"),
            image,
            _embedded("test://mixed-content-resource", "application/json", '{"test":"data","value":123}'),
        ],
    }
    for name, content in answers.items():
        _add_answer(server, name, content)

    @server.tool()
    def test_error_handling() -> str:
        """Always fails."""
        raise RuntimeError("This tool intentionally returns an error for testing")


def _add_answer(server: ProvServer, name: str, content: list[Any]) -> None:
    @server.tool(name=name, description=f"Answers what {name} is to answer")
    def answer() -> CallToolResult:
        return CallToolResult(content=content)


def _add_notices(server: ProvServer) -> None:
    @server.tool()
    async def test_tool_with_logging(ctx: Ctx) -> str:
        """Sends three log messages."""
        for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await ctx.info(words)  # pyright: ignore[reportDeprecated] # the older era still has it
        return "Tool with logging executed successfully"

    @server.tool()
    async def test_logging_tool(ctx: Ctx) -> str:
        """Sends a log message to those who asked for it."""
        await ctx.info("a message")  # pyright: ignore[reportDeprecated] # as above
        return "logged"

    @server.tool()
    async def test_tool_with_progress(ctx: Ctx) -> str:
        """Reports progress three times."""
        for done in (0, 50, 100):
            await ctx.report_progress(done, 100, f"Completed step {done} of 100")
        return "done"

    @server.tool()
    async def test_reconnection(ctx: Ctx) -> str:
        """Closes its stream in the middle, so that the client comes back for the answer."""
        await ctx.close_sse_stream()
        return "Reconnection test completed"

    @server.tool()
    async def test_trigger_tool_change(ctx: Ctx) -> str:
        """Tells that the list of tools changed."""
        await ctx.notify_tools_changed()
        return "told"

    @server.tool()
    async def test_trigger_prompt_change(ctx: Ctx) -> str:
        """Tells that the list of prompts changed."""
        await ctx.notify_prompts_changed()
        return "told"

    @server.tool()
    async def test_streaming_elicitation(ctx: Ctx) -> str:
        """Sends nothing but notices and its answer on the stream."""
        await ctx.report_progress(1, 2, "half way")
        return "no request was sent on the stream"


def _add_schemas(server: ProvServer) -> None:
    @server.tool(name="json_schema_2020_12_tool", description="Tool with JSON Schema 2020-12 features")
    def addressed() -> str:
        return "taken"

    made = server._tool_manager.get_tool("json_schema_2020_12_tool")
    assert made is not None
    made.parameters = ADDRESS_SCHEMA

    @server.tool()
    def test_custom_headers(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})] = "",
        query: str = "",
    ) -> str:
        """Has a parameter that clients repeat in a header."""
        return f"{region}: {query}"


def _add_resources(server: ProvServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PIXEL)

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:
        return "Watched resource content"

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002 - the suite's name of the variable
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def _add_prompts(server: ProvServer) -> None:
    @server.prompt(description="A prompt without arguments")
    def test_simple_prompt() -> list[UserMessage]:
        return [UserMessage(_text("This is a simple prompt for testing."))]

    @server.prompt(description="A prompt with arguments")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        return [UserMessage(_text(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))]

    @server.prompt(description="A prompt that holds a resource")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the suite's name
        held = _embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(held), UserMessage(_text("Please process the embedded resource above."))]

    @server.prompt(description="A prompt that holds an image")
    def test_prompt_with_image() -> list[UserMessage]:
        image = ImageContent(type="image", data=PIXEL, mime_type="image/png")
        return [UserMessage(image), UserMessage(_text("Please analyze the image above."))]


def _add_acknowledgements(server: ProvServer) -> None:
    """Requests of the older era that the product does not take: log levels and subscriptions to single resources."""

    async def acknowledge(ctx: Any, params: Any) -> EmptyResult:
        return EmptyResult()

    low = server._lowlevel_server
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, acknowledge)
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, acknowledge)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, acknowledge)
