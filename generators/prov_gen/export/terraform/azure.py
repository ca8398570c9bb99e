"""Azure: the main kinds. Written for version 4 of the provider, hashicorp/azurerm."""

from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import region_of
from prov_gen.export.terraform.document import Body, label_of, name_of, reference, referred
from prov_gen.export.terraform.item import Item, subnet_label
from prov_gen.export.terraform.parts import leave_unwritten, sku_rows
from prov_gen.export.terraform.rows import Attribute, Fixed, Refers, Special, Tags, find, settle
from prov_gen.export.terraform.table import Found, Main

_TAGS = Tags(key=r"[^<>%&\\?/\x00-\x1f]{1,512}", value=r"[^\x00-\x1f]{0,256}")
_GROUP = "_own"
_DISKS = {"hdd": "Standard_LRS", "ssd": "Premium_LRS"}
_PROTOCOLS = {"tcp": "Tcp", "udp": "Udp", "icmp": "Icmp", "all": "*"}


def _place(item: Item, body: Body) -> None:
    """Everything of Azure is in a resource group and a location."""
    region = region_of(item.raw if hasattr(item.raw, "region") else item.config, item.config)
    home = {"name": item.config.name, "location": region_of(item.config, item.config)}
    item.document.share("resource", "azurerm_resource_group", _GROUP, home)
    body |= {"resource_group_name": reference("azurerm_resource_group", _GROUP, "name"), "location": region}


def _read_place(body: Body, record: dict[str, Any]) -> None:
    if isinstance(body.get("location"), str):
        record["region"] = body["location"]


_PLACE = Special(_place, _read_place)
_IMAGES = {"ubuntu": ("Canonical", "ubuntu-{}-lts", "server"), "debian": ("Debian", "debian-{}", "{}-gen2")}


def _write_image(item: Item, body: Body) -> None:

    family = item.get("spec.os.family")
    version = item.get("spec.os.version") or catalogue.images()[family].default
    if family not in _IMAGES:
        item.leave("spec.os", f"the images of {family} are sold by others in Azure's marketplace")
        return
    publisher, offer, sku = _IMAGES[family]
    written = version.replace(".", "_")
    body["source_image_reference"] = {
        "publisher": publisher,
        "offer": offer.format(written),
        "sku": sku.format(written),
        "version": "latest",
    }


def _read_image(body: Body, record: dict[str, Any]) -> None:
    family, _, rest = str(find(body, "source_image_reference.offer")).partition("-")
    if family in _IMAGES:
        settle(record, "spec.os", {"family": family, "version": rest.removesuffix("-lts").replace("_", ".")})


def _interface(item: Item) -> None:
    leave_unwritten("server")(item)
    body: Body = {"name": item.raw.name}
    _place(item, body)
    part: Body = {"name": "main", "private_ip_address_allocation": "Dynamic"}
    Refers("networking.subnet", "subnet_id", "subnet").write(item, part)
    if item.get("networking.public_ip"):
        address: Body = {"name": item.raw.name, "allocation_method": "Static"}
        _place(item, address)
        item.put("azurerm_public_ip", item.label, address)
        part["public_ip_address_id"] = reference("azurerm_public_ip", item.label)
    item.put("azurerm_network_interface", item.label, body | {"ip_configuration": part})


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    part = find(found("azurerm_network_interface").get(label, {}), "ip_configuration") or {}
    Refers("networking.subnet", "subnet_id", "subnet").read(part, record)
    settle(record, "networking.public_ip", "public_ip_address_id" in part)


SERVER = Main(
    "server",
    "azurerm_linux_virtual_machine",
    (
        Attribute("name", "name"),
        _PLACE,
        sku_rows("size"),
        Fixed("admin_username", "cloud"),
        Fixed("disable_password_authentication", value=True),
        Fixed("os_disk.caching", "ReadWrite"),
        Attribute("spec.disk_gb", "os_disk.disk_size_gb"),
        Attribute("spec.disk_type", "os_disk.storage_account_type", _DISKS),
        Attribute("spec.encrypted_disk", "encryption_at_host_enabled", absent=False),
        Attribute("zone", "zone"),
        Special(_write_image, _read_image),
        Special(lambda item, body: body.update(network_interface_ids=[reference("azurerm_network_interface", item.label)])),
        _TAGS,
    ),
    more=_interface,
    recover=_recover,
)


