"""The server process: what it says, when it stops, what it refuses."""

import json
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hvac
import pytest

from programs import free_ports
from vault_processes import running, running_dev, svault

LIMIT_SECONDS = 20.0


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_server_keeps_what_it_was_given_over_a_restart_and_keeps_stdout_quiet(
    tmp_path: Path, configure: Callable[..., tuple[Path, str]]
) -> None:
    engines = '[seal.shamir]\nshares = 3\nthreshold = 2\n[engines]\nkv = { path = "secret", version = 2 }\n'
    config, url = configure(more=engines)
    with running(tmp_path, url, "--config", str(config)) as server:
        assert server.request("GET", "sys/health").status_code == 501
        made = server.request("PUT", "sys/init", {}).json()
        assert len(made["keys"]) == 3, "the numbers of [seal.shamir] count when init is given none"
        for key in made["keys"][:2]:
            server.request("PUT", "sys/unseal", {"key": key})
        client = hvac.Client(url, token=made["root_token"])
        client.secrets.kv.v2.create_or_update_secret("a/b", {"x": "1"})
        assert client.secrets.kv.v2.list_secrets("a")["data"]["keys"] == ["b"]
        assert server.stop() == 0
    with running(tmp_path, url, f"-config={config}") as server:
        assert server.request("GET", "sys/health").status_code == 503
        for key in made["keys"][1:]:
            server.request("PUT", "sys/unseal", {"key": key})
        client = hvac.Client(url, token=made["root_token"])
        found: dict[str, Any] = client.secrets.kv.v2.read_secret("a/b", raise_on_deleted_version=True)
        assert found["data"]["data"] == {"x": "1"}
        assert made["root_token"] not in server.stderr
    assert (tmp_path / "stdout").read_bytes() == b""


def test_vaults_form_mounts_nothing_but_what_every_vault_has(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    config = tmp_path / "vault.json"
    listener = {"tcp": {"address": address, "tls_disable": 1}}
    config.write_text(json.dumps({"backend": {"file": {"path": "data"}}, "listener": listener, "max_lease_ttl": "768h"}))
    with running(tmp_path, f"http://{address}", "-config", str(config)) as server:
        made = server.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).json()
        server.request("PUT", "sys/unseal", {"key": made["keys"][0]})
        mounts: dict[str, Any] = hvac.Client(f"http://{address}", token=made["root_token"]).sys.list_mounted_secrets_engines()
    assert set(mounts["data"]) == {"cubbyhole/", "identity/", "sys/"}


def test_a_server_for_trying_out_is_unsealed_and_has_the_token_that_was_asked_for(tmp_path: Path) -> None:
    with running_dev(tmp_path) as server:
        client = hvac.Client(server.url, token="root")
        client.secrets.kv.v2.create_or_update_secret("a", {"x": "1"})
        assert client.sys.is_sealed() is False
        known: dict[str, Any] = client.lookup_token()
        assert known["data"]["policies"] == ["root"]
        assert "Root Token: root" in server.stderr
        assert (tmp_path / ".svault-token").read_text() == "root"
        assert (tmp_path / ".svault-token").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "stdout").read_bytes() == b""


def test_a_token_for_trying_out_is_not_kept_when_that_is_asked(tmp_path: Path) -> None:
    with running_dev(tmp_path, "-dev-no-store-token"):
        assert not (tmp_path / ".svault-token").exists()


def test_a_static_seal_opens_itself_at_the_next_start(tmp_path: Path, configure: Callable[..., tuple[Path, str]]) -> None:
    config, url = configure(more='[seal.static]\nkey_env = "SEAL_KEY"\n')
    key = bytes(range(32)).hex()
    with running(tmp_path, url, "--config", str(config), SEAL_KEY=key) as server:
        made = server.request("PUT", "sys/init", {}).json()
        assert made["keys"] == []
        assert server.request("GET", "sys/health").status_code == 200
    with running(tmp_path, url, "--config", str(config), SEAL_KEY=key) as server:
        assert server.request("GET", "sys/health").status_code == 200
        assert key not in server.stderr
    wrong = svault(tmp_path, "server", "--config", str(config), SEAL_KEY=key[::-1])
    assert wrong.code != 0
    assert "the key does not open the vault" in wrong.err
    assert key[::-1] not in wrong.err


def test_the_metrics_have_a_listener_of_their_own_without_a_token(
    tmp_path: Path, configure: Callable[..., tuple[Path, str]]
) -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    config, url = configure(more=f'[metrics]\naddress = "{address}"\n')
    with running(tmp_path, url, "--config", str(config)) as server, server.client() as client:
        for path in ("/metrics", "/v1/sys/metrics"):
            answer = client.get(f"http://{address}{path}")
            assert answer.status_code == 200
            assert "vault_core_unsealed 0.0" in answer.text
        assert client.get(f"http://{address}/v1/sys/health").status_code == 404
        assert client.post(f"http://{address}/metrics").status_code == 405
        assert client.get(f"{url}/metrics").status_code == 404


def test_the_configured_audit_device_follows_the_file(tmp_path: Path, configure: Callable[..., tuple[Path, str]]) -> None:
    config, url = configure(more='[audit]\npath = "audit.log"\nretention_days = 30\n')
    with running(tmp_path, url, "--config", str(config)) as server:
        made = server.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).json()
        server.request("PUT", "sys/unseal", {"key": made["keys"][0]})
        devices = server.request("GET", "sys/audit", token=made["root_token"]).json()["data"]
        assert devices["configuration/"]["options"] == {"file_path": str(tmp_path / "audit.log"), "retention_days": "30"}
        renamed = tmp_path / "audit.old"
        (tmp_path / "audit.log").rename(renamed)
        server.tell(signal.SIGHUP)
        eventually((tmp_path / "audit.log").exists)
    config.write_text(config.read_text().replace('[audit]\npath = "audit.log"', '[audit]\nenabled = false\npath = "audit.log"'))
    with running(tmp_path, url, "--config", str(config)) as server:
        server.request("PUT", "sys/unseal", {"key": made["keys"][0]})
        assert server.request("GET", "sys/audit", token=made["root_token"]).json()["data"] == {}


