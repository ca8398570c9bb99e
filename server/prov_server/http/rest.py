"""REST: the registry's tools at `/api/v1/tools`, one address each. The same results and the same errors as every other face."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive

from prov_server.compose import Application
from prov_server.http.answers import JSON_TYPE, json_response
from prov_server.http.arguments import parse_arguments
from prov_server.http.errors import UnsupportedMediaTypeError
from prov_server.http.observe import CLIENT_GONE
from prov_server.http.openapi import document
from prov_server.mcp.caller import principal_of
from stratumops.errors import NotFoundError
from stratumops.middleware import Face
from stratumops.schema import Json, compact_dump
from stratumops.tool import Tool, ToolOutput

FACE: Face = "rest"
BASE = "/api/v1"

T = TypeVar("T")


class Rest:
    """The addresses below `/api/v1`."""

    def __init__(self, app: Application) -> None:
        self._app = app

    def routes(self) -> list[Route]:
        """Where they are."""
        return [
            Route(f"{BASE}/openapi.json", self.openapi, methods=["GET"]),
            Route(f"{BASE}/tools", self.list_tools, methods=["GET"]),
            # One route for both methods: the answer to any other says all that the address takes.
            Route(f"{BASE}/tools/{{name}}", self.tool, methods=["GET", "POST"]),
        ]

    async def openapi(self, _: Request) -> Response:
        """The OpenAPI document of all tools."""
        return json_response(document(self._app.registry, read_only=self._app.switches.read_only))

    async def list_tools(self, request: Request) -> Response:
        """The tools that the caller is offered, with their schemas."""
        return json_response({"tools": [describe(tool) for tool in self._app.offered(principal_of(request.scope))]})

    async def tool(self, request: Request) -> Response:
        """Look at a tool, or call it."""
        return await (self.call_tool if request.method == "POST" else self.get_tool)(request)

    async def get_tool(self, request: Request) -> Response:
        """One tool that the caller is offered."""
        tool = self._app.registry[request.path_params["name"]]
        if tool not in self._app.offered(principal_of(request.scope)):
            raise NotFoundError(
                f"{tool.name} of the toolset {tool.toolset} is not offered",
                hint=f"GET {BASE}/tools lists what is offered; POST {BASE}/tools/toolsets switches toolsets on",
            )
        return json_response(describe(tool))

    async def call_tool(self, request: Request) -> Response:
        """Run a tool; the call is cancelled when the client leaves."""
        body = await request.body()
        # Also without a body: a page of another origin can send a POST without this type, but not with it.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JSON_TYPE:
            raise UnsupportedMediaTypeError("the body must be JSON", hint="send `Content-Type: application/json`")
        call = self._app.call(
            request.path_params["name"],
            parse_arguments(body),
            principal=principal_of(request.scope),
            face=FACE,
            client=request.headers.get("user-agent", "").partition(" ")[0],
        )
        output: ToolOutput | None = await while_connected(request.receive, call)
        return Response(status_code=CLIENT_GONE) if output is None else json_response(compact_dump(output))


def describe(tool: Tool[Any, Any, Any]) -> Json:
    """A tool as `GET /api/v1/tools` answers it."""
    return {
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "toolset": tool.toolset,
        "effect": tool.effect,
        "input_schema": tool.input_schema,
        "output_schema": tool.output_schema,
    }


async def while_connected(receive: Receive, work: Coroutine[Any, Any, T]) -> T | None:
    """What `work` returns or raises; None when the client disconnected first: then `work` was cancelled and has ended."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_disconnected(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
