"""`run_serve` as a process: what it announces, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from prov_server.http.serve import run_serve
from stratumops.errors import PermissionDeniedError, UnavailableError
from stratumops.settings import load
from stratumops.workspace import Workspace

PROGRAM = """
import dataclasses, json, sys
from pathlib import Path
from prov_server.http.serve import run_serve
from stratumops import logging
from stratumops.settings import load
from stratumops.workspace import Workspace

def announce(what):
    print(json.dumps(dataclasses.asdict(what), default=str), flush=True)

logging.configure(level="debug", format="json")
settings = load(None, server={"port": 0}, nickel={"workers": 1})
run_serve(Workspace.at(sys.argv[1]), settings, no_auth="--no-auth" in sys.argv, announce=announce)
print("ended", flush=True)
"""


@contextmanager
def serving(folder, *options):
    """A server process and what it announced; killed if a test leaves it running."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    errors = []
    reader = threading.Thread(target=lambda: errors.extend(process.stderr))
    reader.start()
    try:
        line = process.stdout.readline()
        yield process, json.loads(line) if line else None, errors
    finally:
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()
        process.stderr.close()


def children(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False).stdout.split()
    return [int(one) for one in found]


def end(process, one):
    """Send the signal; seconds until the process has ended by itself, and its last words."""
    started = time.monotonic()
    process.send_signal(one)
    last = process.stdout.read()
    assert process.wait(timeout=10) == 0
    assert last == "ended\n"
    return time.monotonic() - started


def get(url, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.get(url, headers=headers, timeout=20)


def test_the_token_is_announced_on_the_first_start_and_never_again(tmp_path):
    with serving(tmp_path) as (process, first, _):
        token = first["token"]
        assert first["mcp_url"] == first["url"] + "/mcp"
        assert first["token_file"] == str(tmp_path.resolve() / ".prov" / "http-token")
        assert get(first["url"] + "/api/v1/tools").status_code == 401
        assert get(first["url"] + "/api/v1/tools", token).status_code == 200
        end(process, signal.SIGTERM)
    with serving(tmp_path) as (process, second, errors):
        assert second["token"] is None
        assert get(second["url"] + "/api/v1/tools?canary=query", token).status_code == 200
        end(process, signal.SIGTERM)
    logged = "".join(errors)
    assert '"event": "http_request"' in logged
    assert token not in logged
    assert "canary" not in logged


def test_without_authentication_no_token_is_made(tmp_path):
    with serving(tmp_path, "--no-auth") as (process, said, _):
        assert (said["token"], said["token_file"]) == (None, None)
        assert get(said["url"] + "/api/v1/tools").status_code == 200
        end(process, signal.SIGINT)
    assert not (tmp_path / ".prov" / "http-token").exists()


@pytest.mark.parametrize("one", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_its_workers_within_five_seconds_in_spite_of_open_streams(tmp_path, one):
    with serving(tmp_path, "--no-auth") as (process, said, errors):
        host, port = said["url"].removeprefix("http://").split(":")
        assert get(said["url"] + "/ready").status_code == 200
        workers = children(process.pid)
        assert workers
        headers = {"Accept": "application/json, text/event-stream"}
        initialize = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize}
        session = httpx2.post(said["mcp_url"], json=body, headers=headers, timeout=20).headers["mcp-session-id"]
        stream = {"Accept": "text/event-stream", "Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        with (
            httpx2.stream("GET", said["mcp_url"], headers=stream, timeout=20) as listening,
            socket.create_connection((host, int(port))) as idle,
            socket.create_connection((host, int(port))) as half,
        ):
            assert listening.status_code == 200
            half.sendall(b"POST /api/v1/tools/toolsets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
            seconds = end(process, one)
            assert idle.recv(10) == b""
        assert seconds < 5
    assert [pid for pid in workers if Path(f"/proc/{pid}").exists()] == []
    assert "ASGI" not in "".join(errors)
    assert "Traceback" not in "".join(errors)


def test_a_taken_port_is_refused_before_a_token_is_made(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = load(None, server={"port": taken.getsockname()[1]})
        with pytest.raises(UnavailableError, match="is taken"):
            run_serve(Workspace.at(tmp_path), settings, no_auth=False, announce=print)
    assert not (tmp_path / ".prov").exists()


def test_a_token_file_that_others_can_read_stops_the_start(tmp_path):
    own = Workspace.at(tmp_path).make_own()
    (own / "http-token").write_text("x" * 40)
    (own / "http-token").chmod(0o644)
    with pytest.raises(PermissionDeniedError):
        run_serve(Workspace.at(tmp_path), load(None, server={"port": 0}), no_auth=False, announce=print)


def test_nothing_of_http_is_imported_for_stdio():
    program = (
        "import sys, prov_server.mcp.stdio, prov_server.compose\n"
        "print([name for name in sys.modules if name.startswith('prov_server.http')])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"
