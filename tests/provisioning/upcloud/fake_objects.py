"""Networks, routers, server groups, storages and the account of the fake UpCloud."""

import copy
import ipaddress
from typing import Any

from tests.provisioning.upcloud import fake_servers, recordings
from tests.provisioning.upcloud.fake_store import RefusedError, Request, Row, Store, checked_labels, filtered

TEMPLATES = (
    ("01000000-0000-4000-8000-000030240200", "Ubuntu Server 24.04 LTS (Noble Numbat)", "public"),
    ("01000000-0000-4000-8000-000020070100", "Debian GNU/Linux 12 (Bookworm)", "public"),
    ("01000000-0000-4000-8000-000020080100", "Debian GNU/Linux 13 (Trixie)", "public"),
    ("01000000-0000-4000-8000-000010070300", "Windows Server 2022 Standard", "public"),
    ("01000000-0000-4000-8000-000150020100", "Rocky Linux 9", "public"),
    ("01b00000-0000-4000-8000-000000000001", "alpine-3.22", "private"),
)
Answer = tuple[int, Any]


def list_networks(store: Store, request: Request) -> Answer:
    foreign = recordings.answer("createmodifydeletenetwork", "GET", "/network/")["networks"]["network"]
    return 200, {"networks": {"network": filtered([*foreign, *store.networks.values()], request)}}


def make_network(store: Store, request: Request) -> Answer:
    asked = request.body["network"]
    row = recordings.answer("loadbalancer", "POST", "/network/")["network"]
    wanted = asked["ip_networks"]["ip_network"][0]
    network = ipaddress.ip_network(wanted["address"], strict=False)
    row["ip_networks"]["ip_network"][0].update(wanted, gateway=wanted.get("gateway", str(network[1])))
    uuid = store.uuid("03")
    row.update(name=asked["name"], zone=asked["zone"], uuid=uuid, labels=checked_labels(asked.get("labels", [])))
    if asked.get("router"):
        _join(store, row, asked["router"])
    store.networks[uuid] = row
    return 201, {"network": row}


def get_network(store: Store, _: Request, uuid: str) -> Answer:
    return 200, {"network": store.get("network", uuid)}


def change_network(store: Store, request: Request, uuid: str) -> Answer:
    row, asked = store.get("network", uuid), request.body["network"]
    if "router" in asked:
        row.pop("router", None)
        if asked["router"]:
            _join(store, row, asked["router"])
    if "labels" in asked:
        row["labels"] = checked_labels(asked["labels"])
    row["name"] = asked.get("name", row["name"])
    return 200, {"network": row}


def delete_network(store: Store, _: Request, uuid: str) -> Answer:
    row = store.get("network", uuid)
    if (
        row.get("router")
        or fake_servers.in_network(store, uuid)
        or any(one.get("uuid") == uuid for balancer in store.balancers.values() for one in balancer["networks"])
    ):
        raise RefusedError(409, "NETWORK_IN_USE", f"The network {uuid} is in use.")
    del store.networks[uuid]
    return 204, None


def _join(store: Store, row: Row, router: str) -> None:
    store.get("router", router)
    own = ipaddress.ip_network(row["ip_networks"]["ip_network"][0]["address"], strict=False)
    for other in store.networks.values():
        if other is not row and other.get("router") == router:
            network = ipaddress.ip_network(other["ip_networks"]["ip_network"][0]["address"], strict=False)
            if own.version == network.version and own.overlaps(network):
                raise RefusedError(409, "NETWORKS_OVERLAP", "Networks on a router must not overlap.")
    row["router"] = router


def list_routers(store: Store, request: Request) -> Answer:
    return 200, {"routers": {"router": filtered([_router(store, row) for row in store.routers.values()], request)}}


def _router(store: Store, row: Row) -> Row:
    attached = [{"uuid": one["uuid"]} for one in store.networks.values() if one.get("router") == row["uuid"]]
    return {**row, "attached_networks": {"network": attached}}


def make_router(store: Store, request: Request) -> Answer:
    asked = request.body["router"]
    row = recordings.answer("routerlabelsandfilters", "POST", "/router")["router"]
    row.update(name=asked["name"], labels=checked_labels(asked.get("labels", [])), uuid=store.uuid("04"))
    store.routers[row["uuid"]] = row
    return 201, {"router": row}


def get_router(store: Store, _: Request, uuid: str) -> Answer:
    return 200, {"router": _router(store, store.get("router", uuid))}


def change_router(store: Store, request: Request, uuid: str) -> Answer:
    row, asked = store.get("router", uuid), request.body["router"]
    checked_labels(asked.get("labels", []))
    row.update({name: value for name, value in asked.items() if name in {"name", "labels"}})
    return 200, {"router": _router(store, row)}


def delete_router(store: Store, _: Request, uuid: str) -> Answer:
    if _router(store, store.get("router", uuid))["attached_networks"]["network"]:
        raise RefusedError(409, "ROUTER_ATTACHED", f"The router {uuid} has networks.")
    del store.routers[uuid]
    return 204, None


def list_groups(store: Store, request: Request) -> Answer:
    return 200, {"server_groups": {"server_group": filtered(list(store.groups.values()), request)}}


def make_group(store: Store, request: Request) -> Answer:
    asked = request.body["server_group"]
    row = recordings.answer("servergroups", "PATCH", "/server-group/")["server_group"]
    row.update(
        title=asked["title"], labels=checked_labels(asked["labels"]), uuid=store.uuid("0b"),
        anti_affinity=asked.get("anti_affinity", "no"),
    )  # fmt: skip
    store.groups[row["uuid"]] = row
    return 200, {"server_group": row}


