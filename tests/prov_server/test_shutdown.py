"""No thread holds a server's process: not when its client leaves, not when it is told to stop."""

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

# A server with one tool whose thread never ends; argv: the face, the workspace.
SERVER = """
import asyncio, sys, threading
from prov_server import compose
from prov_tools.core import toolsets
from stratumops.registry import Registry
from stratumops.settings import load
from stratumops.tool import ToolInput, ToolOutput, tool
from stratumops.workspace import Workspace


class Nothing(ToolInput):
    pass


class Done(ToolOutput):
    said: str


@tool(toolset="core", title="Judge", command="judge", effect="read")
async def judge(args: Nothing, ctx: object) -> Done:
    def work() -> None:
        print("judging", file=sys.stderr, flush=True)
        threading.Event().wait()

    await asyncio.to_thread(work)
    return Done(said="never")


registry = Registry([toolsets, judge], toolsets={"core": "x"}, always=["core"])
space = Workspace.at(sys.argv[2])
if sys.argv[1] == "stdio":
    from prov_server.mcp.stdio import serve

    asyncio.run(serve(lambda: compose.build(space, load(None, nickel={"workers": 1}), registry=registry)))
else:
    from prov_server.http.serve import run_serve

    settings = load(None, nickel={"workers": 1}, server={"port": 0})
    run_serve(space, settings, no_auth=True, registry=registry, announce=lambda told: print(told.url, flush=True))
"""
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
SECONDS = 8
"""Grace for a running request (HTTP), for threads, and a slow machine."""


def start(face: str, workspace: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SERVER, face, str(workspace)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until_it_judges(process: "subprocess.Popen[str]") -> None:
    assert process.stderr is not None
    assert any("judging" in line for line in process.stderr)


def test_a_client_that_leaves_while_a_thread_judges_ends_the_process(tmp_path: Path):
    with start("stdio", tmp_path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for message in (
            {"id": 1, "method": "initialize", "params": HELLO},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/call", "params": {"name": "judge", "arguments": {}}},
        ):
            process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
            process.stdin.flush()
        try:
            wait_until_it_judges(process)
            process.stdin.close()
            assert process.wait(SECONDS) == 0
            assert json.loads(process.stdout.readline())["id"] == 1, "what was answered is not lost"
        finally:
            process.kill()


@pytest.mark.anyio
async def test_a_server_that_is_told_to_stop_while_a_thread_judges_ends(tmp_path: Path):
    with start("http", tmp_path) as process:
        assert process.stdout is not None
        try:
            host, port = process.stdout.readline().strip().removeprefix("http://").split(":")
            _, writer = await asyncio.open_connection(host, int(port))
            head = b"POST /api/v1/tools/judge HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            writer.write(head + b"Content-Length: 2\r\n\r\n{}")
            await writer.drain()
            await asyncio.to_thread(wait_until_it_judges, process)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(process.wait, SECONDS) == 0
            writer.close()
        finally:
            process.kill()
