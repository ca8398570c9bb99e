"""The OpenAPI 3.1 document, made from the registry and the classes of errors, so that it cannot lag behind them.

OpenAPI 3.1 schemas are JSON Schema 2020-12: a tool's own schemas stand in it as they are.
"""

from collections.abc import Iterator
from typing import Any

from prov_server.http import errors as http_errors
from stratumops import __version__
from stratumops import errors as product_errors
from stratumops.errors import StratumError
from stratumops.registry import Registry
from stratumops.schema import Json
from stratumops.tool import Tool

_ERROR = {"$ref": "#/components/schemas/Error"}
_TEXT = {"type": "string"}


def document(registry: Registry[Any], *, read_only: bool) -> Json:
    """The document of all tools that a principal can switch on (in read-only mode: those that may run in it)."""
    tools = [tool for tool in registry if tool.runs_in_read_only or not read_only]
    used = {tool.toolset for tool in tools}
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "stratumops",
            "version": __version__,
            "summary": "From an idea to running machines: every tool of the product over HTTP.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [{"name": "server", "description": "The server itself"}]
        + [{"name": name, "description": text} for name, text in registry.toolsets.items() if name in used],
        "paths": _server_paths() | {f"/api/v1/tools/{tool.name}": _tool_path(tool) for tool in tools},
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The token in .prov/http-token of the served workspace, printed when the server first starts",
                }
            },
            "schemas": {"Error": _error_schema(), "Tool": _tool_schema()},
            "responses": _error_responses(),
        },
    }


def _tool_path(tool: Tool[Any, Any, Any]) -> Json:
    body: Json = {"schema": tool.input_schema}
    if tool.example:
        body["example"] = tool.example
    return {
        "post": {
            "operationId": tool.name,
            "tags": [tool.toolset],
            "summary": tool.title,
            "description": tool.description,
            "requestBody": {"required": "required" in tool.input_schema, "content": {"application/json": body}},
            "responses": {"200": _json("The result", tool.output_schema)} | _errors_but(405),
        },
        "get": {
            "operationId": f"describe_{tool.name}",
            "tags": [tool.toolset],
            "summary": f"The schemas of {tool.name}",
            "responses": {"200": _json("The tool", {"$ref": "#/components/schemas/Tool"})} | _errors(401, 403, 404, 421),
        },
    }


def _server_paths() -> Json:
    status = {"type": "object", "properties": {"status": _TEXT}, "required": ["status"]}
    tools = {"type": "array", "items": {"$ref": "#/components/schemas/Tool"}}
    return {
        "/api/v1/tools": _get(
            "list_tools",
            "The tools that you are offered",
            _json("The tools", {"type": "object", "properties": {"tools": tools}, "required": ["tools"]}),
            401, 403, 421,
        ),
        "/api/v1/openapi.json": _get("openapi", "This document", _json("OpenAPI 3.1", {"type": "object"}), 401, 403, 421),
        "/health": _get("health", "Whether the process answers", _json("It does", status), 421, is_open=True),
        "/ready": _get("ready", "Whether it can work", _json("It can", status), 421, 503, is_open=True),
        "/metrics": _get(
            "metrics",
            "Counters for Prometheus",
            {"description": "The counters", "content": {"text/plain": {"schema": _TEXT}}},
            401, 403, 421,
        ),
    }  # fmt: skip


def _get(operation: str, summary: str, answer: Json, *statuses: int, is_open: bool = False) -> Json:
    get: Json = {"operationId": operation, "tags": ["server"], "summary": summary}
    if is_open:
        get["security"] = []
    return {"get": get | {"responses": {"200": answer} | _errors(*statuses)}}


def _json(description: str, schema: Json) -> Json:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _errors(*statuses: int) -> Json:
    return {str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in statuses}


def _errors_but(*left_out: int) -> Json:
    return _errors(*(status for status in _by_status() if status not in left_out))


def _name(status: int) -> str:
    return f"Error{status}"


def _error_schema() -> Json:
    return {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "hint", "details"],
                "properties": {
                    "code": {"enum": sorted({error.code for error in _all_errors()}), "description": "Stable; act on this"},
                    "message": {"type": "string", "description": "What was wrong and where"},
                    "hint": {"type": "string", "description": "What to do next"},
                    "details": {"type": "object", "description": "For programs: paths, lines, allowed values"},
                },
            }
        },
    }


def _tool_schema() -> Json:
    names = ("name", "title", "description", "toolset", "effect")
    schemas = ("input_schema", "output_schema")
    properties: Json = dict.fromkeys(names, _TEXT) | {name: {"type": "object"} for name in schemas}
    return {"type": "object", "required": list(properties), "properties": properties}


def _error_responses() -> Json:
    return {
        _name(status): {
            "description": "; or: ".join(f"{error.code}: {(error.__doc__ or '').splitlines()[0]}" for error in classes),
            "content": {"application/json": {"schema": _ERROR}},
        }
        for status, classes in _by_status().items()
    }


def _by_status() -> dict[int, list[type[StratumError]]]:
    found: dict[int, list[type[StratumError]]] = {}
    for error in sorted(_all_errors(), key=lambda one: (one.http_status, one.code)):
        found.setdefault(error.http_status, []).append(error)
    return found


def _all_errors() -> Iterator[type[StratumError]]:
    """The classes that the two modules of errors declare; one line a code."""
    seen: set[str] = set()
    for module in (product_errors, http_errors):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, StratumError) and value.__module__ == module.__name__:
                if value is StratumError or value.code in seen:
                    continue
                seen.add(value.code)
                yield value
