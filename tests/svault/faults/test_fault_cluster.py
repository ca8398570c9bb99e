"""Two servers of one etcd or one PostgreSQL: one is active, the other hands requests on, and takes over when it must."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from etcd_servers import etcd_cluster
from servers import PostgresqlServer

from .databases import setup, users
from .processes import Connection, VaultProcess, until

LEASE = 2  # seconds


@pytest.fixture(scope="module")
def etcd() -> Iterator[list[str]]:
    with etcd_cluster() as cluster:
        yield cluster.endpoints


@pytest.fixture(params=["etcd", "postgresql"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[VaultProcess, VaultProcess]]:
    """Both unsealed; the first is the active one."""
    name = f"vault_{abs(hash(tmp_path))}"
    if request.param == "etcd":
        endpoints = ", ".join(f'"{one}"' for one in request.getfixturevalue("etcd"))
        part = f'[storage.etcd]\nendpoints = [{endpoints}]\nprefix = "/{name}/"\n'
    else:
        url = request.getfixturevalue("postgresql").url()
        part = f'[storage.postgresql]\nurl = "{url}"\ntable = "{name}"\nconnections = 4\n'
    storage = f'[storage]\nbackend = "{request.param}"\n{part}lease = {LEASE}\n'
    first = VaultProcess(tmp_path / "first", storage)
    second = VaultProcess(tmp_path / "second", storage, shares_from=first)
    try:
        first.start()
        first.initialize()
        until(lambda: first.call("GET", "sys/health").status == 200)
        second.start()
        second.unseal()
        until(lambda: second.call("GET", "sys/health").status == 429)
        yield first, second
        assert "Traceback" not in first.log.read_text() + second.log.read_text()
    finally:
        first.kill()
        second.kill()


def is_active(server: VaultProcess) -> Callable[[], bool]:
    return lambda: server.call("GET", "sys/health").status == 200


ONE_STORAGE = pytest.mark.parametrize("pair", ["postgresql"], indirect=True)
"""What does not depend on the storage is shown on one."""


@ONE_STORAGE
def test_the_standby_says_so_and_hands_every_kind_of_request_on(pair: tuple[VaultProcess, VaultProcess]):
    first, second = pair
    health = second.call("GET", "sys/health")
    assert (health.status, (health.body or {})["standby"]) == (429, True)
    assert second.call("GET", "sys/health?standbyok=true").status == 200
    leader = second.ok("GET", "sys/leader")
    assert (leader["is_self"], leader["leader_address"]) == (False, first.url)
    assert first.ok("GET", "sys/leader")["is_self"] is True
    assert second.ok("POST", "secret/data/a", {"data": {"n": 1}})["data"]["version"] == 1
    assert second.ok("POST", "secret/data/a?unused=1", {"data": {"n": 2}})["data"]["version"] == 2
    assert second.ok("GET", "secret/data/a?version=1")["data"]["data"] == {"n": 1}
    assert second.ok("LIST", "secret/metadata/")["data"]["keys"] == ["a"]
    assert second.ok("GET", "secret/metadata/?list=true")["data"]["keys"] == ["a"]
    patch = {"content_type": "application/merge-patch+json"}
    assert second.ok("PATCH", "secret/data/a", {"data": {"m": 3}}, **patch)["data"]["version"] == 3
    bearer = second.ok("GET", "secret/data/a", token="", headers={"Authorization": f"Bearer {first.root}"})
    assert bearer["data"]["data"] == {"n": 2, "m": 3}
    assert second.call("DELETE", "secret/data/a").status == 204
    wrapped = second.ok("GET", "sys/mounts", wrap_ttl=60)["wrap_info"]["token"]
    assert "secret/" in first.ok("POST", "sys/wrapping/unwrap", {"token": wrapped})["data"]
    for path, status in (("secret/data/none", 404), ("secret/data/..%2fa", 400), ("nowhere/a", 404)):
        assert second.call("GET", path).status == first.call("GET", path).status == status
    assert second.call("GET", "secret/data/a", token="nonsense").status == 403
    assert second.call("POST", "secret/data/a", b"{").status == 400


def test_after_kill_9_the_standby_takes_over_with_every_acknowledged_write_and_token(
    pair: tuple[VaultProcess, VaultProcess], postgresql: PostgresqlServer
):
    first, second = pair
    for method, path, body in setup(postgresql):
        first.ok(method, path, body)
    brief = {**setup(postgresql)[1][2], "default_ttl": "3s"}
    first.ok("POST", "database/roles/brief", brief)
    token = first.ok("POST", "auth/token/create", {"policies": ["root"], "ttl": "1h"})["auth"]["client_token"]
    acknowledged = 0
    connection = Connection(first.port, token)
    for number in range(20):
        assert connection.call("POST", f"secret/data/n{number}", {"data": {"n": number}})[0] == 200
        acknowledged += 1
    connection.close()
    creds = first.ok("GET", "database/creds/brief", token=token)
    first.kill()
    assert second.call("GET", "secret/data/n0").status in {200, 503}
    until(is_active(second))
    for number in range(acknowledged):
        assert second.ok("GET", f"secret/data/n{number}", token=token)["data"]["data"] == {"n": number}
    until(lambda: creds["data"]["username"] not in users(postgresql))
    first.start()
    first.unseal()
    until(lambda: first.call("GET", "sys/health").status == 429)
    assert first.ok("GET", "secret/data/n1", token=token)["data"]["data"] == {"n": 1}


@ONE_STORAGE
def test_a_server_that_steps_down_lets_the_other_lead(pair: tuple[VaultProcess, VaultProcess]):
    first, second = pair
    first.ok("POST", "secret/data/a", {"data": {"n": 1}})
    assert first.call("PUT", "sys/step-down").status == 204
    until(is_active(second))
    assert second.ok("GET", "secret/data/a")["data"]["data"] == {"n": 1}
    until(lambda: first.call("GET", "sys/health").status == 429)
    assert first.ok("POST", "secret/data/a", {"data": {"n": 2}, "options": {"cas": 1}})["data"]["version"] == 2
    assert second.call("PUT", "sys/seal").status == 204
    until(is_active(first))
    assert first.ok("GET", "secret/data/a")["data"]["data"] == {"n": 2}


def test_a_leader_that_was_stopped_for_longer_than_its_lease_writes_nothing_when_it_goes_on(
    pair: tuple[VaultProcess, VaultProcess],
):
    first, second = pair
    first.ok("POST", "secret/data/a", {"data": {"owner": "first"}})
    connections = [Connection(first.port, first.root) for _ in range(8)]
    for connection in connections:
        assert connection.call("GET", "secret/data/a")[0] == 200
    first.send(signal.SIGSTOP)
    # These arrive while it is stopped, and are what it finds first when it goes on.
    for number, connection in enumerate(connections):
        connection.send("POST", f"secret/data/stale{number}", {"data": {"owner": "first"}})
    until(is_active(second))
    second.ok("POST", "secret/data/a", {"data": {"owner": "second"}})
    first.send(signal.SIGCONT)
    answers = [connection.receive() for connection in connections]
    until(lambda: first.call("GET", "sys/health").status == 429)
    assert second.ok("GET", "secret/data/a")["data"]["data"] == {"owner": "second"}
    for number, (status, _) in enumerate(answers):
        # Refused, or, when it had noticed already, handed on to the other: acknowledged if and only if it is there.
        found = second.call("GET", f"secret/data/stale{number}").status
        assert (status, found) in {(200, 200), (503, 404), (500, 404)}, (status, found)
    for connection in connections:
        connection.close()


def test_a_leader_whose_storage_goes_away_fails_requests_and_leads_again_when_it_is_back(
    tmp_path: Path, postgresql: PostgresqlServer
):
    part = f'[storage.postgresql]\nurl = "{postgresql.url()}"\ntable = "away"\ntimeout = 1\nlease = {LEASE}\n'
    server = VaultProcess(tmp_path / "server", f'[storage]\nbackend = "postgresql"\n{part}')
    server.start()
    try:
        server.initialize()
        until(is_active(server))
        token = server.ok("POST", "auth/token/create", {"policies": ["root"], "ttl": "1h"})["auth"]["client_token"]
        server.ok("POST", "secret/data/a", {"data": {"n": 1}})
        postgresql.kill()
        try:
            for path in ("secret/data/a", "secret/data/b"):
                answer = server.call("POST", path, {"data": {"n": 2}})
                assert answer.status in {500, 503}
                assert postgresql.password not in str(answer.body)
            until(lambda: not is_active(server)())
            assert server.call("GET", "secret/data/a").status in {500, 503}
        finally:
            postgresql.start()
        until(is_active(server))
        assert server.ok("GET", "secret/data/a", token=token)["data"]["data"] == {"n": 1}
        assert server.ok("POST", "secret/data/a", {"data": {"n": 2}, "options": {"cas": 1}})["data"]["version"] == 2
        log = server.log.read_text()
        assert "Traceback" not in log
        assert postgresql.password not in log
    finally:
        server.kill()


def test_a_server_that_is_told_to_stop_gives_the_lead_to_the_other_at_once(tmp_path: Path, postgresql: PostgresqlServer):
    part = f'[storage.postgresql]\nurl = "{postgresql.url()}"\ntable = "stopped"\nlease = 600\n'
    storage = f'[storage]\nbackend = "postgresql"\n{part}'
    first = VaultProcess(tmp_path / "first", storage)
    second = VaultProcess(tmp_path / "second", storage, shares_from=first)
    try:
        first.start()
        first.initialize()
        until(is_active(first))
        second.start()
        second.unseal()
        until(lambda: second.call("GET", "sys/health").status == 429)
        first.kill(signal.SIGTERM)
        until(is_active(second))
        second.ok("POST", "secret/data/a", {"data": {"n": 1}})
    finally:
        first.kill()
        second.kill()
