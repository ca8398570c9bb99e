"""Hetzner Cloud: servers, volumes, networks, firewalls. For hetznercloud/hcloud."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item, subnet_label
from prov_gen.export.terraform.parts import leave_unwritten, region_row, sku_rows
from prov_gen.export.terraform.rows import Attribute, Refers, Special, Tags, find, settle
from prov_gen.export.terraform.table import Found, Main

_WORD = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
_LABELS = Tags("labels", key=_WORD, value=f"({_WORD})?")


def _write_image(item: Item, body: Body) -> None:
    family = item.get("spec.os.family")
    body["image"] = f"{family}-{item.get('spec.os.version') or catalogue.images()[family].default}"


def _read_image(body: Body, record: dict[str, Any]) -> None:
    found = re.fullmatch(r"(ubuntu|debian|rocky|alpine)-([0-9.]+)", str(body.get("image")))
    if found:
        record.setdefault("spec", {})["os"] = {"family": found[1], "version": found[2]}


def _write_public(item: Item, body: Body) -> None:
    public = item.get("networking.public_ip")
    body["public_net"] = {"ipv4_enabled": public, "ipv6_enabled": public}


def _read_public(body: Body, record: dict[str, Any]) -> None:

    settle(record, "networking.public_ip", find(body, "public_net.ipv4_enabled") is not False)


SERVER = Main(
    "server",
    "hcloud_server",
    (
        Attribute("name", "name"),
        sku_rows("server_type"),
        region_row("location"),
        Special(_write_image, _read_image),
        Special(_write_public, _read_public),
        Refers("networking.security_groups", "firewall_ids", "security_group"),
        Attribute("backup.enabled", "backups"),
        Attribute("user_data", "user_data"),
        _LABELS,
    ),
    more=leave_unwritten("server"),
)
VOLUME = Main(
    "volume",
    "hcloud_volume",
    (
        Attribute("name", "name"),
        Attribute("size_gb", "size"),
        region_row("location"),
        Refers("attached_to", "server_id", "server"),
        _LABELS,
    ),
)


def _write_rules(item: Item, body: Body) -> None:
    rules = []
    for index, record in enumerate(item.get("rules")):
        rule = item.inside(record, "")
        raw = rule.raw
        if raw.protocol == "all" or not raw.cidrs:
            item.leave(f"rules.{index}", "a firewall of Hetzner needs a protocol and networks")
            continue
        side = "source_ips" if rule.get("direction") == "ingress" else "destination_ips"
        block: Body = {
            "direction": "in" if raw.direction == "ingress" else "out",
            "protocol": rule.get("protocol"),
            side: rule.get("cidrs"),
        }
        if raw.protocol != "icmp":
            first, last = rule.get("from_port"), rule.get("to_port")
            block["port"] = "any" if first is None else str(first) if last in {None, first} else f"{first}-{last}"
            if first is None:
                rule.leave("to_port", "a rule without a first port is for all ports")
        else:
            rule.leave("from_port", "ICMP has no ports")
            rule.leave("to_port", "ICMP has no ports")
        Attribute("description", "description", pattern=r"[^\x00-\x1f]{1,255}").write(rule, block)
        rules.append(block)
    if rules:
        body["rule"] = rules


def _read_rules(body: Body, record: dict[str, Any]) -> None:
    rules = []
    blocks = body.get("rule", [])
    for block in blocks if isinstance(blocks, list) else [blocks]:
        if not isinstance(block, dict):
            continue
        inward = block.get("direction") == "in"
        rule: dict[str, Any] = {"direction": "ingress" if inward else "egress", "protocol": block.get("protocol")}
        rule["cidrs"] = block.get("source_ips" if inward else "destination_ips", [])
        port = re.fullmatch(r"(\d+)(?:-(\d+))?", str(block.get("port")))
        if port:
            rule |= {"from_port": int(port[1])} | ({"to_port": int(port[2])} if port[2] else {})
        Attribute("description", "description").read(block, rule)
        rules.append(rule)
    if rules:
        record["rules"] = rules


FIREWALL = Main("security_group", "hcloud_firewall", (Attribute("name", "name"), Special(_write_rules, _read_rules), _LABELS))


def _networks(item: Item) -> None:
    for record, cidr in ((item.record, "vpc_cidr"), *((vpc, "cidr") for vpc in item.get("vpcs"))):
        one = item.inside(record, label_of(record.name))
        if f"hcloud_network.{one.label}" in item.document.origin:
            item.ledger.leave(one.path, "another network has that name")
            continue
        item.put("hcloud_network", one.label, {"name": one.raw.name, "ip_range": one.get(cidr)})
        for subnet in (one.inside(found, "") for found in one.get("subnets")):
            label = subnet_label(one.raw.name, subnet.get("name"))
            if f"hcloud_network_subnet.{label}" in item.document.origin:
                item.ledger.leave(subnet.path, "another subnet of the network has that name")
                continue
            body = {"network_id": reference("hcloud_network", one.label), "type": "cloud", "ip_range": subnet.get("cidr")}
            item.put("hcloud_network_subnet", label, body | {"network_zone": "eu-central"})


def read_networking(found: Found) -> dict[str, Any] | None:
    """The networks: the first is the configuration's own."""
    networks = []
    for label, body in found("hcloud_network").items():
        subnets = [
            {"name": Refers("", "", "subnet").named(reference("hcloud_network_subnet", name)), "cidr": part.get("ip_range")}
            for name, part in found("hcloud_network_subnet").items()
            if (referred(part.get("network_id")) or ("", ""))[1] == label
        ]
        networks.append({"name": name_of(label), "cidr": body.get("ip_range"), "subnets": subnets})
    if not networks:
        return None
    first = networks[0]
    return {"name": first["name"], "vpc_cidr": first["cidr"], "subnets": first["subnets"], "vpcs": networks[1:]}


NETWORKING = Main("networking", "", (), more=_networks)
TABLE = (NETWORKING, FIREWALL, SERVER, VOLUME)
