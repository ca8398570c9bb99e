"""What the repository tells the outside world is derived from one declaration, and true."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from prov_server.install.manifest import COMMAND, PACKAGE, SERVE_ARGUMENTS, SERVER_NAME, derived_files, registry_entry
from stratumops import __version__

ROOT = Path(__file__).resolve().parents[3]


def project() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


@pytest.mark.parametrize("path", derived_files())
def test_a_committed_manifest_is_what_the_declaration_says(path: str):
    assert (ROOT / path).read_text(encoding="utf-8") == derived_files()[path], f"{path} is stale: run make generate"


@pytest.mark.parametrize(
    ("path", "key"), [("mcp.json", "mcpServers"), (".mcp.json", "mcpServers"), (".vscode/mcp.json", "servers")]
)
def test_a_client_finds_the_server_under_its_key(path: str, key: str):
    server = json.loads((ROOT / path).read_text(encoding="utf-8"))[key][SERVER_NAME]
    assert Path(server["command"]).name == COMMAND
    assert server["args"] == list(SERVE_ARGUMENTS)


def test_what_the_manifests_name_exists():
    facts = project()
    assert (facts["name"], facts["version"]) == (PACKAGE, __version__)
    assert facts["scripts"][COMMAND] == "prov_server.entry:main"


def test_the_package_has_a_command_of_its_own_name_for_registry_clients():
    # They run `uvx PACKAGE ARGUMENTS`, which starts the command that is named as the package.
    scripts = project()["scripts"]
    assert scripts.get(PACKAGE) == scripts[COMMAND]


def test_the_registry_entry_keeps_the_limits_of_its_schema():
    entry = registry_entry()
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", entry["name"])
    assert 1 <= len(entry["description"]) <= 100
    assert 1 <= len(entry["title"]) <= 100
    assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
    (package,) = entry["packages"]
    assert package["version"] == entry["version"]
    assert package["transport"] == {"type": "stdio"}
    assert [one["value"] for one in package["packageArguments"]] == list(SERVE_ARGUMENTS)
    # Arguments for a runtime would stand before the package's name.
    assert "runtimeArguments" not in package
    assert all(not one.get("isSecret") for one in package["environmentVariables"])


def test_a_checkout_names_its_own_program_and_shared_files_the_installed_one():
    commands = {
        path: json.loads((ROOT / path).read_text())["mcpServers"][SERVER_NAME]["command"] for path in ("mcp.json", ".mcp.json")
    }
    assert commands == {"mcp.json": COMMAND, ".mcp.json": f".venv/bin/{COMMAND}"}
