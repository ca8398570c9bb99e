"""Load balancers of the fake UpCloud: a managed service, which answers and refuses in another shape."""

import copy
from typing import Any

from tests.provisioning.upcloud import recordings
from tests.provisioning.upcloud.fake_store import MissingServiceError, Request, Row, Store, checked_labels, filtered

Answer = tuple[int, Any]
BUNDLE = {"uuid": "0aded5c1-c7a3-498a-b9c8-a871611c47a2", "name": "shop", "type": "manual", "operational_state": "idle"}


def _balancer(store: Store, uuid: str) -> Row:
    if uuid not in store.balancers:
        raise MissingServiceError
    return store.balancers[uuid]


def list_balancers(store: Store, request: Request) -> Answer:
    query = dict(request.query)
    limit, offset = int(query.get("limit", 100)), int(query.get("offset", 0))
    return 200, copy.deepcopy(filtered(list(store.balancers.values()), request)[offset : offset + limit])


def make_balancer(store: Store, request: Request) -> Answer:
    row, asked = recordings.answer("loadbalancernetworks", "POST", "/load-balancer"), request.body
    uuid = store.uuid("0a")
    row.update(
        {name: asked[name] for name in ("name", "plan", "zone", "configured_status")}, uuid=uuid, backends=[], frontends=[],
        labels=checked_labels(asked.get("labels", [])), networks=[], dns_name=f"lb-{uuid.replace('-', '')}-1.upcloudlb.com",
    )  # fmt: skip
    for network in asked["networks"]:
        if network["type"] == "private":
            store.get("network", network["uuid"])
        row["networks"].append({**network, "dns_name": row["dns_name"]})
    for backend in asked["backends"]:
        _add_backend(row, backend)
    for frontend in asked["frontends"]:
        _add_frontend(row, frontend)
    store.balancers[uuid] = row
    store.become(uuid, "running")
    return 201, copy.deepcopy(row)


def _add_backend(row: Row, asked: Row) -> Row:
    backend = recordings.answer("loadbalancernetworks", "POST", "/load-balancer")["backends"][0]
    backend["properties"].update(asked.get("properties", {}))
    backend.update(name=asked["name"], members=copy.deepcopy(asked["members"]))
    row["backends"].append(backend)
    return backend


def _add_frontend(row: Row, asked: Row) -> Row:
    frontend: Row = recordings.answer("loadbalancernetworks", "POST", "/load-balancer/", 0)
    assert asked["default_backend"] in {one["name"] for one in row["backends"]}
    frontend.update(asked)
    row["frontends"].append(frontend)
    return frontend


def get_balancer(store: Store, _: Request, uuid: str) -> Answer:
    row = _balancer(store, uuid)
    state = store.due(uuid)
    if state == "gone":
        del store.balancers[uuid]
        raise MissingServiceError
    if state == "running":
        row["nodes"] = recordings.answer("loadbalancer", "PATCH", "/load-balancer/")["nodes"]
    row["operational_state"] = state or row["operational_state"]
    return 200, copy.deepcopy(row)


def change_balancer(store: Store, request: Request, uuid: str) -> Answer:
    row = _balancer(store, uuid)
    checked_labels(request.body.get("labels", []))
    row.update({name: request.body[name] for name in ("name", "labels", "plan") if name in request.body})
    return 200, copy.deepcopy(row)


def delete_balancer(store: Store, _: Request, uuid: str) -> Answer:
    row = _balancer(store, uuid)
    row["operational_state"] = "delete-network"
    store.become(uuid, "gone")
    return 204, None


def _named(rows: list[Row], name: str) -> Row:
    found = next((one for one in rows if one["name"] == name), None)
    if found is None:
        raise MissingServiceError
    return found


def add(store: Store, request: Request, uuid: str, what: str) -> Answer:
    row = _balancer(store, uuid)
    return 201, (_add_backend if what == "backends" else _add_frontend)(row, request.body)


def remove(store: Store, _: Request, uuid: str, what: str, name: str) -> Answer:
    row = _balancer(store, uuid)
    if what == "backends":
        assert name not in {one["default_backend"] for one in row["frontends"]}, "a frontend leads there"
    row[what].remove(_named(row[what], name))
    return 204, None


def change_backend(store: Store, request: Request, uuid: str, name: str) -> Answer:
    backend = _named(_balancer(store, uuid)["backends"], name)
    backend["properties"].update(request.body["properties"])
    return 200, backend


def add_member(store: Store, request: Request, uuid: str, name: str) -> Answer:
    _named(_balancer(store, uuid)["backends"], name)["members"].append(request.body)
    return 201, request.body


def remove_member(store: Store, _: Request, uuid: str, name: str, member: str) -> Answer:
    members = _named(_balancer(store, uuid)["backends"], name)["members"]
    members.remove(_named(members, member))
    return 204, None


_ONE = "/load-balancer/([^/]+)"
ROUTES = (
    ("GET", "/load-balancer/certificate-bundles", lambda *_: (200, [BUNDLE])),
    ("GET", "/load-balancer", list_balancers), ("POST", "/load-balancer", make_balancer), ("GET", _ONE, get_balancer),
    ("PATCH", _ONE, change_balancer), ("DELETE", _ONE, delete_balancer), ("POST", f"{_ONE}/(frontends|backends)", add),
    ("DELETE", f"{_ONE}/(frontends|backends)/([^/]+)", remove), ("PATCH", f"{_ONE}/backends/([^/]+)", change_backend),
    ("POST", f"{_ONE}/backends/([^/]+)/members", add_member),
    ("DELETE", f"{_ONE}/backends/([^/]+)/members/([^/]+)", remove_member),
)  # fmt: skip
