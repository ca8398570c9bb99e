"""Hostile and clumsy clients: rebinding, size, slowness, garbage. The server keeps serving and tells nothing of itself."""

import asyncio
import socket

import httpx2
import pytest
from structlog.testing import capture_logs

from prov_server.http import security
from prov_server.http.hosts import KnownHosts
from prov_server.http.observe import Observe
from prov_server.http.protocol import BoundedProtocol
from prov_server.measure import Metrics
from stratumops.errors import InvalidInputError

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("path", ["/health", "/api/v1/tools", "/mcp", "/metrics"])
async def test_a_host_that_is_not_ours_is_misdirected_on_every_address(start, path):
    async with start() as served:
        for host in (
            "evil.example",
            "evil.example:8002",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "169.254.169.254",
            "",
        ):
            answer = await served.client.get(path, headers={"Host": host})
            assert answer.status_code == 421, host
            assert answer.json()["error"]["code"] == "misdirected_request"


async def test_a_page_of_another_origin_is_refused_and_no_page_may_read_answers(start):
    async with start() as served:
        for origin in (
            "http://evil.example",
            "null",
            "https://localhost.evil.example",
            "file://",
            "http://localhost@evil.example",
            "http://localhost:3000",
            "http://127.0.0.1",
            "http://[::1]:3000",
        ):
            answer = await served.client.get("/api/v1/tools", headers={"Origin": origin})
            assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied"), origin
        own = await served.client.get("/api/v1/tools", headers={"Origin": served.url})
        preflight = await served.client.options("/api/v1/tools", headers={"Origin": served.url})
    assert own.status_code == 200
    assert preflight.status_code == 405
    assert not [name for name in own.headers if name.startswith("access-control")]


async def test_a_page_of_another_local_program_runs_no_tool_even_where_nobody_needs_a_token(start):
    async with start(no_auth=True) as served:
        for headers in ({"Origin": "http://localhost:3000"}, {"Origin": "http://127.0.0.1:3000"}):
            answer = await served.client.post("/api/v1/tools/toolsets", headers=headers)
            assert answer.status_code == 403
        port = served.address[1]
        own = {"Origin": f"http://localhost:{port}", "Content-Type": "application/json"}
        assert (await served.client.post("/api/v1/tools/toolsets", headers=own)).status_code == 200


def test_an_origin_is_ours_at_our_port_or_by_the_list():
    hosts = KnownHosts("prov.internal", ["a.example.org", "b.example.org:8443"])

    def ours(origin, port=8002):
        return hosts.knows_origin(origin, arrived_at="192.0.2.7", port=port)

    for origin in ("http://localhost:8002", "https://192.0.2.7:8002", "http://prov.internal:8002", "http://[::1]:8002"):
        assert ours(origin), origin
    assert ours("https://a.example.org")
    assert ours("https://b.example.org:8443")
    assert ours("https://localhost", 443)
    for origin in ("http://localhost", "http://localhost:8003", "http://prov.internal", "https://b.example.org", "null", ""):
        assert not ours(origin), origin
    assert not ours("http://localhost:8002", None)


def test_names_for_loopback_and_the_address_of_arrival_are_always_ours():
    hosts = KnownHosts("0.0.0.0", [])
    for header in ("localhost", "LOCALHOST:1", "127.0.0.1:8002", "127.8.8.8", "[::1]:9", "192.0.2.7:8002"):
        assert hosts.knows_host(header, scheme="http", arrived_at="192.0.2.7"), header
    assert hosts.knows_host("192.0.2.7:1", scheme="http", arrived_at="::ffff:192.0.2.7")
    assert hosts.knows_host(socket.gethostname(), scheme="http", arrived_at="192.0.2.7")
    for header in ("192.0.2.8", "localhost:1:2", "[::1", "a b", "localhost/", "user@localhost", "localhost:999999", "[fe80::1]"):
        assert not hosts.knows_host(header, scheme="http", arrived_at="192.0.2.7"), header


def test_an_allowed_host_with_a_port_wants_that_port_and_one_without_takes_any():
    hosts = KnownHosts("prov.internal", ["a.example.org:8002", "b.example.org", "c.example.org:*", "d.example.org:443"])
    ours = ["A.example.org.:8002", "b.example.org:1", "c.example.org", "d.example.org", "prov.internal:5"]
    assert [host for host in ours if hosts.knows_host(host, scheme="https", arrived_at="192.0.2.7")] == ours
    for header in ("a.example.org", "a.example.org:8003", "d.example.org:80", "example.org"):
        assert not hosts.knows_host(header, scheme="https", arrived_at="192.0.2.7"), header
    assert not hosts.knows_host("d.example.org", scheme="http", arrived_at="192.0.2.7")
    with pytest.raises(InvalidInputError, match="allowed_hosts"):
        KnownHosts("127.0.0.1", ["https://prov.example.org/"])


