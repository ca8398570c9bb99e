"""The same hostile bytes against `prov serve`: it answers or hangs up, and serves the next client."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from .hostile import NO_MESSAGES, RUNAWAY
from .wire import HELLO, PATIENCE, PROV, children, ended, environment, resident_bytes

pytestmark = pytest.mark.anyio

MCP_HEADERS = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@dataclass(frozen=True)
class Served:
    """A running `prov serve` and a client with its token."""

    process: asyncio.subprocess.Process
    client: httpx2.AsyncClient
    host: str
    port: int
    token: str

    async def is_serving(self) -> bool:
        answer = await self.client.post("/api/v1/tools/get_schema", json={"name": "volume"})
        return answer.status_code == 200 and answer.json()["name"] == "volume"

    async def raw(self, *parts: bytes) -> bytes:
        """Send bytes on a connection of their own; what came back until the server closed or the client had enough."""
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            for part in parts:
                writer.write(part)
                await asyncio.wait_for(writer.drain(), PATIENCE)
            writer.write_eof()
            return await asyncio.wait_for(reader.read(), PATIENCE)
        except (ConnectionResetError, BrokenPipeError):
            return b""
        finally:
            writer.close()


@pytest.fixture
async def served(workspace: Path, anyio_backend: str) -> AsyncIterator[Served]:
    async with running(workspace) as made:
        yield made


@asynccontextmanager
async def running(workspace: Path) -> AsyncIterator[Served]:
    log = workspace.parent / "stderr.txt"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(PROV, "--json", "--workspace", str(workspace), "serve", "--port", "0"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=workspace,
            env=environment(),
        )
    try:
        assert process.stdout is not None
        said = b""
        while not said.rstrip().endswith(b"}"):
            part = await asyncio.wait_for(process.stdout.readline(), PATIENCE)
            assert part, log.read_text()
            said += part
        url = urlsplit(json.loads(said)["url"])
        token = (workspace / ".prov" / "http-token").read_text().strip()
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=url.geturl(), headers=headers, timeout=PATIENCE) as client:
            yield Served(process, client, url.hostname or "", url.port or 0, token)
    finally:
        if process.returncode is None:
            process.kill()
        await asyncio.wait_for(process.wait(), PATIENCE)
    assert "Traceback" not in log.read_text()
    assert token not in log.read_text()


def request(served: Served, path: str, length: int, *headers: str) -> bytes:
    """The head of a POST that is let in."""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {served.host}:{served.port}",
        f"Authorization: Bearer {served.token}",
        f"Content-Length: {length}",
        *(f"{name}: {value}" for name, value in MCP_HEADERS.items()),
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


async def test_hostile_bodies_are_a_client_s_error_at_mcp_and_rest(served: Served):
    for path in ("/mcp", "/api/v1/tools/get_schema"):
        for body, _, _ in NO_MESSAGES:
            answer = await served.client.post(path, content=body, headers=MCP_HEADERS)
            assert 400 <= answer.status_code < 500, body[:80]
            assert "Traceback" not in answer.text
    assert await served.is_serving()


async def test_bytes_that_are_no_http_end_one_connection_only(served: Served):
    for parts in (
        [b"garbage\r\n\r\n"],
        [b"\x00" * 100_000],
        [b"\xff\xfe" * 10_000],
        [b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * (1 << 20)],
        [request(served, "/mcp", 10) + b"{"],
        [b"POST /mcp HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n"],
    ):
        answer = await served.raw(*parts)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), parts[0][:80]
    assert await served.is_serving()


async def test_a_body_of_64_megabytes_is_refused_and_never_kept(served: Served):
    assert await served.is_serving()
    before = resident_bytes(served.process.pid)
    for head in (request(served, "/mcp", 64 << 20), request(served, "/api/v1/tools/validate_config", 64 << 20)):
        answer = await served.raw(head, *[b"a" * (1 << 20)] * 64)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    endless = request(served, "/mcp", 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    answer = await served.raw(endless, *[b"100000\r\n" + b"a" * (1 << 20) + b"\r\n"] * 64)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 413")
    assert await served.is_serving()
    assert resident_bytes(served.process.pid) - before < 48 << 20


async def test_clients_that_vanish_in_the_middle_of_a_call_leave_the_server_serving(served: Served):
    body = json.dumps({"config": RUNAWAY}).encode()
    for _ in range(8):
        _, writer = await asyncio.open_connection(served.host, served.port)
        writer.write(request(served, "/api/v1/tools/validate_config", len(body)) + body)
        await writer.drain()
        writer.transport.abort()
    assert await served.is_serving()
    answer = await served.client.post("/api/v1/tools/validate_config", json={"config": "{}"})
    assert answer.status_code == 200


async def test_two_requests_with_one_id_and_an_unknown_session_are_answered(served: Served):
    opened = await served.client.post("/mcp", json=message(1, "initialize", HELLO), headers=MCP_HEADERS)
    session = MCP_HEADERS | {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
    call = message(7, "tools/call", {"name": "get_schema", "arguments": {"name": "volume"}})
    # The SDK answers one of them; the other, which only such a client is waiting for, ends with its connection.
    twins = [asyncio.create_task(served.client.post("/mcp", json=call, headers=session)) for _ in range(2)]
    done, waiting = await asyncio.wait(twins, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    assert {twin.result().status_code for twin in done} <= {200, 400, 409}
    assert done
    for twin in waiting:
        twin.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    unknown = await served.client.post("/mcp", json=call, headers=MCP_HEADERS | {"Mcp-Session-Id": "0" * 32})
    assert unknown.status_code == 404
    assert await served.is_serving()


async def test_a_signal_ends_the_server_cleanly_and_leaves_no_worker_behind(served: Served):
    assert (await served.client.get("/ready")).status_code == 200
    calling = asyncio.create_task(served.client.post("/api/v1/tools/validate_config", json={"config": RUNAWAY}))
    assert await served.is_serving()
    workers = [os.pidfd_open(pid) for pid in children(served.process.pid)]
    assert workers
    served.process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(10):
        assert await served.process.wait() == 0
    await asyncio.gather(calling, return_exceptions=True)
    await ended(workers)


def message(number: int, method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
