"""The doctor meets the real server, the real Nickel and real files, and says what to do about what is wrong."""

import http.server
import json
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from prov_server import compose
from prov_server.install import find_client, install, running_command
from prov_server.install.doctor import Check, _clients, _command, _permissions, _port, doctor, examine
from prov_server.install.handshake import handshake
from stratumops import __version__
from stratumops.errors import InvalidInputError, UnavailableError
from stratumops.settings import Settings
from stratumops.settings_groups import NickelSettings, ServerSettings
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def by_name(checks: list[Check]) -> dict[str, Check]:
    assert all(bool(check.fix) == (check.status != "ok") for check in checks), checks
    return {check.name: check for check in checks}


def quick(port: int = 0) -> Settings:
    return Settings(server=ServerSettings(port=port))


def test_a_healthy_checkout_passes_every_check(workspace: Path, tmp_path: Path):
    install(find_client("cursor"), command=running_command(), home=tmp_path)
    found = by_name(doctor(workspace, quick(), home=tmp_path))
    names = ["python", "command", "workspace", "settings", "sandbox", "nickel", "server", "port", "client cursor", "files"]
    assert list(found) == names
    assert {name: check for name, check in found.items() if check.status == "fail"} == {}
    server = found["server"].message
    assert server.startswith(f"stratumops {__version__}, protocol 20")
    assert " ms, " in server
    assert "tools after" in server
    assert "Landlock, ABI" in found["sandbox"].message


async def test_the_handshake_measures_a_real_server(workspace: Path):
    met = await handshake(running_command(), ["mcp", "serve"], folder=workspace)
    assert 0 < met.initialize_seconds < met.tools_seconds
    assert {"generate_config", "validate_config"} <= set(met.tools)


@pytest.mark.parametrize(
    ("command", "args", "said"),
    [
        ("/nowhere/prov", [], "No such file"),
        (sys.executable, ["-c", "import sys; sys.exit('no module named prov_server')"], "no module named prov_server"),
        (sys.executable, ["-c", "print('hello, I am no server')"], "did not answer"),
        (sys.executable, ["-c", "import sys; sys.stdin.read()"], "within 2 seconds"),
    ],
)
async def test_a_program_that_is_no_server_is_an_error_that_tells_what_it_said(
    command: str, args: list[str], said: str, workspace: Path, caplog: pytest.LogCaptureFixture
):
    with pytest.raises(UnavailableError, match=said) as caught:
        await handshake(command, args, folder=workspace, limit=2)
    assert caught.value.hint.startswith("run it by hand: ")
    assert caplog.records == []


async def test_wrong_settings_are_told_and_the_rest_is_still_examined(workspace: Path, tmp_path: Path):
    (workspace / "prov.toml").write_text('[server]\nport = "many"\n', encoding="utf-8")
    found = by_name(await examine(workspace, home=tmp_path))
    assert found["settings"].status == "fail"
    assert "server.port" in found["settings"].message
    assert found["server"].status == "fail"
    assert found["nickel"].status == "ok"


async def test_a_workspace_that_is_not_there_is_told_before_anything_is_started(tmp_path: Path):
    found = by_name(await examine(tmp_path / "gone", quick(), home=tmp_path))
    assert found["workspace"].status == "fail"
    assert "server" not in found


@pytest.mark.parametrize("program", ["/nowhere/nickel", "no-such-nickel", "tools/nickel"])
async def test_a_nickel_program_that_is_none_is_told_as_a_server_would(workspace: Path, tmp_path: Path, program: str):
    settings = Settings(server=ServerSettings(port=0), nickel=NickelSettings(program=program, deadline_seconds=5))
    with pytest.raises(InvalidInputError) as caught:
        compose.build(Workspace.at(workspace), settings)
    found = by_name(await examine(workspace, settings, home=tmp_path))
    assert found["nickel"].status == "fail"
    assert caught.value.message in found["nickel"].message
    assert found["nickel"].fix == caught.value.hint


