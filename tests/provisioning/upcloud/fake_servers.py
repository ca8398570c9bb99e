"""Servers of the fake UpCloud, with their disks, interfaces and firewalls."""

import copy
from typing import Any

from tests.provisioning.upcloud import recordings
from tests.provisioning.upcloud.fake_store import RefusedError, Request, Row, Store, checked_labels, filtered

Answer = tuple[int, Any]
_LISTED = frozenset(recordings.answer("getserverswithfilters", "GET", "/server/?")["servers"]["server"][0])


def in_network(store: Store, network: str) -> bool:
    """Whether a server has an interface in a network."""
    return any(one.get("network") == network for server in store.servers.values() for one in _interfaces(server))


def _interfaces(server: Row) -> list[Row]:
    found: list[Row] = server["networking"]["interfaces"]["interface"]
    return found


def list_servers(store: Store, request: Request) -> Answer:
    short = [{name: value for name, value in row.items() if name in _LISTED} for row in store.servers.values()]
    return 200, {"servers": {"server": filtered(short, request)}}


def make_server(store: Store, request: Request) -> Answer:
    from tests.provisioning.upcloud.fake_objects import TEMPLATES, new_storage

    asked = request.body["server"]
    row = recordings.answer("createstoprelocateserver", "POST", "/server")["server"]
    uuid = store.uuid("00")
    row.update(
        uuid=uuid, title=asked["title"], hostname=asked["hostname"], zone=asked["zone"], firewall=asked.get("firewall", "off"),
        labels=checked_labels(asked.get("labels", {"label": []})), metadata=asked.get("metadata", "no"), state="maintenance",
    )  # fmt: skip
    _size(row, asked)
    row["networking"] = {"interfaces": {"interface": []}}
    for interface in asked["networking"]["interfaces"]["interface"]:
        _plug(store, row, interface)
    pattern = row["storage_devices"]["storage_device"][0]
    row["storage_devices"]["storage_device"] = []
    for number, device in enumerate(asked["storage_devices"]["storage_device"]):
        template = next((one for one in TEMPLATES if one[0] == device["storage"]), None)
        if template is None:
            raise RefusedError(404, "STORAGE_NOT_FOUND", f"The storage {device['storage']} does not exist.")
        storage = new_storage(
            store, device["title"], asked["zone"], device["size"], device["tier"], device.get("encrypted", "no")
        )
        storage["labels"] = [*_os_labels(pattern["labels"], template), *checked_labels(device.get("labels", []))]
        _put(storage, row, f"virtio:{number}", pattern)
    store.servers[uuid] = row
    store.firewalls[uuid] = []
    store.become(uuid, "started")
    if asked.get("login_user", {}).get("create_password") == "no":
        row = {name: value for name, value in row.items() if name != "password"}
    else:
        row = {**row, "password": "made-for-this-server"}
    store.servers[uuid].pop("password", None)
    return 202, {"server": copy.deepcopy(row)}


def _os_labels(recorded: list[Row], template: tuple[str, str, str]) -> list[Row]:
    uuid, title, _ = template
    family = title.split(" ")[0].lower().partition("-")[0]
    version = next(word for word in title.replace("-", " ").split() if word[0].isdigit())
    values = {"_os_type": family, "_os_brand_version": version, "_template_uuid": uuid}
    return [{"key": one["key"], "value": values.get(one["key"], one["value"])} for one in recorded]


def _size(row: Row, asked: Row) -> None:
    name = asked.get("plan", "custom")
    if name == "custom":
        if "core_number" in asked:
            row.update(plan=name, core_number=asked["core_number"], memory_amount=asked["memory_amount"])
        return
    plans = recordings.answer("getplans", "GET", "/plan")["plans"]["plan"]
    plan = next((one for one in plans if one["name"] == name), None)
    if plan is None:
        raise RefusedError(404, "PLAN_NOT_FOUND", f"The plan {name} does not exist.")
    row.update(plan=name, core_number=str(plan["core_number"]), memory_amount=str(plan["memory_amount"]))


def _put(storage: Row, server: Row, address: str, pattern: Row) -> None:
    device = {
        **copy.deepcopy(pattern), "address": address, "storage": storage["uuid"], "storage_size": storage["size"],
        "storage_tier": storage["tier"], "storage_title": storage["title"], "storage_encrypted": storage["encrypted"],
        "labels": storage["labels"],
    }  # fmt: skip
    server["storage_devices"]["storage_device"].append(device)
    storage["servers"]["server"] = [server["uuid"]]


def _plug(store: Store, server: Row, asked: Row) -> Row:
    pattern: Row = recordings.answer("createmodifydeletenetwork", "POST", "/networking/interface")["interface"]
    if asked["type"] == "private":
        store.get("network", asked["network"])
    index = max((one["index"] for one in _interfaces(server)), default=0) + 1
    store.made += 1
    net = {"public": "94.237.9", "utility": "10.6.6", "private": "172.17.0"}[asked["type"]]
    pattern.update(index=index, type=asked["type"], network=asked.get("network", "03000000-0000-4000-8095-000000000000"))
    pattern["ip_addresses"]["ip_address"][0]["address"] = f"{net}.{store.made % 250 + 2}"
    _interfaces(server).append(pattern)
    return pattern


def _server(store: Store, uuid: str, *states: str) -> Row:
    row = store.get("server", uuid)
    if states and row["state"] not in states:
        words = f"The operation is not allowed while the server {uuid} is in state '{row['state']}'."
        raise RefusedError(409, "SERVER_STATE_ILLEGAL", words)
    return row


