"""A server of several processes is one vault: what one connection was told holds at every other, whoever answers there."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from disks import fill, small_disk
from svault.audit.verify import verify
from svault.crypto.choice import backend

from .processes import Connection, VaultProcess, children, filesystem, metrics, sockets, until
from .steady_load import TEXT, Load

PROCESSES = 3
CONNECTIONS = 6
READER = 'path "secret/data/*" { capabilities = ["read"] }'

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="workers share memory as Linux offers it")


def audited(log: Path) -> str:
    kv = '[engines.secret]\ntype = "kv"\npath = "secret/"\nversion = 2\n'
    return f'[audit]\npath = "{log}"\n{kv}[engines.transit]\npath = "transit/"\n'


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[VaultProcess]:
    """A server of the test's own."""
    with running(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def running_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VaultProcess]:
    with running(tmp_path_factory.mktemp("shared")) as server:
        yield server


@pytest.fixture
def shared(running_one: VaultProcess) -> VaultProcess:
    """One server for all tests that leave it as they found it, but for entries of a name of their own."""
    until(lambda: has_workers(running_one))
    return running_one


@contextmanager
def running(folder: Path) -> Iterator[VaultProcess]:
    """A server of all its processes, unsealed."""
    server = VaultProcess(
        folder / "server", filesystem(folder / "data"), audited(folder / "audit.log"), server=f"workers = {PROCESSES}"
    )
    server.start()
    try:
        server.initialize()
        until(lambda: has_workers(server))
        yield server
        assert "Traceback" not in server.log.read_text()
    finally:
        server.kill()


def workers(server: VaultProcess) -> list[int]:
    assert server.process is not None
    return children(server.process.pid)


def has_workers(server: VaultProcess) -> bool:
    """Whether each process of the server has a connection among as many new ones as there are processes."""
    if len(workers(server)) < PROCESSES - 1:
        return False
    opened = [Connection(server.port, server.root) for _ in range(PROCESSES)]
    try:
        for connection in opened:
            connection.call("GET", "sys/health")
        return all(sockets(process) for process in workers(server))
    finally:
        for connection in opened:
            connection.close()


@contextmanager
def everywhere(server: VaultProcess, token: str = "") -> Iterator[list[Connection]]:
    """Connections to every process of the server."""
    opened = [Connection(server.port, token or server.root) for _ in range(CONNECTIONS)]
    try:
        yield opened
    finally:
        for connection in opened:
            connection.close()


def a_token(server: VaultProcess, **more: Any) -> str:
    made = server.ok("POST", "auth/token/create", {"policies": ["reader"], **more})
    token: str = made["auth"]["client_token"]
    return token


def test_what_is_written_at_one_connection_is_read_at_every_other(shared: VaultProcess):
    with everywhere(shared) as connections:
        for number in range(60):
            writer = connections[number % CONNECTIONS]
            assert writer.call("POST", "secret/data/each", {"data": {"n": number}})[0] == 200
            for connection in connections:
                status, body = connection.call("GET", "secret/data/each")
                assert (status, body["data"]["data"]["n"], body["data"]["metadata"]["version"]) == (200, number, number + 1)
        assert connections[0].call("DELETE", "secret/metadata/each")[0] == 204
        assert [connection.call("GET", "secret/data/each")[0] for connection in connections] == [404] * CONNECTIONS


def test_a_rotated_a_restricted_and_a_deleted_key_are_so_at_every_process(shared: VaultProcess):
    shared.ok("POST", "transit/keys/rotated", {"type": "aes256-gcm96"})
    with everywhere(shared) as connections:
        old = connections[0].call("POST", "transit/encrypt/rotated", {"plaintext": TEXT})[1]["data"]["ciphertext"]
        for connection in connections:
            assert connection.call("POST", "transit/decrypt/rotated", {"ciphertext": old})[1]["data"]["plaintext"] == TEXT
        for number in range(2, 12):
            assert connections[number % CONNECTIONS].call("POST", "transit/keys/rotated/rotate", {})[0] in {200, 204}
            for connection in connections:
                sealed = connection.call("POST", "transit/encrypt/rotated", {"plaintext": TEXT})[1]["data"]["ciphertext"]
                assert sealed.startswith(f"vault:v{number}:")
        shared.ok("POST", "transit/keys/rotated/config", {"min_decryption_version": 2, "deletion_allowed": True})
        assert {connection.call("POST", "transit/decrypt/rotated", {"ciphertext": old})[0] for connection in connections} == {400}
        shared.ok("DELETE", "transit/keys/rotated")
        assert {connection.call("POST", "transit/decrypt/rotated", {"ciphertext": old})[0] for connection in connections} == {400}


