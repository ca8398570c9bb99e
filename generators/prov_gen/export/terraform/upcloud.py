"""UpCloud: servers, disks, clusters, databases, object storage. For UpCloudLtd/upcloud."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import find_plan
from prov_gen.export.terraform.document import Body, reference
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.parts import leave_unwritten, region_row, sku_rows
from prov_gen.export.terraform.rows import Attribute, Special, Tags, find, settle
from prov_gen.export.terraform.table import Found, Main

_LABELS = Tags("labels", key=r"[ -~]{2,32}", value=r".{0,255}")
_TEMPLATES = {"ubuntu": "Ubuntu Server {} LTS", "debian": "Debian GNU/Linux {}", "rocky": "Rocky Linux {}"}


def _write_template(item: Item, body: Body) -> None:
    family = item.get("spec.os.family")
    version = item.get("spec.os.version") or catalogue.images()[family].default
    if family not in _TEMPLATES:
        item.leave("spec.os", f"UpCloud has no template of {family}")
        return
    body["template"] = {
        "storage": _TEMPLATES[family].format(version),
        "size": item.get("spec.disk_gb"),
        "encrypt": item.get("spec.encrypted_disk"),
    }


def _read_template(body: Body, record: dict[str, Any]) -> None:
    found = re.fullmatch(r"(Ubuntu|Debian|Rocky)\D+([0-9.]+)( LTS)?", str(find(body, "template.storage")))
    if found:
        settle(record, "spec.os", {"family": found[1].lower(), "version": found[2]})
    Attribute("spec.disk_gb", "template.size").read(body, record)
    Attribute("spec.encrypted_disk", "template.encrypt", absent=False).read(body, record)


def _write_interfaces(item: Item, body: Body) -> None:
    kinds = ["public", "utility"] if item.get("networking.public_ip") else ["utility"]
    body["network_interface"] = [{"type": kind} for kind in kinds]


def _read_interfaces(body: Body, record: dict[str, Any]) -> None:
    kinds = body.get("network_interface", [])
    public = any(isinstance(one, dict) and one.get("type") == "public" for one in (kinds if isinstance(kinds, list) else [kinds]))
    settle(record, "networking.public_ip", public)


SERVER = Main(
    "server",
    "upcloud_server",
    (
        Attribute("name", "hostname"),
        region_row("zone"),
        sku_rows("plan"),
        Special(_write_template, _read_template),
        Special(_write_interfaces, _read_interfaces),
        Attribute("user_data", "user_data"),
        Special(lambda _item, body: body.update(metadata=True)),
        _LABELS,
    ),
    more=leave_unwritten("server"),
)
VOLUME = Main(
    "volume",
    "upcloud_storage",
    (
        Attribute("name", "title"),
        region_row("zone"),
        Attribute("size_gb", "size"),
        Attribute("type", "tier", {"ssd": "maxiops", "hdd": "hdd"}),
        Attribute("encrypted", "encrypt", absent=False),
        _LABELS,
    ),
)


def _nodes(item: Item) -> None:
    workers = item.inside(item.record.workers, "")
    plan = workers.get("plan")
    sku = find_plan("upcloud", plan)
    body = {"cluster": reference("upcloud_kubernetes_cluster", item.label), "name": "workers", "node_count": workers.get("count")}
    item.put("upcloud_kubernetes_node_group", f"{item.label}_workers", body | {"plan": sku.name if sku else plan})


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    record["managed"] = True
    group = found("upcloud_kubernetes_node_group").get(f"{label}_workers", {})
    for name, attribute in (("count", "node_count"), ("plan", "plan")):
        Attribute(f"workers.{name}", attribute).read(group, record)


def _write_api(item: Item, body: Body) -> None:
    public, cidrs = item.get("endpoint.public"), item.get("endpoint.allowed_cidrs")
    body["control_plane_ip_filter"] = (cidrs or ["0.0.0.0/0"]) if public else []
    if not public:
        item.leave("endpoint.allowed_cidrs", "the API has no public address")


def _read_api(body: Body, record: dict[str, Any]) -> None:
    cidrs = body.get("control_plane_ip_filter") or []
    settle(record, "endpoint.public", bool(cidrs))
    if cidrs:
        settle(record, "endpoint.allowed_cidrs", cidrs)


KUBERNETES = Main(
    "kubernetes",
    "upcloud_kubernetes_cluster",
    (Attribute("name", "name"), region_row("zone"), Attribute("version", "version"), Special(_write_api, _read_api), _LABELS),
    more=_nodes,
    recover=_recover,
    accepts=lambda item: "a cluster that UpCloud does not manage is built from taskservs" if item.raw.managed is False else "",
)


def _write_storage(item: Item, body: Body) -> None:
    item.leave("region", "object storage of UpCloud has regions of its own; europe-1 is written")
    own = {"name": f"{item.config.name}-storage", "region": "europe-1", "configured_status": "started"}
    item.document.share("resource", "upcloud_managed_object_storage", "_own", own)
    body["service_uuid"] = reference("upcloud_managed_object_storage", "_own")


BUCKET = Main(
    "bucket",
    "upcloud_managed_object_storage_bucket",
    (
        Attribute("name", "name"),
        Special(_write_storage),
    ),
)


TABLE = (SERVER, VOLUME, KUBERNETES, BUCKET)