async def test_a_body_over_the_limit_is_refused_declared_or_not(start):
    async def chunks():
        for _ in range(40):
            yield b" " * 100

    async with start(server={"max_request_bytes": 2048}) as served:
        for path in ("/api/v1/tools/echo", "/mcp"):
            headers = {"Content-Type": "application/json"}
            declared = await served.client.post(path, content=b" " * 4000, headers=headers)
            streamed = await served.client.post(path, content=chunks(), headers=headers)
            for answer in (declared, streamed):
                assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large"), path
        assert (await served.call("echo", text="x" * 1500)).status_code == 200


async def test_ten_megabytes_are_refused_with_the_settings_as_they_come(start):
    async with start() as served:
        answer = await served.call("echo", text="x" * 10_000_000)
        after = await served.call("echo", text="x")
    assert (answer.status_code, after.status_code) == (413, 200)


async def test_an_unauthenticated_body_is_not_even_read(start):
    async with start() as served:
        head = b"POST /api/v1/tools/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\nConnection: close\r\n\r\n"
        assert b" 401 " in (await served.raw(head)).splitlines()[0]


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100,
        b"GARBAGE\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
    ],
    ids=["TLS", "word", "long header", "long target", "two hosts", "no host", "two lengths", "negative length", "NUL"],
)
async def test_what_is_not_http_gets_400_in_our_shape_and_the_server_goes_on(start, data):
    async with start() as served:
        answer = await served.raw(data)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b'{"error":{"code":"bad_request"' in answer
        assert b"server:" not in answer.lower()
        assert (await served.call("echo", text="alive")).status_code == 200


async def test_garbage_behind_a_request_that_is_being_answered_ends_only_that_connection(start, caplog):
    async with start() as served:
        authorization = served.client.headers["authorization"]
        head = f"POST /api/v1/tools/wait HTTP/1.1\r\nHost: localhost\r\nAuthorization: {authorization}\r\n"
        head += "Content-Type: application/json\r\n"
        _, writer = await asyncio.open_connection(*served.address)
        writer.write((head + "Transfer-Encoding: chunked\r\n\r\nnot a length\r\n").encode())
        reader, other = await asyncio.open_connection(*served.address)
        other.write((head + "\r\n\x00\x01garbage\r\n\r\n").encode())
        await asyncio.wait_for(served.watch.started.wait(), 10)
        served.watch.release.set()
        assert b" 200 " in (await asyncio.wait_for(reader.read(), 10)).splitlines()[0]
        assert (await served.call("echo", text="alive")).status_code == 200
        writer.close()
        other.close()
    assert "Traceback" not in caplog.text


async def test_a_client_that_never_finishes_its_headers_is_cut_off(start, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "header_seconds", 0.2)
    async with start() as served:
        assert await served.raw(b"GET /health HTTP/1.1\r\nHost: loc") == b""
        assert await served.raw(b"") == b""


async def test_a_client_that_never_finishes_its_body_is_told_and_cut_off(start, monkeypatch):
    monkeypatch.setattr(security, "BODY_SECONDS", 0.2)
    async with start() as served:
        authorization = served.client.headers["authorization"].encode()
        head = b"POST /api/v1/tools/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\nAuthorization: " + authorization
        answer = await served.raw(head + b"\r\n\r\n{")
    assert b" 408 " in answer.splitlines()[0]
    assert b'"code":"request_timeout"' in answer


async def test_a_body_that_nobody_waits_for_cannot_trickle_for_ever(start, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "body_seconds", 0.3)
    async with start() as served:
        answer = await served.raw(b"POST /api/v1/tools/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{")
    assert b" 401 " in answer.splitlines()[0]


async def test_a_connection_too_many_is_closed_and_room_comes_back(start, monkeypatch):
    monkeypatch.setattr(BoundedProtocol, "max_connections", 3)
    async with start() as served:
        held = [await asyncio.open_connection(*served.address) for _ in range(3)]
        assert await served.raw(b"") == b""
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        assert (await served.call("echo", text="room")).status_code == 200


async def test_every_answer_forbids_sniffing_and_storing_and_names_no_software(start):
    async with start() as served:
        answers = [
            await served.client.get("/health"),
            await served.call("echo", text="x"),
            await served.call("breaks"),
            await served.client.get("/nothing"),
            await served.client.get("/api/v1/tools", headers={"Authorization": ""}),
            await served.client.get("/health", headers={"Host": "evil.example"}),
            await served.client.post("/mcp", json={}),
        ]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answer.headers["cache-control"]
        assert "server" not in answer.headers
        assert "uvicorn" not in answer.text


async def test_a_defect_outside_every_tool_is_logged_by_its_place_and_not_by_its_words():
    async def broken(scope, receive, send):
        raise ValueError("Authorization: canary-c0ffee")

    whole = Observe(broken, metrics=Metrics())
    with capture_logs() as logs:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(whole), base_url="http://localhost") as client:
            answer = await client.get("/x")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    failed = next(entry for entry in logs if entry["event"] == "http_request_failed")
    assert failed["error"] == "ValueError"
    assert failed["frames"][-1].endswith(":broken")
    assert "canary" not in str(logs) + answer.text