def test_a_vault_that_cannot_be_audited_as_configured_stays_sealed(
    tmp_path: Path, configure: Callable[..., tuple[Path, str]]
) -> None:
    (tmp_path / "file").write_text("")
    config, url = configure(more='[audit]\npath = "file/audit.log"\n')
    with running(tmp_path, url, "--config", str(config)) as server:
        made = server.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}).json()
        answer = server.request("PUT", "sys/unseal", {"key": made["keys"][0]})
        assert answer.status_code == 500
        assert "the audit device of the configuration cannot be enabled" in answer.text
        assert server.request("GET", "sys/health").status_code == 503


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_cleanly_and_lets_the_storage_go(
    tmp_path: Path, configure: Callable[..., tuple[Path, str]], number: signal.Signals
) -> None:
    config, url = configure()
    with running(tmp_path, url, "--config", str(config)) as server, server.client() as client:
        client.get(f"{url}/v1/sys/health")  # the connection stays open and idle
        server.tell(number)
        assert server.process.wait(LIMIT_SECONDS) == 0
        assert "Traceback" not in server.stderr
    with running(tmp_path, url, "--config", str(config)) as server:
        assert server.answers()


def test_two_servers_of_one_folder_are_refused_in_a_sentence(tmp_path: Path, configure: Callable[..., tuple[Path, str]]) -> None:
    config, url = configure()
    with running(tmp_path, url, "--config", str(config)):
        second = svault(tmp_path, "server", "--config", str(config))
        assert second.code == 1
        assert "cannot listen on" in second.err
        other, _ = configure()
        third = svault(tmp_path, "server", "--config", str(other))
        assert third.code == 1
        assert "is in use by process" in third.err


def test_another_machine_is_not_let_in_without_tls(tmp_path: Path, configure: Callable[..., tuple[Path, str]]) -> None:
    config, _ = configure()
    config.write_text(config.read_text().replace("127.0.0.1", "0.0.0.0"))
    refused = svault(tmp_path, "server", "--config", str(config))
    assert refused.code == 2
    assert "there is no TLS" in refused.err
    assert "allow_plaintext = true" in refused.err
    assert not (tmp_path / "data").exists()


def test_damaged_storage_is_named_and_ends_the_start(tmp_path: Path, configure: Callable[..., tuple[Path, str]]) -> None:
    config, url = configure()
    with running(tmp_path, url, "--config", str(config)) as server:
        server.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
    segments = [path for path in (tmp_path / "data").iterdir() if path.stat().st_size > 500]
    for path in segments:
        data = bytearray(path.read_bytes())
        data[: len(data) // 2] = bytes(len(data) // 2)
        path.write_bytes(data)
    damaged = svault(tmp_path, "server", "--config", str(config))
    assert damaged.code == 1
    assert str(tmp_path / "data") in damaged.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give --config FILE, or -dev"),
        (("-config=nowhere.toml",), "cannot be read"),
        (("-dev", "-config=x"), "not both"),
        (("-dev", "-dev-listen-address=nowhere"), "HOST:PORT"),
        (("-dev", f"-dev-root-token-id={'a' * 2000}"), "-dev-root-token-id cannot be used"),
    ],
)
def test_a_server_that_cannot_start_says_why_and_how(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    refused = svault(tmp_path, "server", *words)
    assert refused.code in {1, 2}
    assert said in refused.err
    assert refused.out == ""


def sent(url: str, data: bytes) -> bytes:
    host, _, port = url.rpartition("//")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS) as wire:
        wire.sendall(data)
        answer = b""
        while part := wire.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01", b"400"),
        (b"GET\r\n\r\n", b"400"),
        (b"GET /v1/sys/health HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n", b"400"),
        (b"GET http:///\xff HTTP/1.1\r\nhost: a\r\n\r\n", b"400"),
        (b"SCAM /v1/sys/health HTTP/1.1\r\nhost: a\r\n\r\n", b"400"),
        (b"GET /v1/sys/health HTTP/1.1\r\nhost: a\r\nx: " + b"a" * (3 << 20), b"431"),
    ],
)
def test_what_is_no_http_is_refused_and_the_server_goes_on(tmp_path: Path, data: bytes, status: bytes) -> None:
    with running_dev(tmp_path) as server:
        try:
            assert sent(server.url, data).split(b" ")[1] == status
        except ConnectionError:
            assert len(data) > 1 << 20, "a client that is still writing may miss the answer"
        assert server.request("GET", "sys/health").status_code == 200
        assert "Traceback" not in server.stderr


def test_vaults_method_list_is_understood_in_one_piece_and_in_many(tmp_path: Path) -> None:
    with running_dev(tmp_path) as server:
        server.request("POST", "cubbyhole/a", {"x": "1"}, token="root")
        assert server.request("LIST", "cubbyhole", token="root").json()["data"]["keys"] == ["a"]
        head = b"LIST /v1/cubbyhole HTTP/1.1\r\nhost: a\r\nx-vault-token: root\r\nconnection: close\r\n\r\n"
        host, _, port = server.url.rpartition("//")[2].partition(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS) as wire:
            wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in head:
                wire.sendall(bytes([byte]))
            answer = b""
            while part := wire.recv(65536):
                answer += part
        assert b'"keys":["a"]' in answer
