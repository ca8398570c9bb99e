"""The real API's recorded exchanges against our client, and our requests against the recorded ones."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from tests.provisioning.upcloud import recordings
from tests.provisioning.upcloud.examples import EXAMPLES
from tests.provisioning.upcloud.fake import VERBS, FakeUpCloud
from tests.provisioning.upcloud.recordings import Exchange

from provisioning.errors import ProviderError
from provisioning.providers.base import Account, NoCalls
from provisioning.providers.upcloud import firewall, machines
from provisioning.providers.upcloud.api import Api, GoneError
from provisioning.providers.upcloud.balancer_body import observed
from provisioning.providers.upcloud.cloud import Cloud, Pace
from provisioning.providers.upcloud.provider import UpCloud


class Replay:
    """Answers recorded exchanges in their order; a request that is not the recorded one is answered with 599."""

    def __init__(self, exchanges: tuple[Exchange, ...]) -> None:
        self.left = list(exchanges)
        self.wrong: list[Any] = []
        replay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 65536

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                expected = replay.left.pop(0) if replay.left else None
                asked = (self.command, self.path, body)
                if expected is None or asked != (expected.method, f"/1.3{expected.path}", expected.body):
                    replay.wrong.append((asked, expected))
                    status, content = 599, b""
                else:
                    status = expected.status
                    content = b"" if expected.answer is None else json.dumps(expected.answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        for verb in VERBS:
            setattr(Handler, f"do_{verb}", Handler.answer)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def replaying() -> Iterator[Any]:
    """A connection to a server that replays some exchanges."""
    running: list[tuple[Replay, Api]] = []

    def start(exchanges: tuple[Exchange, ...]) -> tuple[Replay, Cloud]:
        replay = Replay(exchanges)
        account = Account("test", "upcloud", "", f"http://127.0.0.1:{replay.server.server_port}", {}, {"token": "recorded"})
        api = Api(account, 5)
        running.append((replay, api))
        return replay, Cloud(api, account, Pace(0.001, 20))

    yield start
    for replay, api in running:
        api.close()
        replay.end()


@pytest.mark.parametrize("name", recordings.names())
def test_every_recorded_exchange_goes_through_our_client_unchanged(replaying, name):
    exchanges = recordings.scenario(name)
    replay, cloud = replaying(exchanges)
    for one in exchanges:
        path, _, query = one.path.partition("?")
        pairs = [(key, re.sub("%3D", "=", value)) for key, _, value in (each.partition("=") for each in query.split("&") if each)]
        send = {
            "GET": lambda path=path, pairs=pairs: cloud.api.get(path, pairs),
            "POST": lambda path=path, one=one: cloud.api.post(path, one.body),
            "PUT": lambda path=path, one=one: cloud.api.put(path, one.body),
            "PATCH": lambda path=path, one=one: cloud.api.patch(path, one.body),
            "DELETE": lambda path=path, pairs=pairs: cloud.api.delete(path, pairs),
        }[one.method]
        if one.status < 400:
            assert send() == one.answer
        elif one.method == "DELETE" and one.status == 404:
            assert send() is None
        else:
            with pytest.raises(GoneError if one.status == 404 else ProviderError) as caught:
                send()
            assert caught.value.details["status"] == one.status
            assert caught.value.details["error_code"]
    assert replay.wrong == []
    assert replay.left == []


def test_the_recorded_rules_of_a_firewall_are_written_as_they_were_and_read_back(replaying):
    exchanges = recordings.scenario("firewallrules")
    number = next(number for number, one in enumerate(exchanges) if one.method == "PUT")
    put, read = exchanges[number : number + 2]
    server = put.path.split("/")[2]
    replay, cloud = replaying((put, read))
    rules = put.body["firewall_rules"]["firewall_rule"]
    firewall.write(cloud, server, rules, NoCalls(), now=[])
    assert firewall.current(cloud, server) == rules
    assert replay.wrong == []


def test_the_recorded_states_of_a_server_are_waited_through(replaying):
    create, *looks = recordings.scenario("createmodifydeleteserver")[:3]
    looks = [one for one in looks if one.method == "GET"]
    states = [one.answer["server"]["state"] for one in (create, *looks)]
    assert states[0] == "maintenance"
    assert states[-1] == "started"
    replay, cloud = replaying(tuple(looks))
    row = machines.settled(cloud, create.answer["server"]["uuid"], NoCalls())
    assert row["state"] == "started"
    assert replay.left == []


def test_every_recorded_server_storage_network_and_balancer_can_be_told(replaying):
    _, cloud = replaying(())
    provider = UpCloud(cloud.account)
    told = {"server": 0, "load_balancer": 0, "subnet": 0}
    for name in recordings.names():
        for one in recordings.scenario(name):
            row = one.answer if isinstance(one.answer, dict) else {}
            if "networking" in row.get("server", {}):
                server = row["server"]
                # Its backup rule is in another answer.
                found = provider._servers._found({**server, "storage_devices": {"storage_device": []}}, {}, {})
                assert found.values["plan"] == "custom"
                assert found.status in {"running", "stopped", "pending"}
                told["server"] += 1
            if "operational_state" in row:
                assert observed(row, {})["name"] == row["name"]
                told["load_balancer"] += 1
            if row.get("network", {}).get("type") == "private":
                assert provider._makers["subnet"].found(row["network"], {}).values["cidr"]
                told["subnet"] += 1
    assert all(told.values()), told


# Requests that no recording has; the answers of the fake to them follow the API's documentation.
UNRECORDED = {
    ("GET", "/account"), ("GET", "/storage/template"), ("GET", "/storage/backup"), ("POST", "/storage/ID/backup"),
    ("GET", "/load-balancer/certificate-bundles"), ("POST", "/load-balancer/ID/backends"),
    ("PATCH", "/load-balancer/ID/backends/NAME"), ("POST", "/load-balancer/ID/backends/NAME/members"),
    ("DELETE", "/load-balancer/ID/backends/NAME/members/NAME"), ("DELETE", "/load-balancer/ID/backends/NAME"),
    ("DELETE", "/load-balancer/ID/frontends/NAME"),
}  # fmt: skip
# Beginnings of fields that no recording of that request has, for the same reason.
UNRECORDED_FIELDS = {
    ("POST", "/network"): ("network.router",),
    ("PATCH", "/router/ID"): ("router.labels.[]",),
    ("POST", "/storage"): ("storage.encrypted",),
    ("PUT", "/storage/ID"): ("storage.backup_rule",),
    ("POST", "/server"): (
        "server.firewall", "server.plan", "server.storage_devices.storage_device.[].encrypted",
        "server.storage_devices.storage_device.[].labels",
    ),
    ("PUT", "/server/ID"): ("server.firewall", "server.plan"),
    ("PUT", "/server/ID/firewall_rule"): (
        "firewall_rules.firewall_rule.[].source_address", "firewall_rules.firewall_rule.[].source_port",
    ),
    ("POST", "/load-balancer"): (
        "labels", "backends.[].members.[]", "backends.[].properties", "frontends.[].rules", "frontends.[].tls_configs",
    ),
    ("PATCH", "/load-balancer/ID"): ("labels",),
}  # fmt: skip


def pattern(path: str) -> str:
    """A path without what is another in every request."""
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", path.partition("?")[0]).rstrip("/")
    path = re.sub(r"/(frontends|backends|members)/[^/]+", r"/\1/NAME", path)
    return re.sub(r"/interface/[0-9]+", "/interface/INDEX", path)


def fields(body: Any) -> set[str]:
    """The names of a body's fields by where they stand: `server.labels.label[].key`."""
    if isinstance(body, dict):
        return {name for key, value in body.items() for name in {key, *(f"{key}.{inner}" for inner in fields(value))}}
    if isinstance(body, list):
        return {f"[].{name}" for one in body for name in fields(one)}
    return set()


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_what_we_send_has_the_form_of_what_was_recorded(fake: FakeUpCloud, provider: UpCloud, build, change, example):
    known: dict[tuple[str, str], set[str]] = {}
    for name in recordings.names():
        for one in recordings.scenario(name):
            known.setdefault((one.method, pattern(one.path)), set()).update(fields(one.body))
    world = build(example.configuration(""))
    change(world, str(example), example.changed(""))
    world.clear()
    provider.test()
    provider.catalogue()
    seen, unknown = set(), set()
    for request in fake.requests:
        call = (request.method, pattern(request.path))
        seen.add(call)
        if call in UNRECORDED:
            continue
        if call not in known:
            unknown.add(call)
            continue
        strange = {name for name in fields(request.body) - known[call] if not name.startswith(UNRECORDED_FIELDS.get(call, ()))}
        assert strange == set(), call
    assert unknown == set()
    assert len(seen - UNRECORDED) > 5
