"""Two server processes of one storage: one is active, the other hands requests on and takes over."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import hvac
import pytest

from etcd_servers import Authority
from programs import free_ports
from servers import postgresql_server
from vault_processes import VaultProcess, running

LIMIT_SECONDS = 30.0


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("is_mutual", [False, True], ids=["plain", "client certificates"])
def test_a_standby_hands_requests_on_and_takes_over_when_the_active_server_is_killed(
    tmp_path: Path, authority: Authority, is_mutual: bool
) -> None:
    ca, pair = str(authority.file("ca")), (str(authority.file("client")), str(authority.file("client-key")))
    tls = (
        f'tls_cert = "{authority.file("server")}"\ntls_key = "{authority.file("server-key")}"\n'
        f'client_ca = "{ca}"\nrequire_client_cert = true\npeer_ca = "{ca}"\n'
    )
    with postgresql_server() as database:
        places = [f"127.0.0.1:{port}" for port in free_ports(2)]
        urls = [f"{'https' if is_mutual else 'http'}://{place}" for place in places]
        configs: list[str] = []
        for place, url in zip(places, urls, strict=True):
            path = tmp_path / f"{len(configs)}.toml"
            path.write_text(
                f'[server]\naddress = "{place}"\napi_addr = "{url}"\n{tls if is_mutual else ""}'
                '[storage]\nbackend = "postgresql"\n[storage.postgresql]\nurl = "env:DATABASE"\nlease = 2.0\n'
                '[engines]\nkv = { path = "secret", version = 2 }\n'
            )
            configs.append(str(path))
        settings = {"DATABASE": database.url()}
        mine = pair if is_mutual else None

        def status(server: VaultProcess) -> int:
            return server.request("GET", "sys/health", cert=mine).status_code

        trusted = authority.file("ca") if is_mutual else None
        with (
            running(tmp_path, urls[0], "-config", configs[0], ca=trusted, **settings) as one,
            running(tmp_path, urls[1], "-config", configs[1], ca=trusted, **settings) as two,
        ):
            made = one.request("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, cert=mine).json()
            one.request("PUT", "sys/unseal", {"key": made["keys"][0]}, cert=mine)
            eventually(lambda: status(one) == 200)
            two.request("PUT", "sys/unseal", {"key": made["keys"][0]}, cert=mine)
            assert status(two) == 429
            client = hvac.Client(urls[1], token=made["root_token"], verify=ca if is_mutual else True, cert=mine)
            client.secrets.kv.v2.create_or_update_secret("a/b", {"x": "1"})
            assert client.secrets.kv.v2.list_secrets("a")["data"]["keys"] == ["b"]
            assert client.sys.read_leader_status()["leader_address"] == urls[0]
            one.tell(signal.SIGKILL)
            eventually(lambda: status(two) == 200)
            assert client.secrets.kv.v2.read_secret("a/b", raise_on_deleted_version=True)["data"]["data"] == {"x": "1"}
            client.adapter.close()  # a server that stops waits for those who are connected
            assert database.password not in two.stderr
