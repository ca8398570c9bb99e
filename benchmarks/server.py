"""The product as a client starts it (a process over stdio) and as the benchmarks hold it (an application in this process)."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from benchmarks.measure import NotMeasuredError

if TYPE_CHECKING:
    from prov_server.compose import Application

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "benchmarks", "version": "1"}},
}


def prov(*arguments: str) -> list[str]:
    """The command line of `prov` as it is installed beside this Python, else as a module."""
    program = Path(sys.executable).with_name("prov")
    return [str(program), *arguments] if program.is_file() else [sys.executable, "-m", "prov_server", *arguments]


@contextmanager
def workspace() -> Iterator[Path]:
    """An empty folder for one measurement."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        yield Path(folder)


def environment(folder: Path) -> dict[str, str]:
    """The environment of a child: this one, without settings of ours, and with a workspace."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PROV_")}
    return kept | {"PROV_WORKSPACE": str(folder)}


class StdioServer:
    """A server as a child process, spoken to in JSON lines."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder, env=environment(folder)
        )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._stdin: IO[bytes] = self.process.stdin
        self._stdout: IO[bytes] = self.process.stdout
        self._last = 0

    def send(self, message: dict[str, Any]) -> None:
        """Write one message."""
        self._stdin.write(json.dumps(message).encode() + b"\n")
        self._stdin.flush()

    def receive(self, number: int) -> dict[str, Any]:
        """The answer with that id. Raises NotMeasuredError for an error or when the server ends."""
        for line in self._stdout:
            message: dict[str, Any] = json.loads(line)
            if message.get("id") == number and "method" not in message:
                if "error" in message:
                    raise NotMeasuredError(f"the server answered {message['error'].get('message', 'an error')}")
                return message
        raise NotMeasuredError("the server ended without an answer")

    def ask(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """The result of one request."""
        self._last += 1
        self.send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params or {}})
        result: dict[str, Any] = self.receive(self._last)["result"]
        return result

    def initialize(self) -> None:
        """Send `initialize` and wait for its answer."""
        self.send(INITIALIZE)
        self.receive(0)

    def close(self) -> None:
        """End the process; our own goes when its input does."""
        self._stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._stdout.close()


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[StdioServer]:
    """A child server for the length of a `with` block."""
    server = StdioServer(command, folder)
    try:
        yield server
    finally:
        server.close()


@asynccontextmanager
async def application() -> "AsyncIterator[Application]":
    """An application with warm workers, over an empty workspace and the default settings."""
    from prov_server import compose
    from stratumops import logging
    from stratumops.settings import Settings
    from stratumops.workspace import Workspace

    logging.configure()
    with workspace() as folder:
        app = compose.build(Workspace.at(folder), Settings.model_construct())
        try:
            await app.ready()
            yield app
        finally:
            await app.aclose()


async def answer(app: "Application", tool: str, **arguments: Any) -> Any:
    """A tool's answer through the whole chain. Raises NotMeasuredError where the tool fails: a failure is no measurement."""
    from stratumops.errors import StratumError
    from stratumops.principal import LOCAL

    try:
        return await app.call(tool, arguments, principal=LOCAL, face="mcp")
    except StratumError as error:
        raise NotMeasuredError(f"{tool}: {error.message}") from error
