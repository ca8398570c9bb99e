"""`docs/reference/tools.md` and the tool table of README.md, from the registry."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from prov_server.cli.generated import PERSONS
from prov_server.derived.page import block, cell, code, first_sentence, page, table
from prov_tools.registry import REGISTRY
from stratumops.schema import Json
from stratumops.settings_groups import ServerSettings
from stratumops.tool import EFFECTS, Tool

SOURCE = "`prov_tools.registry`"
INTRODUCTION = (
    "Every tool is called by the same name with the same arguments over MCP and REST, and as a command of `prov`. "
    "Results and error codes are the same everywhere; [errors.md](errors.md) lists the codes."
)


def readme_table() -> str:
    """Every tool in one row."""
    rows = [
        (code(one.name), one.toolset, code(f"prov {one.command}"), EFFECTS[one.effect], cell(first_sentence(one.description)))
        for one in REGISTRY
    ]
    return table(("tool", "toolset", "command", "effect", "what it does"), rows)


def tools_page() -> str:
    """Every tool in full, toolset by toolset."""
    parts = [INTRODUCTION]
    for toolset, purpose in REGISTRY.toolsets.items():
        parts.append(f"## Toolset {toolset}\n\n{purpose}.")
        parts += [tool_section(one) for one in REGISTRY if one.toolset == toolset]
    return page("Tools", SOURCE, *parts)


def command_line(one: Tool[Any, Any, Any]) -> str:
    """The example of a tool as a person types it.

    As the command line reads a model: required fields by position, or the first field where none is required; others as options.
    A person's own command has an example of its own.
    """
    if one.command in PERSONS:
        return f"prov {one.command} {PERSONS[one.command]}"
    fields = one.input.model_fields
    positional = [name for name, info in fields.items() if info.is_required()] or list(fields)[:1]
    words = ["prov", *one.command.split(), *(_word(one.example[name]) for name in positional if name in one.example)]
    for name, value in one.example.items():
        if name in positional:
            continue
        flag = name.replace("_", "-")
        words += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", _word(value)]
    return shlex.join(words)


def _word(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_word, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def tool_section(one: Tool[Any, Any, Any]) -> str:
    """One tool: what it does, what it takes and answers, an example on every face."""
    offered = "offered by default" if one.default else f"offered when the toolset {one.toolset} is switched on"
    commands = " or ".join(code(f"prov {words}") for words in (one.command, *one.aliases))
    parts = [
        f"### {one.name}",
        f"{one.title}: {one.description}",
        f"Command {commands}; {EFFECTS[one.effect]}; {offered}.",
        "Parameters:",
        _fields(one.input_schema, with_default=True) or "None.",
        "Result:",
        _fields(one.output_schema, with_default=False),
        "Example, over MCP, over REST and in a terminal:",
        *_examples(one),
    ]
    return "\n\n".join(parts)


def _examples(one: Tool[Any, Any, Any]) -> Iterator[str]:
    call = {"method": "tools/call", "params": {"name": one.name, "arguments": one.example}}
    yield block("json", json.dumps(call, ensure_ascii=False))
    server = ServerSettings()
    body = json.dumps(one.example, ensure_ascii=False)
    yield block(
        "sh",
        f'curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" \\\n'
        f"  -d {shlex.quote(body)} \\\n"
        f"  http://{server.host}:{server.port}/api/v1/tools/{one.name}",
    )
    yield block("sh", command_line(one))


def _fields(schema: Json, *, with_default: bool) -> str:
    rows = []
    for path, node, required in _walk(schema, ""):
        description = cell(node.get("description", ""))
        if with_default:
            default = code(json.dumps(node["default"], ensure_ascii=False)) if "default" in node else ""
            rows.append((code(path), type_words(node), "required" if required else default, description))
        else:
            rows.append((code(path), type_words(node), "always" if required else "when known", description))
    return table(("field", "type", "default" if with_default else "present", "description"), rows)


def _walk(schema: Json, prefix: str) -> Iterator[tuple[str, Json, bool]]:
    required = set(schema.get("required", ()))
    for name, node in schema.get("properties", {}).items():
        yield f"{prefix}{name}", node, name in required
        inner = node.get("items", node)
        yield from _walk(inner, f"{prefix}{name}{'[]' if 'items' in node else ''}.")


def type_words(node: Json) -> str:
    """The type of a field in a reader's words."""
    if "enum" in node or "const" in node:
        return ", ".join(code(json.dumps(value)) for value in node.get("enum", [node.get("const")]))
    if "anyOf" in node:
        return " or ".join(type_words(option) for option in node["anyOf"])
    if node.get("type") == "array":
        return f"list of {type_words(node['items'])}" if "items" in node else "list"
    if isinstance(node.get("additionalProperties"), dict):
        return f"record of {type_words(node['additionalProperties'])}"
    words = {"object": "record", "string": "text", "boolean": "true or false"}.get(
        node.get("type", ""), node.get("type", "any value")
    )
    limits = [
        said.format(node[key])
        for key, said in (
            ("minimum", ">= {}"), ("exclusiveMinimum", "> {}"), ("maximum", "<= {}"), ("exclusiveMaximum", "< {}"),
            ("minLength", "at least {:,} characters"), ("maxLength", "at most {:,} characters"),
        )
        if key in node
    ]  # fmt: skip
    return cell(f"{words} ({', '.join(limits)})" if limits else str(words))
