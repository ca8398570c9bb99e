"""TLS and client certificates of the server process, with hvac as the client."""

import asyncio
import shutil
import signal
import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import hvac
import pytest
import requests
from cryptography import x509

from etcd_servers import Authority
from programs import free_ports
from svault.config.model import parsed_address
from svault.errors import VaultError
from svault.http.listener import GRACE_SECONDS, Listener, bound
from svault.http.protocol import Patience
from svault.http.tls import TlsError, TlsFiles
from vault_processes import VaultProcess, running, svault


def tls(authority: Authority, *, mutual: bool | None = None) -> str:
    lines = [f'tls_cert = "{authority.file("server")}"', f'tls_key = "{authority.file("server-key")}"']
    if mutual is not None:
        lines += [f'client_ca = "{authority.file("ca")}"', f"require_client_cert = {str(mutual).lower()}"]
    return "\n".join(lines)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def opened(server: VaultProcess) -> str:
    made: dict[str, Any] = server.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).json()
    server.request("PUT", "sys/unseal", {"key": made["keys"][0]})
    return str(made["root_token"])


def test_hvac_works_over_tls(tmp_path: Path, authority: Authority, configure: Callable[..., tuple[Path, str]]) -> None:
    config, url = configure(tls(authority), '[engines]\nkv = { path = "secret", version = 2 }', "https")
    ca = authority.file("ca")
    with running(tmp_path, url, "--config", str(config), ca=ca) as server:
        token = opened(server)
        client = hvac.Client(url, token=token, verify=str(ca))
        client.secrets.kv.v2.create_or_update_secret("a", {"x": "1"})
        assert client.secrets.kv.v2.read_secret("a", raise_on_deleted_version=True)["data"]["data"] == {"x": "1"}
        client.adapter.close()  # a server that stops waits for those who are connected
        with pytest.raises(requests.exceptions.SSLError):
            hvac.Client(url, token=token).sys.is_sealed()


def test_plain_http_is_refused(tmp_path: Path, authority: Authority, configure: Callable[..., tuple[Path, str]]) -> None:
    config, url = configure(tls(authority), scheme="https")
    with running(tmp_path, url, "--config", str(config), ca=authority.file("ca")) as server:
        with httpx2.Client(trust_env=False) as client, pytest.raises(httpx2.HTTPError):
            client.get(url.replace("https", "http"))
        assert server.request("GET", "sys/health").status_code == 501


def test_a_client_without_a_certificate_is_not_let_in_when_one_is_required(
    tmp_path: Path, authority: Authority, configure: Callable[..., tuple[Path, str]]
) -> None:
    config, url = configure(tls(authority, mutual=True), scheme="https")
    ca, pair = authority.file("ca"), (str(authority.file("client")), str(authority.file("client-key")))
    other = Authority(tmp_path / "other")
    other.issue("client")
    with running(tmp_path, url, "--config", str(config), ca=ca) as server:
        assert server.request("GET", "sys/health", cert=pair).status_code == 501
        with pytest.raises(httpx2.HTTPError):
            server.request("GET", "sys/health")
        with pytest.raises(httpx2.HTTPError):
            server.request("GET", "sys/health", cert=(str(other.file("client")), str(other.file("client-key"))))
        settings = {"VAULT_ADDR": url, "VAULT_CACERT": str(ca)}
        assert svault(tmp_path, "status", **settings).code == 1
        known = svault(tmp_path, "status", VAULT_CLIENT_CERT=pair[0], VAULT_CLIENT_KEY=pair[1], **settings)
        assert known.code == 2, known.err
        assert hvac.Client(url, verify=str(ca), cert=pair).sys.is_initialized() is False


def test_certificates_are_read_anew_on_sighup_and_stay_when_the_new_ones_are_damaged(
    tmp_path: Path, authority: Authority, configure: Callable[..., tuple[Path, str]]
) -> None:
    config, url = configure(tls(authority), scheme="https")
    host, _, port = url.rpartition("//")[2].partition(":")

    def serial() -> int:
        return x509.load_pem_x509_certificate(ssl.get_server_certificate((host, int(port))).encode()).serial_number

    with running(tmp_path, url, "--config", str(config), ca=authority.file("ca")) as server, server.client() as kept:
        first = serial()
        kept.get(f"{url}/v1/sys/health")
        authority.issue("server")
        server.tell(signal.SIGHUP)
        eventually(lambda: serial() != first)
        assert kept.get(f"{url}/v1/sys/health").status_code == 501, "a connection that is open goes on"
        second = serial()
        authority.file("server").write_text("damaged")
        server.tell(signal.SIGHUP)
        eventually(lambda: "the certificates stay as they were" in server.stderr)
        assert serial() == second