def test_a_barrier_that_is_rotated_is_read_everywhere(shared: VaultProcess):
    with everywhere(shared) as connections:
        for number in range(3):
            shared.ok("PUT", "sys/rotate")
            shared.ok("POST", "secret/data/barrier", {"data": {"n": number}})
            assert [one.call("GET", "secret/data/barrier")[1]["data"]["data"]["n"] for one in connections] == [
                number
            ] * CONNECTIONS


def test_a_revoked_token_and_a_changed_policy_hold_at_once_everywhere(shared: VaultProcess):
    shared.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    shared.ok("POST", "secret/data/revoked", {"data": {"n": 1}})
    for _ in range(5):
        token = a_token(shared)
        with everywhere(shared, token) as connections:
            assert {connection.call("GET", "secret/data/revoked")[0] for connection in connections} == {200}
            shared.ok("PUT", "sys/policies/acl/reader", {"policy": 'path "other/*" { capabilities = ["read"] }'})
            assert {connection.call("GET", "secret/data/revoked")[0] for connection in connections} == {403}
            shared.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
            assert {connection.call("GET", "secret/data/revoked")[0] for connection in connections} == {200}
            shared.ok("POST", "auth/token/revoke", {"token": token})
            assert {connection.call("GET", "secret/data/revoked")[0] for connection in connections} == {403}


def test_an_entity_that_is_disabled_or_loses_its_policy_is_refused_everywhere(shared: VaultProcess):
    shared.ok(
        "PUT", "sys/policies/acl/named", {"policy": 'path "secret/data/{{identity.entity.name}}" { capabilities = ["read"] }'}
    )
    shared.ok("POST", "sys/auth/userpass", {"type": "userpass"})
    shared.ok("POST", "auth/userpass/users/ann", {"password": "a long one"})
    shared.ok("POST", "secret/data/ann", {"data": {"n": 1}})
    login = shared.ok("POST", "auth/userpass/login/ann", {"password": "a long one"})["auth"]
    entity = login["entity_id"]
    with everywhere(shared, login["client_token"]) as connections:
        assert {connection.call("GET", "secret/data/ann")[0] for connection in connections} == {403}
        shared.ok("POST", f"identity/entity/id/{entity}", {"name": "ann", "policies": ["named"]})
        assert {connection.call("GET", "secret/data/ann")[0] for connection in connections} == {200}
        shared.ok("POST", f"identity/entity/id/{entity}", {"name": "bob"})
        assert {connection.call("GET", "secret/data/ann")[0] for connection in connections} == {403}
        shared.ok("POST", f"identity/entity/id/{entity}", {"name": "ann"})
        assert {connection.call("GET", "secret/data/ann")[0] for connection in connections} == {200}
        shared.ok("POST", f"identity/entity/id/{entity}", {"disabled": True})
        assert {connection.call("GET", "secret/data/ann")[0] for connection in connections} == {403}


def test_a_cedar_policy_and_an_unmounted_engine_hold_at_once_everywhere(vault: VaultProcess):
    vault.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    vault.ok("POST", "secret/data/a", {"data": {"n": 1}})
    with everywhere(vault, a_token(vault)) as connections:
        assert {connection.call("GET", "secret/data/a")[0] for connection in connections} == {200}
        vault.ok("PUT", "sys/policies/cedar/none", {"policy": "forbid (principal, action, resource);"})
        assert {connection.call("GET", "secret/data/a")[0] for connection in connections} == {403}
        vault.ok("DELETE", "sys/policies/cedar/none")
        assert {connection.call("GET", "secret/data/a")[0] for connection in connections} == {200}
        vault.ok("DELETE", "sys/mounts/secret")
        assert {connection.call("GET", "secret/data/a")[0] for connection in connections} == {404}


def test_a_token_with_ten_uses_has_ten_uses_over_all_processes(shared: VaultProcess):
    shared.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    shared.ok("POST", "secret/data/ten", {"data": {"n": 1}})
    with everywhere(shared, a_token(shared, num_uses=10)) as connections:
        statuses = [connections[number % CONNECTIONS].call("GET", "secret/data/ten")[0] for number in range(14)]
    assert statuses == [200] * 10 + [403] * 4


