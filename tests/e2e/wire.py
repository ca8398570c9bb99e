"""`prov mcp serve` at the other end of two pipes, spoken to byte by byte."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

PROV = str(Path(sys.executable).with_name("prov"))
PATIENCE = 30
"""Seconds after which a missing answer is a failure."""

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


def environment() -> dict[str, str]:
    """The test's environment without what steers the product."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PROV_")}


def children(pid: int) -> set[int]:
    """The processes that a process started and that still run, as the kernel lists them."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            state, parent = _stat(int(entry.name))
            if parent == pid and state != "Z":
                found.add(int(entry.name))
    return found


async def ended(handles: list[int]) -> None:
    """Wait until the processes of these handles (`os.pidfd_open`) have ended; the handles are closed."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(PATIENCE):
        for handle in handles:
            over = asyncio.Event()
            loop.add_reader(handle, over.set)
            await over.wait()
            loop.remove_reader(handle)
            os.close(handle)


def _stat(pid: int) -> tuple[str, int]:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    except OSError:
        return "", 0
    return fields[0], int(fields[1])


def resident_bytes(pid: int) -> int:
    """The most memory that a process has held at once."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) << 10 for line in status.splitlines() if line.startswith("VmHWM"))


class Wire:
    """One server process and its lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen: list[dict[str, Any]] = []
        """Every message so far."""
        self._ids = 0

    @property
    def pid(self) -> int:
        return self.process.pid

    async def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await asyncio.wait_for(self.process.stdin.drain(), PATIENCE)

    async def ask(self, method: str, params: Any = None) -> int:
        """Send a request and answer its id."""
        self._ids += 1
        await self.send(line({"jsonrpc": "2.0", "id": self._ids, "method": method, "params": params or {}}))
        return self._ids

    async def receive(self) -> dict[str, Any]:
        """The next message."""
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(await asyncio.wait_for(self.process.stdout.readline(), PATIENCE))
        self.seen.append(message)
        return message

    async def answer(self, to: object) -> dict[str, Any]:
        """The answer with this id, after whatever else comes before it."""
        while "method" in (message := await self.receive()) or message["id"] != to:
            pass
        return message

    async def request(self, method: str, params: Any = None) -> dict[str, Any]:
        return await self.answer(await self.ask(method, params))

    async def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """A tool's result: its structured content, or its error."""
        message = await self.request("tools/call", {"name": tool, "arguments": arguments})
        result: dict[str, Any] = message["result"]
        return json.loads(result["content"][0]["text"]) if result.get("isError") else result["structuredContent"]

    async def greet(self) -> None:
        """The older era's handshake."""
        await self.request("initialize", HELLO)
        await self.send(line({"jsonrpc": "2.0", "method": "notifications/initialized"}))

    async def leave(self) -> tuple[int, str]:
        """Close stdin; the exit code, and all that the server wrote to stderr."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return await self.end()

    async def end(self) -> tuple[int, str]:
        """The exit code and stderr of a server that is ending."""
        out, err = self.process.stdout, self.process.stderr
        assert out is not None
        assert err is not None
        async with asyncio.timeout(PATIENCE):
            _, said = await asyncio.gather(out.read(), err.read())
            return await self.process.wait(), said.decode()


def line(message: Any) -> bytes:
    return json.dumps(message).encode() + b"\n"


@asynccontextmanager
async def serving(workspace: Path, *options: str) -> AsyncIterator[Wire]:
    """A server in a workspace; it is killed if the test did not end it."""
    process = await asyncio.create_subprocess_exec(
        *(PROV, "mcp", "serve", "--workspace", str(workspace), *options),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=workspace,
        env=environment(),
        limit=64 << 20,
    )
    try:
        yield Wire(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()
