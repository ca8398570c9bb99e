"""The .mcpb bundle: packed by the real `mcpb`, holding what uv needs to start the server."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import NamedTuple

import anyio
import pytest

from peers import ROOT, environment, node_tool
from prov_server.install.bundle import bundle_manifest, locked_versions, stage
from prov_server.install.handshake import handshake
from prov_tools.registry import REGISTRY
from stratumops import __version__
from stratumops.errors import InvalidInputError

pytestmark = pytest.mark.anyio


class Described(NamedTuple):
    name: str
    description: str


TOOLS = [Described("generate_config", "Turn words into Nickel."), Described("validate_config", "Check a configuration.")]
LOCKED = """\
# made by a program
attrs==26.1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via jsonschema
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
plain==1
"""


def test_versions_are_read_from_the_lock_with_their_markers():
    assert locked_versions(LOCKED) == ["attrs==26.1.0", "colorama==0.4.6 ; sys_platform == 'win32'", "plain==1"]


def test_every_locked_requirement_is_a_constraint_of_the_bundle(tmp_path: Path):
    stage(ROOT, tmp_path, TOOLS)
    staged = tomllib.loads((tmp_path / "pyproject.toml").read_text(encoding="utf-8"))
    original = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    constraints = staged["tool"]["uv"].pop("constraint-dependencies")
    locked = re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8"))
    assert [line.partition("==")[0] for line in constraints] == locked
    assert {"mcp", "pydantic", "py-nickel"} <= set(locked)
    del staged["tool"]["uv"]
    assert staged == original


def test_the_bundle_holds_the_sources_and_nothing_that_is_private(tmp_path: Path):
    stage(ROOT, tmp_path / "new", TOOLS)
    names = {path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*")}
    assert {"manifest.json", "launch.py", "pyproject.toml", "README.md", "LICENSE", "server/prov_server/entry.py"} <= names
    assert {"server/prov_server/install/clients.toml", "core/stratumops/errors.py"} <= names
    assert not [name for name in names if "__pycache__" in name or "/." in name or name.startswith(("tests", "."))]


def test_the_manifest_lists_the_tools_it_is_given():
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = bundle_manifest(TOOLS, facts)
    assert manifest["tools"] == [tool._asdict() for tool in TOOLS]
    assert (manifest["version"], manifest["server"]["type"]) == (__version__, "uv")
    assert manifest["server"]["mcp_config"]["args"][-1] == manifest["server"]["entry_point"]
    assert set(manifest["user_config"]) == {"workspace"}


def test_a_folder_that_is_in_use_is_not_staged_into(tmp_path: Path):
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InvalidInputError, match="not empty"):
        stage(ROOT, tmp_path, TOOLS)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_half_a_checkout_is_an_error_that_names_what_is_missing(tmp_path: Path):
    with pytest.raises(InvalidInputError, match=r"pyproject\.toml"):
        stage(tmp_path / "nothing", tmp_path / "new", TOOLS)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    environment("mcpb")  # skips where it cannot be installed
    target = tmp_path_factory.mktemp("bundle") / "stratumops.mcpb"
    program = [sys.executable, ROOT / "scripts" / "build_mcpb.py", target]
    done = subprocess.run(program, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(target)
    return target


def test_the_built_bundle_is_valid_and_lists_every_tool(built: Path):
    with zipfile.ZipFile(built) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert manifest["server"]["entry_point"] in archive.namelist()
        assert "generators/prov_gen/findings.py" in archive.namelist()
    assert [(one["name"], one["description"]) for one in manifest["tools"]] == [(one.name, one.description) for one in REGISTRY]
    assert built.stat().st_size < 4 << 20


async def test_an_unpacked_bundle_starts_with_uv_as_a_desktop_client_would_start_it(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    unpacked = tmp_path / "unpacked"
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with zipfile.ZipFile(built) as archive:
        archive.extractall(unpacked)
        launch = json.loads(archive.read("manifest.json"))["server"]["mcp_config"]
    uv = Path(sys.executable).with_name(launch["command"])
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    monkeypatch.setenv("PROV_WORKSPACE", str(workspace))
    # As pip does: a machine's own certificates count.
    monkeypatch.setenv("UV_SYSTEM_CERTS", "true")
    sync = [uv, "sync", "--no-dev", "--directory", unpacked, "--python", sys.executable]
    synced = await anyio.run_process(sync, check=False)
    said = synced.stderr.decode()
    if synced.returncode != 0 and re.search("(?i)failed to fetch|error sending request|dns|connect", said):
        pytest.skip("the bundle's requirements cannot be installed: no package registry is reachable")
    assert synced.returncode == 0, said
    met = await handshake(str(uv), [arg.replace("${__dirname}", str(unpacked)) for arg in launch["args"]], folder=tmp_path)
    assert (met.server, met.version) == ("stratumops", __version__)
    assert "generate_config" in met.tools


def test_the_bundle_tool_refuses_a_manifest_without_a_server(tmp_path: Path):
    facts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    manifest = bundle_manifest(TOOLS, facts)
    path = tmp_path / "manifest.json"
    for wrong, code in (({}, 0), ({"server": {}}, 1)):
        path.write_text(json.dumps({**manifest, **wrong}), encoding="utf-8")
        done = subprocess.run([*node_tool("mcpb"), "validate", path], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == code, done.stdout + done.stderr