def test_certificates_that_cannot_be_used_end_the_start_in_a_sentence(
    tmp_path: Path, authority: Authority, configure: Callable[..., tuple[Path, str]]
) -> None:
    config, _ = configure(tls(authority))
    authority.issue("client")
    shutil.copy(authority.file("client-key"), authority.file("server-key"))
    refused = svault(tmp_path, "server", "--config", str(config))
    assert refused.code == 2
    assert "cannot be used: key values mismatch" in refused.err


def test_tls_is_1_2_or_newer(authority: Authority) -> None:
    files = TlsFiles(str(authority.file("server")), str(authority.file("server-key")))
    assert files.context().minimum_version == ssl.TLSVersion.TLSv1_2


def test_each_damage_of_the_files_has_its_sentence(authority: Authority) -> None:
    cert, key, empty = (str(authority.file(name)) for name in ("server", "server-key", "empty"))
    Path(empty).write_text("")
    for files, said in (
        (TlsFiles("/nowhere.pem", key), "cannot be read"),
        (TlsFiles(empty, key), "cannot be used"),
        (TlsFiles(cert, key, empty), "holds no certificate"),
        (TlsFiles(cert, key, "/nowhere.pem"), "cannot be read"),
    ):
        with pytest.raises(TlsError, match=said):
            files.context()


@pytest.mark.anyio
async def test_the_application_sees_the_clients_certificate(authority: Authority) -> None:
    seen: list[dict[str, Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["extensions"]["tls"])
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    address = parsed_address(f"127.0.0.1:{free_ports(1)[0]}")
    files = TlsFiles(str(authority.file("server")), str(authority.file("server-key")), str(authority.file("ca")))
    listener = Listener(app, bound(address), files)
    await listener.start()
    try:
        for pair in (None, (str(authority.file("client")), str(authority.file("client-key")))):
            context = ssl.create_default_context(cafile=str(authority.file("ca")))
            if pair:
                context.load_cert_chain(*pair)
            async with httpx2.AsyncClient(verify=context, trust_env=False) as client:
                assert (await client.get(f"https://{address}/v1/x")).status_code == 204
    finally:
        await listener.stop()
    assert seen[0]["client_cert_chain"] == ()
    shown = x509.load_pem_x509_certificate(seen[1]["client_cert_chain"][0].encode())
    assert shown == x509.load_pem_x509_certificate(authority.file("client").read_bytes())
    assert seen[1]["tls_version"] == 0x0304


@pytest.mark.anyio
async def test_an_idle_client_that_never_says_goodbye_does_not_hold_up_the_end(authority: Authority) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    address = parsed_address(f"127.0.0.1:{free_ports(1)[0]}")
    files = TlsFiles(str(authority.file("server")), str(authority.file("server-key")))
    listener = Listener(app, bound(address), files)
    await listener.start()
    context = ssl.create_default_context(cafile=str(authority.file("ca")))

    def asked() -> ssl.SSLSocket:
        wire = context.wrap_socket(socket.create_connection((address.host, address.port)), server_hostname="127.0.0.1")
        wire.sendall(b"GET /v1/x HTTP/1.1\r\nhost: a\r\n\r\n")
        assert wire.recv(1000).startswith(b"HTTP/1.1 204")
        return wire

    with await asyncio.to_thread(asked):
        async with asyncio.timeout(GRACE_SECONDS - 2):
            await listener.stop()


@pytest.mark.anyio
async def test_a_client_that_does_not_finish_its_request_is_let_go() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    address = parsed_address(f"127.0.0.1:{free_ports(1)[0]}")
    listener = Listener(app, bound(address), patience=Patience(0.05, 0.05))
    await listener.start()
    try:
        for data in (b"", b"GET / HT", b"PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n12"):
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(data)
            async with asyncio.timeout(20):
                await reader.read()
            writer.close()
            await writer.wait_closed()
    finally:
        await listener.stop()


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(VaultError, match=r"cannot listen on 192\.0\.2\.1:8200"):
        bound(parsed_address("192.0.2.1:8200"))