def _write_rules(item: Item, body: Body) -> None:
    rules: list[Any] = []
    for index, record in enumerate(item.get("rules")):
        rule = item.inside(record, "")
        raw = rule.raw
        if not raw.cidrs or raw.groups:
            item.leave(f"rules.{index}", "a rule of Azure has networks on its other side, no groups")
            continue
        inward = rule.get("direction") == "ingress"
        first, last = rule.get("from_port"), rule.get("to_port")
        if first is None:
            rule.leave("to_port", "a rule without a first port is for all ports")
        ports = "*" if first is None else str(first) if last in {None, first} else f"{first}-{last}"
        block: Body = {
            "name": f"rule-{len(rules)}",
            "priority": 100 + len(rules),
            "access": "Allow",
            "direction": "Inbound" if inward else "Outbound",
        }
        block |= {"protocol": _PROTOCOLS[rule.get("protocol")], "source_port_range": "*", "destination_port_range": ports}
        ours, theirs = ("destination", "source") if inward else ("source", "destination")
        block |= {f"{theirs}_address_prefixes": rule.get("cidrs"), f"{ours}_address_prefix": "*"}
        Attribute("description", "description", pattern=r"[^\x00-\x1f]{1,140}").write(rule, block)
        rules.append(block)
    if rules:
        body["security_rule"] = rules


def _read_rules(body: Body, record: dict[str, Any]) -> None:
    blocks = body.get("security_rule", [])
    rules = []
    for block in blocks if isinstance(blocks, list) else [blocks]:
        if not isinstance(block, dict):
            continue
        inward = block.get("direction") == "Inbound"
        rule: dict[str, Any] = {"direction": "ingress" if inward else "egress"}
        Attribute("protocol", "protocol", _PROTOCOLS).read(block, rule)
        cidrs = block.get("source_address_prefixes" if inward else "destination_address_prefixes")
        rule["cidrs"] = cidrs if isinstance(cidrs, list) else []
        first, _, last = str(block.get("destination_port_range", "*")).partition("-")
        if first.isdigit():
            rule |= {"from_port": int(first)} | ({"to_port": int(last)} if last.isdigit() else {})
        Attribute("description", "description").read(block, rule)
        rules.append(rule)
    if rules:
        record["rules"] = rules


FIREWALL = Main(
    "security_group",
    "azurerm_network_security_group",
    (Attribute("name", "name"), Special(_place), Special(_write_rules, _read_rules), _TAGS),
)
VOLUME = Main(
    "volume",
    "azurerm_managed_disk",
    (
        Attribute("name", "name"),
        _PLACE,
        Attribute("size_gb", "disk_size_gb"),
        Attribute("type", "storage_account_type", _DISKS),
        Fixed("create_option", "Empty"),
        Attribute("zone", "zone"),
        _TAGS,
    ),
)


def _networks(item: Item) -> None:
    for record, cidr in ((item.record, "vpc_cidr"), *((vpc, "cidr") for vpc in item.get("vpcs"))):
        one = item.inside(record, label_of(record.name))
        if f"azurerm_virtual_network.{one.label}" in item.document.origin:
            item.ledger.leave(one.path, "another network has that name")
            continue
        body: Body = {"name": one.raw.name, "address_space": [one.get(cidr)]}
        _place(item, body)
        item.put("azurerm_virtual_network", one.label, body)
        for subnet in (one.inside(found, "") for found in one.get("subnets")):
            label = subnet_label(one.raw.name, subnet.get("name"))
            if f"azurerm_subnet.{label}" in item.document.origin:
                item.ledger.leave(subnet.path, "another subnet of the network has that name")
                continue
            part = {"name": subnet.raw.name, "virtual_network_name": reference("azurerm_virtual_network", one.label, "name")}
            part |= {
                "resource_group_name": reference("azurerm_resource_group", _GROUP, "name"),
                "address_prefixes": [subnet.get("cidr")],
            }
            item.put("azurerm_subnet", label, part)


def read_networking(found: Found) -> dict[str, Any] | None:
    """The networks: the first is the configuration's own."""
    networks = []
    for label, body in found("azurerm_virtual_network").items():
        subnets = [
            {
                "name": Refers("", "", "subnet").named(reference("azurerm_subnet", name)),
                "cidr": next(iter(part.get("address_prefixes") or [""])),
            }
            for name, part in found("azurerm_subnet").items()
            if (referred(part.get("virtual_network_name")) or ("", ""))[1] == label
        ]
        networks.append({"name": name_of(label), "cidr": next(iter(body.get("address_space") or [""])), "subnets": subnets})
    if not networks:
        return None
    first = networks[0]
    return {"name": first["name"], "vpc_cidr": first["cidr"], "subnets": first["subnets"], "vpcs": networks[1:]}


NETWORKING = Main("networking", "", (), more=_networks)
TABLE = (NETWORKING, FIREWALL, SERVER, VOLUME)
