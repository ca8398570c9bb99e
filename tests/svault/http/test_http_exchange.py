"""Requests on one connection as clients may send them: one after the other, at once, in pieces, large, and without a length."""

import json
import socket
from collections.abc import Iterator

import pytest

from vaults import VaultServer, running_server

END = b"\r\n\r\n"
LARGE = 200_000  # bytes, beyond what is waited for before the application is called


@pytest.fixture(scope="module")
def vault() -> Iterator[VaultServer]:
    with running_server() as found:
        found.client.sys.enable_secrets_engine("kv", path="secret", options={"version": "1"})
        yield found


@pytest.fixture
def wire(vault: VaultServer) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(vault.url.rpartition(":")[2])), timeout=20) as made:
        yield made


def request(vault: VaultServer, method: str, path: str, body: bytes = b"", *more: str, version: str = "1.1") -> bytes:
    head = [f"{method} /v1/{path} HTTP/{version}", "Host: vault", f"X-Vault-Token: {vault.root}", *more]
    if body and not more:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join(head).encode() + END + body


def answer(wire: socket.socket, seen: bytearray, *, has_body: bool = True) -> tuple[int, bytes, bytes]:
    """Status, head and body of the next answer; what comes behind it stays in `seen`."""
    while (end := seen.find(END)) < 0:
        seen += _more(wire)
    head = bytes(seen[:end]).lower()
    length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0) if has_body else 0
    while len(seen) < end + len(END) + length:
        seen += _more(wire)
    body = bytes(seen[end + len(END) : end + len(END) + length])
    del seen[: end + len(END) + length]
    return int(head.split()[1]), head, body


def _more(wire: socket.socket) -> bytes:
    data = wire.recv(1 << 16)
    assert data, "the server closed the connection"
    return data


def value_of(body: bytes) -> str:
    return str(json.loads(body)["data"]["v"])


def test_requests_that_come_at_once_are_answered_in_their_order(vault: VaultServer, wire: socket.socket) -> None:
    sent = b""
    for number in range(20):
        body = json.dumps({"v": str(number) * (LARGE if number == 7 else 1)}).encode()
        sent += request(vault, "POST", "secret/same", body) + request(vault, "GET", "secret/same")
    wire.sendall(sent)
    seen = bytearray()
    for number in range(20):
        assert answer(wire, seen)[0] == 204
        status, _, body = answer(wire, seen)
        assert (status, value_of(body)[0]) == (200, str(number)[0])
        assert len(value_of(body)) == (LARGE if number == 7 else len(str(number)))
    assert not seen


def test_a_request_that_comes_byte_by_byte_is_answered(vault: VaultServer, wire: socket.socket) -> None:
    for byte in request(vault, "POST", "secret/slow", b'{"v":"slow"}'):
        wire.sendall(bytes([byte]))
    assert answer(wire, bytearray())[0] == 204
    wire.sendall(request(vault, "GET", "secret/slow"))
    assert value_of(answer(wire, bytearray())[2]) == "slow"


def test_a_body_in_chunks_is_read(vault: VaultServer, wire: socket.socket) -> None:
    chunks = b'5\r\n{"v":\r\n5\r\n"ab"}\r\n0\r\n\r\n'
    wire.sendall(request(vault, "POST", "secret/chunked", chunks, "Transfer-Encoding: chunked"))
    assert answer(wire, bytearray())[0] == 204
    wire.sendall(request(vault, "GET", "secret/chunked"))
    assert value_of(answer(wire, bytearray())[2]) == "ab"


@pytest.mark.parametrize("size", [1, LARGE])
def test_a_client_that_waits_to_be_told_is_told_to_go_on(vault: VaultServer, wire: socket.socket, size: int) -> None:
    body = json.dumps({"v": "x" * size}).encode()
    wire.sendall(request(vault, "POST", "secret/expected", b"", f"Content-Length: {len(body)}", "Expect: 100-continue"))
    seen = bytearray()
    assert answer(wire, seen, has_body=False)[0] == 100
    wire.sendall(body)
    assert answer(wire, seen)[0] == 204


def test_the_head_alone_says_how_long_the_answer_would_be(vault: VaultServer, wire: socket.socket) -> None:
    wire.sendall(request(vault, "HEAD", "sys/health") + request(vault, "GET", "sys/health"))
    seen = bytearray()
    status, head, _ = answer(wire, seen, has_body=False)
    assert status == 200
    assert b"content-length: " in head
    status, _, body = answer(wire, seen)
    assert (status, json.loads(body)["sealed"]) == (200, False)


@pytest.mark.parametrize(("version", "more"), [("1.0", ()), ("1.1", ("Connection: close",))])
def test_the_connection_ends_when_the_client_wants_no_more(
    vault: VaultServer, wire: socket.socket, version: str, more: tuple[str, ...]
) -> None:
    wire.sendall(request(vault, "GET", "sys/health", b"", *more, version=version))
    status, head, _ = answer(wire, bytearray())
    assert status == 200
    assert b"connection: close" in head
    assert wire.recv(1) == b""


def test_an_answer_comes_in_one_piece(vault: VaultServer, wire: socket.socket) -> None:
    wire.sendall(request(vault, "GET", "sys/health"))
    data = wire.recv(1 << 16)
    head, _, body = data.partition(END)
    assert json.loads(body)["initialized"]
    assert f"content-length: {len(body)}".encode() in head.lower()
