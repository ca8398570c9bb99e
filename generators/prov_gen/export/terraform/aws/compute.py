"""Servers and their disks."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import region_of
from prov_gen.export.terraform.aws.backup import back_up, recover_backup
from prov_gen.export.terraform.document import Body, name_of, reference, referred
from prov_gen.export.terraform.item import SUBNET_SEPARATOR, Item, subnet_label
from prov_gen.export.terraform.parts import leave_unwritten, sku_rows
from prov_gen.export.terraform.rows import Attribute, Fixed, Refers, Special, Tags, find, settle
from prov_gen.export.terraform.table import Found, Main, linked

# The owner's account and the name of its images, as the distributions publish them.
_IMAGES = {
    "ubuntu": ("099720109477", "ubuntu/images/hvm-ssd*/ubuntu-*-{}-amd64-server-*"),
    "debian": ("136693071363", "debian-{}-amd64-*"),
    "rocky": ("792107900819", "Rocky-{}-EC2-Base-*x86_64*"),
    "alpine": ("538276064493", "alpine-{}.*-x86_64-*"),
}
DISK_TYPES = {"ssd": "gp3", "gp2": "gp2", "gp3": "gp3", "io1": "io1", "io2": "io2"}


def _write_image(item: Item, body: Body) -> None:
    family = item.get("spec.os.family")
    version = item.get("spec.os.version") or catalogue.images()[family].default
    owner, pattern = _IMAGES[family]
    label = f"{family}_{version.replace('.', '_')}"
    filters = [{"name": "name", "values": [pattern.format(version)]}, {"name": "architecture", "values": ["x86_64"]}]
    item.document.share("data", "aws_ami", label, {"most_recent": True, "owners": [owner], "filter": filters})
    body["ami"] = reference("data.aws_ami", label)


def _read_image(body: Body, record: dict[str, Any]) -> None:
    found = referred(body.get("ami"))
    family, _, version = found[1].partition("_") if found else ("", "", "")
    if family in _IMAGES and re.fullmatch(r"[0-9_]+", version):
        settle(record, "spec.os", {"family": family, "version": version.replace("_", ".")})


def _write_subnet(item: Item, body: Body) -> None:
    vpc, subnet = item.get("networking.vpc"), item.get("networking.subnet")
    expression = item.refer("subnet", subnet) if subnet else None
    if expression and vpc:
        label = subnet_label(vpc, subnet)
        expression = reference("aws_subnet", label) if label in item.names.subnets else None
    if expression:
        body["subnet_id"] = expression
    else:
        item.leave("networking.vpc", "an instance stands in a subnet's network, and it names no subnet of it")
        item.leave("networking.subnet", "no subnet of this configuration and provider has that name")


def _read_subnet(body: Body, record: dict[str, Any]) -> None:
    found = referred(body.get("subnet_id"))
    if found and found[0] == "aws_subnet":
        vpc, _, subnet = found[1].lstrip("_").partition(SUBNET_SEPARATOR)
        settle(record, "networking.subnet", subnet or name_of(found[1]))
        if subnet:
            settle(record, "networking.vpc", vpc)


_LEAVE = leave_unwritten("server")


def _more(item: Item) -> None:
    _LEAVE(item)
    back_up(item, "server", reference("aws_instance", item.label, "arn"))


def _recover(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    recover_backup(f"server_{label}", found, record)


SERVER = Main(
    "server",
    "aws_instance",
    (
        sku_rows("instance_type"),
        Special(_write_image, _read_image),
        Attribute("zone", "availability_zone"),
        Special(_write_subnet, _read_subnet),
        Attribute("networking.public_ip", "associate_public_ip_address", absent=False),
        Refers("networking.security_groups", "vpc_security_group_ids", "security_group"),
        Attribute("spec.disk_gb", "root_block_device.volume_size"),
        Attribute("spec.disk_type", "root_block_device.volume_type", DISK_TYPES | {"hdd": "standard"}),
        Attribute("spec.disk_iops", "root_block_device.iops"),
        Attribute("spec.encrypted_disk", "root_block_device.encrypted", absent=False),
        Attribute("metadata_tokens", "metadata_options.http_tokens", absent="optional"),
        Fixed("metadata_options.http_endpoint", "enabled"),
        Attribute("monitoring", "monitoring", absent=False),
        Attribute("instance_profile", "iam_instance_profile"),
        Attribute("user_data", "user_data"),
        Tags(shown="Name"),
    ),
    more=_more,
    recover=_recover,
)


def _write_zone(item: Item, body: Body) -> None:
    zone, server = item.get("zone"), item.raw.attached_to
    host = item.refer("server", server, "availability_zone") if server else None
    body["availability_zone"] = zone or host or f"{region_of(item.raw, item.config)}a"


def _read_zone(body: Body, record: dict[str, Any]) -> None:
    if isinstance(body.get("availability_zone"), str) and not referred(body["availability_zone"]):
        record["zone"] = body["availability_zone"]


def _attach(item: Item) -> None:
    back_up(item, "volume", reference("aws_ebs_volume", item.label, "arn"))
    server = item.get("attached_to")
    host = item.refer("server", server) if server else None
    if host is None:
        item.leave("attached_to", "no server of this configuration and provider has that name")
        return
    others = [volume.name for volume in item.config.volumes if volume.attached_to == server]
    letter = chr(ord("f") + others.index(item.raw.name))
    if letter > "p":
        item.leave("attached_to", "an instance has device names for eleven volumes")
        return
    body = {"device_name": f"/dev/sd{letter}", "volume_id": reference("aws_ebs_volume", item.label), "instance_id": host}
    item.put("aws_volume_attachment", item.label, body)


def _recover_volume(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    recover_backup(f"volume_{label}", found, record)
    attachment = linked(found("aws_volume_attachment"), "aws_ebs_volume", label, "volume_id")
    server = referred(find(attachment[1], "instance_id")) if attachment else None
    if server:
        record["attached_to"] = name_of(server[1])


VOLUME = Main(
    "volume",
    "aws_ebs_volume",
    (
        Special(_write_zone, _read_zone),
        Attribute("size_gb", "size"),
        Attribute("type", "type", DISK_TYPES | {"hdd": "st1"}, absent="gp2"),
        Attribute("iops", "iops"),
        Attribute("throughput", "throughput"),
        Attribute("encrypted", "encrypted", absent=False),
        Refers("kms_key", "kms_key_id", "kms_key", "arn"),
        Tags(shown="Name"),
    ),
    more=_attach,
    recover=_recover_volume,
)
