"""Bytes that are no request, or an odd one, on a real server's port: refused as HTTP or as Vault does, and the server goes on."""

import http.client
import json
import os
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .processes import Connection, VaultProcess, filesystem

EXAMPLES = 5000 if os.environ.get("PROV_TESTS_SOAK") else 300
CANARY = "canary-81b2f0aa"
CLIENTS = 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultProcess]:
    folder: Path = tmp_path_factory.mktemp("server")
    made = VaultProcess(folder, filesystem(folder / "data"))
    made.start()
    try:
        made.initialize()
        made.ok("POST", "secret/data/a", {"data": {"value": CANARY}})
        yield made
        log = made.log.read_text()
        assert "Traceback" not in log
        assert CANARY not in log
        assert made.root not in log
    finally:
        made.kill()


def exchanged(server: VaultProcess, data: bytes) -> tuple[int, bytes]:
    """What the server answers to bytes: a status and a body; 0 when it only ends the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = http.client.HTTPResponse(connection)
        try:
            answer.begin()
            return answer.status, answer.read()
        except (http.client.HTTPException, ConnectionError):
            return 0, b""


def request(server: VaultProcess, method: bytes, target: bytes, body: bytes = b"", *headers: bytes) -> bytes:
    """A request with the root token."""
    head = [
        method + b" " + target + b" HTTP/1.1",
        b"Host: vault",
        b"X-Vault-Token: " + server.root.encode(),
        b"Content-Length: %d" % len(body),
        *headers,
    ]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


_methods = st.sampled_from(
    [b"GET", b"POST", b"PUT", b"DELETE", b"LIST", b"PATCH", b"HEAD", b"SCAN", b"OPTIONS", b"TRACE", b"LINK"]
)
_segments = st.one_of(
    st.sampled_from(
        [b"secret", b"data", b"a", b"metadata", b"sys", b"mounts", b"auth", b"token", b"..", b"%2e%2e", b"..%2f", b"%00",
        b"%ff", b"%", b"%zz",
         b"%c3%a4", b"", b".", b"%0a", b"%e2%80%a8", b"?list=true", b"?version=x", b"#", b";", b"%2f", b"a" * 3000]
    ),
    st.binary(max_size=4).map(lambda raw: bytes(byte for byte in raw if byte > 32)),
)  # fmt: skip
_known = st.sampled_from(
    [b"secret/data/a", b"secret/metadata/a", b"secret/metadata/?list=true", b"sys/mounts", b"sys/health", b"auth/token/create",
    b"sys/policies/acl/p",
     b"auth/token/lookup-self", b"transit/keys/k", b"pki/roles/r", b"sys/wrapping/wrap", b"sys/unseal", b"sys/init",
     b"sys/seal-status"]
)  # fmt: skip
_targets = st.one_of(_known, _known, st.lists(_segments, min_size=1, max_size=5).map(b"/".join)).map(lambda path: b"/v1/" + path)
_FIELDS = st.sampled_from(["data", "options", "cas", "type"])
_bodies = st.one_of(
    st.sampled_from([b"", b"{}"]),
    st.sampled_from(
        [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"data":{"a":NaN}}', b'{"data":{"a":-Infinity}}', b'{"data":{"a":1e999}}',
        b'{"a":1,"a":2}',
         b'{"data":{"a":"\\ud800"}}', b'{"data":"\xff"}', b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'{"data":' * 5000,
         b'{"data":{"a":' + b"9" * 6000 + b"}}",
         b'{"data":{"a":' + b"[" * 400 + b"]" * 400 + b"}}", b'{"data":{}} x', b"\x00"]
    ),
    st.binary(max_size=40),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_FIELDS, inner, max_size=3)),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
)  # fmt: skip
_headers = st.sampled_from(
    [b"X-A: b", b"X-Vault-Wrap-TTL: x", b"X-Vault-Wrap-TTL: -5", b"X-Vault-Wrap-TTL: 99999999999999999999",
    b"Content-Type: \xff", b"X-Vault-Token: \xff",
     b"X-Vault-Token: " + b"h" * 5000, b"Authorization: Bearer", b"Authorization: Bearer hvs.x", b"Expect: 100-continue",
     b"X-Forwarded-For: 1.2.3.4",
     b"Transfer-Encoding: chunked", b"Content-Length: 5", b"Upgrade: websocket", b"Connection: upgrade", b"X-Svault-Forwarded: 1"]
)  # fmt: skip


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(_methods, _targets, _bodies, st.one_of(st.just([]), st.just([]), st.lists(_headers, max_size=2)))
def test_no_bytes_on_the_wire_are_answered_with_a_5xx_or_with_a_secret(
    server: VaultProcess, method: bytes, target: bytes, body: bytes, headers: list[bytes]
):
    status, answer = exchanged(server, request(server, method, target, body, *headers))
    assert status < 500, (method, target, body, headers, answer)
    if status >= 400:
        assert CANARY.encode() not in answer
    assert server.call("GET", "sys/health", token="").status == 200


def test_a_body_over_32_mib_is_refused_with_413_whether_its_length_is_said_or_not(server: VaultProcess):
    piece = b"x" * (1 << 20)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("POST", "/v1/secret/data/big", headers={"Content-Length": str(33 << 20), "X-Vault-Token": server.root})
    answer = connection.getresponse()
    assert answer.status == 413
    assert json.loads(answer.read()) == {"errors": ["error reading request body: http: request body too large"]}
    connection.close()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as wire:
        head = request(server, b"POST", b"/v1/secret/data/big")
        wire.sendall(head.replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        try:
            for _ in range(34):
                wire.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        except ConnectionError:
            pass  # it answers, and does not wait for the rest
        assert re.match(rb"HTTP/1.1 413 ", wire.recv(4096))
    assert server.call("GET", "secret/data/big").status == 404


def test_a_body_that_ends_before_its_length_does_nothing(server: VaultProcess):
    before = len(server.ok("LIST", "auth/token/accessors")["data"]["keys"])
    head = request(server, b"POST", b"/v1/auth/token/create").replace(b"Content-Length: 0", b"Content-Length: 60")
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as wire:
        wire.sendall(head)
    with socket.create_connection(("127.0.0.1", server.port), timeout=15) as wire:
        wire.sendall(head + b'{"policies":["default"]}')
    assert exchanged(server, head + b"{}")[0] in {0, 400}
    assert len(server.ok("LIST", "auth/token/accessors")["data"]["keys"]) == before


def at_once(connections: list[Connection], version: int) -> list[tuple[int, int]]:
    """Every client writes its number behind a version; returns each one's status and number."""
    ready = threading.Barrier(len(connections))
    answers: list[tuple[int, int]] = []

    def write(number: int) -> None:
        body = {"data": {"winner": number}, "options": {"cas": version}}
        ready.wait()
        answers.append((connections[number].call("POST", "secret/data/contested", body)[0], number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(connections))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_200_clients_that_write_with_check_and_set_exactly_one_wins(server: VaultProcess):
    connections = [Connection(server.port, server.root) for _ in range(CLIENTS)]
    for connection in connections:
        assert connection.call("GET", "sys/health")[0] == 200
    for version in range(3):
        answers = at_once(connections, version)
        winners = [number for status, number in answers if status == 200]
        assert len(winners) == 1
        assert sorted(status for status, _ in answers) == [200] + [400] * (CLIENTS - 1)
        found = server.ok("GET", "secret/data/contested")["data"]
        assert (found["metadata"]["version"], found["data"]) == (version + 1, {"winner": winners[0]})
    for connection in connections:
        connection.close()