def get_group(store: Store, _: Request, uuid: str) -> Answer:
    return 200, {"server_group": store.get("group", uuid)}


def change_group(store: Store, request: Request, uuid: str) -> Answer:
    row = store.get("group", uuid)
    checked_labels(request.body["server_group"].get("labels", []))
    row.update(request.body["server_group"])
    return 200, {"server_group": row}


def delete_group(store: Store, _: Request, uuid: str) -> Answer:
    store.get("group", uuid)
    del store.groups[uuid]
    return 204, None


def list_storages(store: Store, request: Request, which: str | None = None) -> Answer:
    if which == "template":
        pattern = recordings.answer("templatizeserverstorage", "GET", "/storage/")["storage"]
        rows = [{**pattern, "uuid": uuid, "title": title, "access": access} for uuid, title, access in TEMPLATES]
        return 200, {"storages": {"storage": rows}}
    rows = [row for row in store.storages.values() if (row["type"] == "backup") is (which == "backup")]
    # A list tells less than one object does.
    short = [{name: value for name, value in row.items() if name not in {"servers", "backup_rule", "backups"}} for row in rows]
    return 200, {"storages": {"storage": filtered(short, request)}}


def make_storage(store: Store, request: Request) -> Answer:
    asked = request.body["storage"]
    row = new_storage(store, asked["title"], asked["zone"], int(asked["size"]), asked["tier"], asked.get("encrypted", "no"))
    row["labels"] = checked_labels(asked.get("labels", []))
    row["backup_rule"] = asked.get("backup_rule", {})
    row["state"] = "maintenance"
    store.become(row["uuid"], "online")
    return 201, {"storage": row}


def new_storage(store: Store, title: str, zone: str, size: int, tier: str, encrypted: str) -> Row:
    """A storage as it was recorded."""
    if tier not in {"maxiops", "standard", "archive"}:
        raise RefusedError(400, "TIER_INVALID", f"The tier {tier} is invalid.")
    row: Row = recordings.answer("storagelabels", "POST", "/storage")["storage"]
    row.update(
        title=title, zone=zone, size=size, tier=tier, encrypted=encrypted, uuid=store.uuid("01"), labels=[], backup_rule={}
    )
    store.storages[row["uuid"]] = row
    return row


def get_storage(store: Store, _: Request, uuid: str) -> Answer:
    row = store.get("storage", uuid)
    row["state"] = store.due(uuid) or row["state"]
    return 200, {"storage": copy.deepcopy(row)}


def change_storage(store: Store, request: Request, uuid: str) -> Answer:
    row, asked = store.get("storage", uuid), request.body["storage"]
    if row["state"] != "online":
        raise RefusedError(409, "STORAGE_STATE_ILLEGAL", f"The storage {uuid} is in state '{row['state']}'.")
    if "size" in asked:
        if int(asked["size"]) < row["size"]:
            raise RefusedError(400, "SIZE_INVALID", "A storage cannot shrink.")
        if any(store.servers[server]["state"] != "stopped" for server in row["servers"]["server"]):
            raise RefusedError(409, "SERVER_STATE_ILLEGAL", "The storage is attached to a server that is not stopped.")
        row["size"] = int(asked["size"])
    checked_labels(asked.get("labels", []))
    row.update({name: asked[name] for name in ("title", "labels", "backup_rule") if name in asked})
    return 202, {"storage": row}


def delete_storage(store: Store, _: Request, uuid: str) -> Answer:
    row = store.get("storage", uuid)
    if row["servers"]["server"]:
        raise RefusedError(409, "STORAGE_STATE_ILLEGAL", f"The storage {uuid} is attached.")
    del store.storages[uuid]
    return 204, None


def back_up_storage(store: Store, request: Request, uuid: str) -> Answer:
    origin = store.get("storage", uuid)
    row = recordings.answer("resizestoragefilesystem", "POST", "/storage/")["resize_backup"]
    row.update(
        title=request.body["storage"]["title"], origin=uuid, uuid=store.uuid("01"), size=origin["size"], state="maintenance"
    )
    store.storages[row["uuid"]] = row
    store.become(row["uuid"], "online")
    return 201, {"storage": row}


def account(store: Store, _: Request) -> Answer:
    return 200, {"account": {"credits": store.credits, "username": "tester", "resource_limits": {"cores": 200}}}


ROUTES = (
    ("GET", "/account", account),
    ("GET", "/plan", lambda *_: (200, recordings.answer("getplans", "GET", "/plan"))),
    ("GET", "/zone", lambda *_: (200, recordings.answer("getzones", "GET", "/zone"))),
    ("GET", "/network", list_networks), ("POST", "/network", make_network), ("GET", "/network/([^/]+)", get_network),
    ("PUT", "/network/([^/]+)", change_network), ("DELETE", "/network/([^/]+)", delete_network),
    ("GET", "/router", list_routers), ("POST", "/router", make_router), ("GET", "/router/([^/]+)", get_router),
    ("PATCH", "/router/([^/]+)", change_router), ("DELETE", "/router/([^/]+)", delete_router),
    ("GET", "/server-group", list_groups), ("POST", "/server-group", make_group), ("GET", "/server-group/([^/]+)", get_group),
    ("PATCH", "/server-group/([^/]+)", change_group), ("DELETE", "/server-group/([^/]+)", delete_group),
    ("GET", "/storage(?:/(private|template|backup))?", list_storages), ("POST", "/storage", make_storage),
    ("GET", "/storage/([^/]+)", get_storage), ("PUT", "/storage/([^/]+)", change_storage),
    ("DELETE", "/storage/([^/]+)", delete_storage), ("POST", "/storage/([^/]+)/backup", back_up_storage),
    *fake_servers.ROUTES,
)  # fmt: skip