def test_a_token_whose_time_is_over_is_refused_everywhere(shared: VaultProcess):
    shared.ok("PUT", "sys/policies/acl/reader", {"policy": READER})
    shared.ok("POST", "secret/data/brief", {"data": {"n": 1}})
    with everywhere(shared, a_token(shared, ttl="2s")) as connections:
        assert {connection.call("GET", "secret/data/brief")[0] for connection in connections} == {200}
        until(lambda: connections[0].call("GET", "secret/data/brief")[0] == 403)
        assert {connection.call("GET", "secret/data/brief")[0] for connection in connections} == {403}


def test_a_sealed_vault_is_sealed_everywhere_and_answers_again_when_it_is_unsealed(shared: VaultProcess):
    shared.ok("POST", "secret/data/sealed", {"data": {"n": 1}})
    with everywhere(shared) as connections:
        assert {connection.call("GET", "secret/data/sealed")[0] for connection in connections} == {200}
        assert connections[0].call("PUT", "sys/seal")[0] == 204
        until(lambda: shared.ok("GET", "sys/seal-status")["sealed"])
        assert {connection.call("GET", "secret/data/sealed")[0] for connection in connections} == {503}
        shared.unseal()
        assert {connection.call("GET", "secret/data/sealed")[0] for connection in connections} == {200}


def test_a_worker_that_comes_late_answers_although_nothing_changes_any_more(vault: VaultProcess):
    vault.ok("POST", "secret/data/a", {"data": {"n": 1}})
    for process in workers(vault):
        os.kill(process, signal.SIGKILL)
        until(lambda process=process: process not in workers(vault))
    until(lambda: has_workers(vault))
    with everywhere(vault) as connections:
        for connection in connections:
            assert connection.call("GET", "secret/data/a")[1]["data"]["data"] == {"n": 1}


def test_a_killed_worker_loses_nothing_and_is_replaced(vault: VaultProcess, tmp_path: Path):
    vault.ok("POST", "transit/keys/k", {})
    load = Load(vault, 6)
    try:
        for _ in range(3):
            before = workers(vault)
            answers = load.answers
            os.kill(before[0], signal.SIGKILL)
            until(lambda before=before: len(workers(vault)) == PROCESSES - 1 and before[0] not in workers(vault))
            until(lambda answers=answers: load.answers > answers + 100)
    finally:
        load.stop()
    assert load.wrong == []
    assert len(load.acknowledged) == 6
    for path, written in load.acknowledged.items():
        assert vault.ok("GET", path)["data"]["data"]["n"] >= written
    vault.kill(signal.SIGTERM)
    lines = read_audit(tmp_path / "audit.log")
    assert verify(tmp_path / "audit.log", None, backend("openssl")).ok
    requests = [line["request"]["id"] for line in lines if line["type"] == "request"]
    answered = {line["request"]["id"] for line in lines if line["type"] == "response"}
    assert answered <= set(requests)
    assert len(requests) == len(set(requests)) >= load.answers


def read_audit(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines() if not line.startswith('{"type":"chain"')]


def test_every_answer_of_every_process_stands_in_one_chain_and_is_counted(vault: VaultProcess, tmp_path: Path):
    vault.ok("POST", "transit/keys/k", {"type": "ed25519"})
    vault.ok("POST", "secret/data/a", {"data": {"n": 1}})
    ids = []
    with everywhere(vault) as connections:
        for _ in range(20):
            for connection in connections:
                ids.append(connection.call("GET", "secret/data/a")[1]["request_id"])
                ids.append(connection.call("POST", "transit/sign/k", {"input": TEXT})[1]["request_id"])

    def counted() -> bool:
        text = metrics(vault)
        reads = 'vault_core_handle_request_count{engine="kv",operation="read"} 120.0'
        return reads in text

    until(counted)
    vault.kill(signal.SIGTERM)
    found = verify(tmp_path / "audit.log", None, backend("openssl"))
    assert found.ok, found
    lines = read_audit(tmp_path / "audit.log")
    for kind in ("request", "response"):
        assert set(ids) <= {line["request"]["id"] for line in lines if line["type"] == kind}
    one = next(line for line in lines if line["type"] == "request" and line["request"]["id"] == ids[-2])
    again = next(line for line in lines if line["type"] == "request" and line["request"]["id"] == ids[0])
    assert one["auth"] == again["auth"], "whoever answers writes the same"
    assert one["request"]["remote_address"] == "127.0.0.1"
    assert TEXT not in (tmp_path / "audit.log").read_text()