def get_server(store: Store, _: Request, uuid: str) -> Answer:
    row = _server(store, uuid)
    row["state"] = store.due(uuid) or row["state"]
    for device in row["storage_devices"]["storage_device"]:
        device["storage_size"] = store.storages[device["storage"]]["size"]
    return 200, {"server": copy.deepcopy(row)}


def change_server(store: Store, request: Request, uuid: str) -> Answer:
    asked = request.body["server"]
    row = _server(store, uuid, *(("stopped",) if "plan" in asked or "core_number" in asked else ("started", "stopped")))
    checked_labels(asked.get("labels", []))
    row.update({name: asked[name] for name in ("title", "hostname", "labels", "firewall") if name in asked})
    if "plan" in asked:
        _size(row, asked)
    return 202, {"server": copy.deepcopy(row)}


def stop(store: Store, request: Request, uuid: str) -> Answer:
    assert set(request.body) == {"stop_server"}
    row = _server(store, uuid, "started")
    store.become(uuid, "stopped")
    return 200, {"server": copy.deepcopy(row)}


def start(store: Store, _: Request, uuid: str) -> Answer:
    row = _server(store, uuid, "stopped")
    row["state"] = "maintenance"
    store.become(uuid, "started")
    return 200, {"server": copy.deepcopy(row)}


def delete_server(store: Store, request: Request, uuid: str) -> Answer:
    row = _server(store, uuid, "stopped")
    for device in row["storage_devices"]["storage_device"]:
        store.storages[device["storage"]]["servers"]["server"] = []
        if ("storages", "1") in request.query:
            del store.storages[device["storage"]]
    del store.servers[uuid], store.firewalls[uuid]
    store.deleted.add(uuid)
    return 204, None


def attach(store: Store, request: Request, uuid: str) -> Answer:
    row, asked = _server(store, uuid, "started", "stopped"), request.body["storage_device"]
    storage = store.get("storage", asked["storage"])
    if storage["servers"]["server"] or storage["state"] != "online":
        raise RefusedError(409, "STORAGE_STATE_ILLEGAL", f"The storage {storage['uuid']} is in use.")
    pattern = recordings.answer("attachdetachstorage", "POST", "/storage/attach")["server"]["storage_devices"]["storage_device"][
        -1
    ]
    used = {device["address"] for device in row["storage_devices"]["storage_device"]}
    _put(storage, row, next(f"virtio:{number}" for number in range(16) if f"virtio:{number}" not in used), pattern)
    return 200, {"server": copy.deepcopy(row)}


def detach(store: Store, request: Request, uuid: str) -> Answer:
    row, address = _server(store, uuid, "started", "stopped"), request.body["storage_device"]["address"]
    devices = row["storage_devices"]["storage_device"]
    device = next((one for one in devices if one["address"] == address), None)
    if device is None:
        raise RefusedError(404, "STORAGE_NOT_FOUND", f"There is no storage at {address}.")
    devices.remove(device)
    store.storages[device["storage"]]["servers"]["server"] = []
    return 200, {"server": copy.deepcopy(row)}


def plug(store: Store, request: Request, uuid: str) -> Answer:
    return 201, {"interface": _plug(store, _server(store, uuid, "stopped"), request.body["interface"])}


def unplug(store: Store, _: Request, uuid: str, index: str) -> Answer:
    row = _server(store, uuid, "stopped")
    found = next((one for one in _interfaces(row) if one["index"] == int(index)), None)
    if found is None:
        raise RefusedError(404, "INTERFACE_NOT_FOUND", f"There is no interface {index}.")
    _interfaces(row).remove(found)
    return 204, None


def get_firewall(store: Store, _: Request, uuid: str) -> Answer:
    if uuid in store.deleted:
        raise RefusedError(403, "SERVER_FORBIDDEN", f"The server {uuid} is owned by another account.")
    _server(store, uuid)
    return 200, {"firewall_rules": {"firewall_rule": store.firewalls[uuid]}}


def put_firewall(store: Store, request: Request, uuid: str) -> Answer:
    if uuid in store.deleted:
        raise RefusedError(403, "SERVER_FORBIDDEN", f"The server {uuid} is owned by another account.")
    _server(store, uuid, "started", "stopped")
    pattern = recordings.answer("firewallrules", "GET", "/firewall_rule", -1)["firewall_rules"]["firewall_rule"][-1]
    empty = dict.fromkeys(pattern, "")
    asked = request.body["firewall_rules"]["firewall_rule"]
    for rule in asked:
        if not set(rule) <= set(pattern):
            raise RefusedError(400, "UNKNOWN_ATTRIBUTE", f"Unknown attribute {sorted(set(rule) - set(pattern))}.")
    store.firewalls[uuid] = [{**empty, **rule, "position": str(number)} for number, rule in enumerate(asked, 1)]
    return 204, None


ROUTES = (
    ("GET", "/server", list_servers), ("POST", "/server", make_server), ("GET", "/server/([^/]+)", get_server),
    ("PUT", "/server/([^/]+)", change_server), ("DELETE", "/server/([^/]+)", delete_server),
    ("POST", "/server/([^/]+)/stop", stop), ("POST", "/server/([^/]+)/start", start),
    ("POST", "/server/([^/]+)/storage/attach", attach), ("POST", "/server/([^/]+)/storage/detach", detach),
    ("POST", "/server/([^/]+)/networking/interface", plug),
    ("DELETE", "/server/([^/]+)/networking/interface/([0-9]+)", unplug),
    ("GET", "/server/([^/]+)/firewall_rule", get_firewall), ("PUT", "/server/([^/]+)/firewall_rule", put_firewall),
)  # fmt: skip
