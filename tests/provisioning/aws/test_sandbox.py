"""The sandbox: one process of a workspace, on loopback, that the next command finds again."""

import http.client
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from provisioning.providers.sandbox import process as module
from provisioning.providers.sandbox.process import WHO, Sandbox
from provisioning.providers.sandbox.provider import SandboxProvider
from provisioning.providers.sandbox.server import Door, images
from stratumops.errors import UnavailableError


def until(holds: Callable[[], bool], limit: float = 30) -> None:
    end = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path / "sandbox")
    yield sandbox
    sandbox.stop()


def test_there_is_none_until_it_is_asked_for(sandbox: Sandbox):
    assert sandbox.status() is None
    assert not sandbox.stop()


def test_it_starts_once_however_many_ask_at_the_same_time(sandbox: Sandbox):
    with ThreadPoolExecutor(4) as pool:
        urls = set(pool.map(lambda _: Sandbox(sandbox.folder).ensure(), range(4)))
    assert len(urls) == 1
    running = sandbox.status()
    assert running is not None
    assert running.url in urls
    assert sandbox.stop()
    assert sandbox.status() is None


def test_it_survives_the_command_that_started_it_with_its_cloud(sandbox: Sandbox):
    code = f"""
from pathlib import Path
from provisioning.providers.sandbox.provider import SandboxProvider
provider = SandboxProvider(Path({str(sandbox.folder)!r}))
provider._at().call("ec2", "create_vpc", CidrBlock="10.77.0.0/16")
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    subprocess.run([sys.executable, "-c", code], check=True, timeout=90, env=environment, stdin=subprocess.DEVNULL)
    assert sandbox.status() is not None
    provider = SandboxProvider(sandbox.folder)
    found = provider.find_by_tag({}, kinds=frozenset({"vpc"}))
    assert "10.77.0.0/16" in [one.values["cidr"] for one in found]
    assert provider.version.endswith("sandbox")
    provider.close()


def test_its_files_are_its_owners_alone(sandbox: Sandbox):
    sandbox.ensure()
    assert stat.S_IMODE(sandbox.folder.stat().st_mode) == 0o700
    for file in sandbox.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


def _get(url: str, path: str, **headers: str) -> int:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_it_answers_programs_of_this_machine_and_no_page_of_the_internet(sandbox: Sandbox):
    url = sandbox.ensure()
    assert _get(url, WHO) == 200
    assert _get(url, WHO, Host="evil.example") == 403
    assert _get(url, "/moto-api/", Host="evil.example:80") == 403
    assert _get(url, WHO, Origin="https://evil.example") == 403


def test_a_file_of_a_process_that_is_gone_is_no_sandbox(sandbox: Sandbox):
    sandbox.ensure()
    running = sandbox.status()
    assert running is not None
    os.kill(running.pid, signal.SIGKILL)
    until(lambda: sandbox.status() is None)
    assert (sandbox.folder / "sandbox.json").exists()
    sandbox.ensure()
    after = sandbox.status()
    assert after is not None
    assert after.pid != running.pid


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"port": "x", "pid": 1, "started_at": 0}', '{"pid": 1}'])
def test_a_damaged_file_is_no_sandbox_and_nobody_is_ended_by_it(sandbox: Sandbox, text: str):
    sandbox.folder.mkdir()
    (sandbox.folder / "sandbox.json").write_text(text)
    assert sandbox.status() is None
    assert not sandbox.stop()


def test_another_server_on_the_port_is_not_taken_for_it(sandbox: Sandbox, endpoint: str):
    sandbox.folder.mkdir()
    told = {"port": urlsplit(endpoint).port, "pid": os.getpid(), "started_at": 0}
    (sandbox.folder / "sandbox.json").write_text(json.dumps(told))
    assert sandbox.status() is None
    assert not sandbox.stop()


def test_it_ends_by_itself_when_nobody_calls(tmp_path: Path):
    command = [sys.executable, "-m", "provisioning.providers.sandbox.server", str(tmp_path), "0.5"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL) as process:
        try:
            assert process.wait(60) == 0
        finally:
            process.kill()
    assert not (tmp_path / "sandbox.json").exists()


def test_a_missing_package_is_told_with_how_to_get_it(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_MODULES", ("boto3", "no_such_package"))
    with pytest.raises(UnavailableError, match="no_such_package") as caught:
        sandbox.ensure()
    assert "stratumops[sandbox]" in caught.value.hint


def test_a_server_that_does_not_start_says_why(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "moto").mkdir()
    (tmp_path / "moto" / "__init__.py").write_text("raise RuntimeError('moto is broken')")
    path = os.pathsep.join([str(tmp_path), *(one for one in sys.path if one)])
    monkeypatch.setattr(module, "_environment", lambda: {**os.environ, "PYTHONPATH": path})
    with pytest.raises(UnavailableError, match="moto is broken") as caught:
        sandbox.ensure()
    assert "sandbox.log" in caught.value.hint


def test_it_has_an_image_of_every_release_and_no_two_of_one_id():
    listed = images()
    assert len({image["ami_id"] for image in listed}) == len(listed)
    assert {image["architecture"] for image in listed} == {"x86_64", "arm64"}


def test_looking_whether_it_runs_is_no_use_of_it():
    door = Door(lambda _, __: [b""])
    door.called_at = 0.0
    statuses: list[str] = []
    list(door({"HTTP_HOST": "127.0.0.1:80", "PATH_INFO": WHO}, lambda status, _: statuses.append(status)))
    assert door.called_at == 0.0
    list(door({"HTTP_HOST": "127.0.0.1:80", "PATH_INFO": "/"}, lambda status, _: statuses.append(status)))
    assert door.called_at > 0
    assert statuses == ["200 OK"]