def test_a_killed_server_takes_its_workers_along_and_starts_again(vault: VaultProcess):
    vault.ok("POST", "secret/data/a", {"data": {"n": 1}})
    before = workers(vault)
    with everywhere(vault) as connections:
        for connection in connections:
            connection.call("GET", "secret/data/a")
        vault.kill()
    until(lambda: not any(Path(f"/proc/{process}").exists() for process in before))
    vault.start()
    vault.unseal()
    assert vault.ok("GET", "secret/data/a")["data"]["data"] == {"n": 1}


def test_no_key_stands_on_a_workers_command_line_or_in_its_environment(shared: VaultProcess):
    for process in workers(shared):
        folder = Path(f"/proc/{process}")
        seen = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
        assert shared.key.encode() not in seen
        assert shared.root.encode() not in seen
        assert b"SVAULT_" not in seen
        [core] = [line for line in (folder / "limits").read_text().splitlines() if line.startswith("Max core file size")]
        assert core.split()[4:6] == ["0", "0"]


def test_nothing_is_answered_anywhere_while_the_audit_cannot_be_written(tmp_path: Path):
    with small_disk(tmp_path / "disk", 256 << 10):
        more = audited(tmp_path / "disk" / "audit.log")
        server = VaultProcess(tmp_path / "server", filesystem(tmp_path / "data"), more, server=f"workers = {PROCESSES}")
        server.start()
        try:
            server.initialize()
            until(lambda: has_workers(server))
            server.ok("POST", "secret/data/a", {"data": {"n": 1}})
            with everywhere(server) as connections:
                ballast = fill(tmp_path / "disk")
                for path in ("secret/data/a", "nowhere"):
                    until(lambda path=path: connections[0].call("GET", path)[0] == 500)
                for connection in connections:
                    status, body = connection.call("GET", "secret/data/a")
                    assert (status, body) == (500, {"errors": ["internal error"]})
                ballast.unlink()
                assert {connection.call("GET", "secret/data/a")[0] for connection in connections} == {200}
        finally:
            with suppress(OSError):
                server.kill()


def test_a_worker_answers_from_what_it_holds_and_no_longer_than_the_active_process_is_alive(tmp_path: Path):
    server = VaultProcess(tmp_path / "server", filesystem(tmp_path / "data"), server=f"workers = {PROCESSES}")
    server.start()
    try:
        server.initialize()
        until(lambda: has_workers(server))
        server.ok("POST", "secret/data/a", {"data": {"n": 1}})
        with everywhere(server) as connections:
            for connection in connections:
                assert connection.call("GET", "secret/data/a")[0] == 200
            answered = until(lambda: answered_without(server, connections))
            for connection in answered:
                assert connection.receive()[0] == 200
            first, *others = answered
            until(lambda: not still_answers(first))
            for connection in others:
                connection.send("GET", "secret/data/a")
            assert not any(connection.has_answer(0.2) for connection in others)
            server.send(signal.SIGCONT)
            for connection in connections:
                assert connection.receive()[0] == 200
    finally:
        server.kill()


def answered_without(server: VaultProcess, connections: list[Connection]) -> list[Connection]:
    """Stop the active process; those that workers answer then. None, and it goes on, when the machine was too slow for that."""
    server.send(signal.SIGSTOP)
    for connection in connections:
        connection.send("GET", "secret/data/a")
    theirs = len(connections) // PROCESSES * (PROCESSES - 1)
    with suppress(AssertionError):
        until(lambda: len([one for one in connections if one.has_answer()]) == theirs, 2)
    found = [one for one in connections if one.has_answer()]
    if len(found) < theirs:
        server.send(signal.SIGCONT)
        for connection in connections:
            connection.receive()
        return []
    return found


def still_answers(connection: Connection) -> bool:
    """Whether a request is answered at once; one that is not stays under way."""
    connection.send("GET", "secret/data/a")
    return connection.has_answer(0.5) and connection.receive()[0] == 200


def test_one_process_is_enough_when_the_setting_says_so(tmp_path: Path):
    server = VaultProcess(tmp_path / "server", filesystem(tmp_path / "data"), server="workers = 1")
    server.start()
    try:
        server.initialize()
        server.ok("POST", "secret/data/a", {"data": {"n": 1}})
        assert workers(server) == []
    finally:
        server.kill()