def test_a_free_port_is_ok_and_a_stranger_on_it_is_a_warning():
    port = free_port()
    assert _port(quick(port)).status == "ok"
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = stranger.getsockname()[1]
        check = _port(quick(taken))
    assert check.status == "warn"
    assert f"server.port {taken + 1}" in check.fix


class Health(http.server.BaseHTTPRequestHandler):
    """Answers /health as `prov serve` does."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ok"}).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Nothing: a test's output is its result."""


@pytest.fixture
def health() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Health) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_our_own_server_on_the_port_is_ok(health: int):
    check = _port(quick(health))
    assert (check.status, "answers" in check.message) == ("ok", True)


def test_clients_are_found_and_what_they_would_start_is_tried(workspace: Path, tmp_path: Path):
    install(find_client("zed"), command=running_command(), home=tmp_path)
    install(find_client("codex"), command="/gone/bin/prov", home=tmp_path)
    install(find_client("vscode"), command="${workspaceFolder}/.venv/bin/prov", scope="project", project=workspace)
    install(find_client("cursor"), command="${env:HOME}/bin/prov", home=tmp_path)
    broken = find_client("kiro").config_path(home=tmp_path)
    broken.parent.mkdir(parents=True)
    broken.write_text("{ oops", encoding="utf-8")
    found = by_name(_clients(workspace, None, tmp_path))
    assert {name: check.status for name, check in found.items()} == {
        "client cursor": "ok",
        "client vscode (project)": "fail",
        "client zed": "ok",
        "client codex": "fail",
        "client kiro": "fail",
    }
    assert found["client codex"].fix == "prov mcp install --client codex"
    assert "line 1, column 3" in found["client kiro"].message


def test_a_clones_own_file_works_when_its_environment_is_on_path(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    program = workspace / ".venv" / "bin" / "prov"
    program.parent.mkdir(parents=True)
    program.symlink_to(running_command())
    install(find_client("claude-code"), command="prov", scope="project", project=workspace)
    install(find_client("vscode"), command="${workspaceFolder}/.venv/bin/prov", scope="project", project=workspace)
    monkeypatch.setenv("PATH", "/usr/bin")
    found = by_name(_clients(workspace, None, tmp_path))
    assert found["client vscode (project)"].status == "ok"
    assert found["client claude-code (project)"].status == "warn"
    assert str(program.parent) in found["client claude-code (project)"].fix
    monkeypatch.setenv("PATH", str(program.parent))
    assert by_name(_clients(workspace, None, tmp_path))["client claude-code (project)"].status == "ok"


def test_one_client_is_asked_for_in_particular(workspace: Path, tmp_path: Path):
    found = by_name(_clients(workspace, find_client("claude-code"), tmp_path))
    assert found["client claude-code"].status == "fail"
    assert found["client claude-code"].fix == "prov mcp install --client claude-code"
    found = by_name(_clients(workspace, None, tmp_path))
    assert found["clients"].status == "warn"


def test_files_that_others_could_read_are_told_with_the_command_that_mends_them(workspace: Path):
    own = workspace / ".prov"
    own.mkdir(mode=0o700)
    own.chmod(0o700)
    token = own / "token"
    token.write_text("t0p-s3cret", encoding="utf-8")
    token.chmod(0o600)
    assert by_name(list(_permissions(own)))["files"].status == "ok"
    token.chmod(0o644)
    own.chmod(0o755)
    checks = list(_permissions(own))
    assert [(check.status, check.fix) for check in checks] == [("fail", f"chmod 700 {own}"), ("fail", f"chmod 600 {token}")]
    assert "t0p-s3cret" not in repr(checks)


def test_the_command_on_path_is_compared_with_the_one_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", f"{Path(running_command()).parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    assert by_name(list(_command()))["command"].status == "ok"
    other = tmp_path / "bin" / "prov"
    other.parent.mkdir()
    other.write_text("#!/bin/sh\n", encoding="utf-8")
    other.chmod(0o700)
    monkeypatch.setenv("PATH", f"{other.parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    check = by_name(list(_command()))["command"]
    assert check.status == "warn"
    assert str(other) in check.message
