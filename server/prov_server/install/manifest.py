"""What the outside world is told about our server, declared once; every manifest in the repository is derived from it.

Formats: `mcp.json` and `.mcp.json` (`mcpServers`, as Claude Code and others read it), VS Code's `.vscode/mcp.json`, Gemini
CLI's `gemini-extension.json`, and the MCP registry's `server.json` (schema of 2025-12-11).
"""

import json
from typing import Any

from stratumops import __version__

SERVER_NAME = "stratumops"
TITLE = "stratumops"
DESCRIPTION = "Describe infrastructure in plain words; get typed Nickel, validated in seven layers."
"""At most 100 characters: the registry's limit."""

COMMAND = "prov"
CHECKOUT_COMMAND = f".venv/bin/{COMMAND}"
"""Where `make setup` puts it in a checkout."""
SERVE_ARGUMENTS = ("mcp", "serve")
PACKAGE = "stratumops"
REGISTRY_NAME = "io.github.stratumops/stratumops"
REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
WORKSPACE_VARIABLE = "PROV_WORKSPACE"
WORKSPACE_DESCRIPTION = "The folder with your configurations; without it, the folder that the server is started in"


def mcp_servers(command: str = COMMAND) -> dict[str, Any]:
    """`mcp.json`, for whoever has the program on PATH; `.mcp.json`, for this checkout, whose root is where clients start it."""
    return {"mcpServers": {SERVER_NAME: {"command": command, "args": list(SERVE_ARGUMENTS)}}}


def vscode() -> dict[str, Any]:
    """`.vscode/mcp.json`: in a checkout, the program that `make setup` puts into `.venv`. It asks for nothing, so no inputs."""
    server = {
        "type": "stdio",
        "command": "${workspaceFolder}/" + CHECKOUT_COMMAND,
        "args": list(SERVE_ARGUMENTS),
        "env": {WORKSPACE_VARIABLE: "${workspaceFolder}"},
    }
    return {"servers": {SERVER_NAME: server}, "inputs": []}


def gemini_extension() -> dict[str, Any]:
    """`gemini-extension.json`: an extension that starts the installed program."""
    return {"name": SERVER_NAME, "version": __version__, "description": DESCRIPTION, **mcp_servers()}


def registry_entry() -> dict[str, Any]:
    """`server.json`: the package, how it is started, and the one variable that a client may set.

    Registry clients run `uvx PACKAGE==VERSION ARGUMENTS`, so the package has a command of its own name beside `prov`.
    """
    arguments = [{"type": "positional", "value": value} for value in SERVE_ARGUMENTS]
    workspace = {"name": WORKSPACE_VARIABLE, "description": WORKSPACE_DESCRIPTION, "format": "filepath", "isRequired": False}
    return {
        "$schema": REGISTRY_SCHEMA,
        "name": REGISTRY_NAME,
        "title": TITLE,
        "description": DESCRIPTION,
        "version": __version__,
        "packages": [
            {
                "registryType": "pypi",
                "identifier": PACKAGE,
                "version": __version__,
                "runtimeHint": "uvx",
                "transport": {"type": "stdio"},
                "packageArguments": arguments,
                "environmentVariables": [workspace],
            }
        ],
    }


def derived_files() -> dict[str, str]:
    """Every derived manifest: its path from the root of the repository, and its text."""
    documents = {
        "mcp.json": mcp_servers(),
        ".mcp.json": mcp_servers(CHECKOUT_COMMAND),
        ".vscode/mcp.json": vscode(),
        "gemini-extension.json": gemini_extension(),
        "server.json": registry_entry(),
    }
    return {path: json.dumps(document, indent=2, ensure_ascii=False) + "\n" for path, document in documents.items()}
