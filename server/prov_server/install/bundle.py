"""The .mcpb bundle: what desktop clients install with one click. A folder is staged here and packed by `mcpb pack`.

The bundle is of the type `uv`: it holds our sources and `pyproject.toml`, and the client's uv installs the requirements on
first start, at the versions that our lock names. Manifest format 0.4: https://github.com/modelcontextprotocol/mcpb.
"""

import json
import re
import shutil
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from prov_server.install.manifest import DESCRIPTION, SERVER_NAME, TITLE, WORKSPACE_DESCRIPTION, WORKSPACE_VARIABLE
from stratumops import __version__
from stratumops.errors import InvalidInputError

MANIFEST_VERSION = "0.4"
ENTRY_POINT = "launch.py"
LAUNCHER = Path("packaging") / "mcpb" / ENTRY_POINT
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)[ \t]*(?:;[ \t]*([^\\\n]+?))?[ \t]*(?:\\|$)", re.MULTILINE)


class Described(Protocol):
    """A tool or prompt, as far as a manifest shows it."""

    @property
    def name(self) -> str: ...

    @property
    def description(self) -> str: ...


def bundle_manifest(tools: Iterable[Described], project: dict[str, Any]) -> dict[str, Any]:
    """`manifest.json` of the bundle. `project` is the `[project]` table of pyproject.toml."""
    run = ["run", "--quiet", "--no-dev", "--directory", "${__dirname}", ENTRY_POINT]
    return {
        "manifest_version": MANIFEST_VERSION,
        "name": SERVER_NAME,
        "display_name": TITLE,
        "version": __version__,
        "description": DESCRIPTION,
        "long_description": project["description"],
        "author": {"name": "The stratumops authors"},
        "license": project["license"],
        "keywords": project["keywords"],
        "server": {
            "type": "uv",
            "entry_point": ENTRY_POINT,
            "mcp_config": {"command": "uv", "args": run, "env": {WORKSPACE_VARIABLE: "${user_config.workspace}"}},
        },
        "tools": [{"name": one.name, "description": one.description} for one in tools],
        # Toolsets can be switched on while the server runs.
        "tools_generated": True,
        "user_config": {
            "workspace": {
                "type": "directory",
                "title": "Workspace",
                "description": WORKSPACE_DESCRIPTION.partition(";")[0],
                "required": True,
            }
        },
        "compatibility": {"platforms": ["linux"], "runtimes": {"python": project["requires-python"]}},
    }


def locked_versions(requirements: str) -> list[str]:
    """`name==version` lines (with their markers) of a locked requirements file."""
    return [f"{name}=={version}" + (f" ; {marker}" if marker else "") for name, version, marker in _PIN.findall(requirements)]


def stage(root: Path, folder: Path, tools: Iterable[Described]) -> None:
    """Fill the empty `folder` with what goes into the bundle; `root` is a checkout.

    Raises InvalidInputError when the checkout is not whole or `folder` is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InvalidInputError(f"{folder} is not empty", hint="name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        text = (root / "pyproject.toml").read_text(encoding="utf-8")
        data = tomllib.loads(text)
        pins = locked_versions((root / "requirements" / "runtime.txt").read_text(encoding="utf-8"))
        files = [data["project"]["readme"], *data["project"]["license-files"]]
        for name in files:
            shutil.copy(root / name, folder / name)
        shutil.copy(root / LAUNCHER, folder / ENTRY_POINT)
        for package in data["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
            shutil.copytree(root / package, folder / package, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", ".*"))
    except FileNotFoundError as error:
        raise InvalidInputError(f"this is no whole checkout: {error.filename} is missing", hint="run it in a clone") from None
    # Constraints, not requirements: what is installed stays decided by pyproject.toml, at which version by our lock.
    constraints = "".join(f"  {json.dumps(pin)},\n" for pin in pins)
    (folder / "pyproject.toml").write_text(f"{text}\n[tool.uv]\nconstraint-dependencies = [\n{constraints}]\n", encoding="utf-8")
    manifest = bundle_manifest(tools, data["project"])
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
