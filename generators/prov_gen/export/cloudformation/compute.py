"""Servers and block devices."""

from typing import Any

from prov_corpus import catalogue
from prov_gen.effective import machine_of
from prov_gen.export.cloud_init.user_data import user_data
from prov_gen.export.cloudformation.network import subnets_of, zone
from prov_gen.export.cloudformation.scope import PROVIDER, Scope
from prov_gen.export.cloudformation.template import Value, get_att, ref, sub
from prov_gen.export.tracking import path_of

_DISKS = {"ssd": "gp3", "hdd": "st1"}
_IOPS = {"io1": (100, 64000, 50), "io2": (100, 256000, 1000), "gp3": (3000, 80000, 500)}
"""Kind of disk -> least and most IOPS, and most for each GB. Source: Amazon EBS volume types."""
_MOST_GB = {"gp2": 16384, "gp3": 65536, "io1": 16384, "io2": 65536, "st1": 16384, "standard": 1024}
_LEAST_GB_HDD = 125
_MOST_THROUGHPUT = 2000
_IMAGES = {
    "ubuntu": "/aws/service/canonical/ubuntu/server/{version}/stable/current/{arch}/hvm/{disk}/ami-id",
    "debian": "/aws/service/debian/release/{version}/latest/{arch}",
}
"""Public parameters that hold the newest image of a release; the other distributions publish none."""
_ROOT = {"ubuntu": "/dev/sda1", "debian": "/dev/xvda", "rocky": "/dev/sda1", "alpine": "/dev/xvda"}
_LETTERS = "fghijklmnop"
"""Device names for data disks are /dev/sdf to /dev/sdp. Source: Amazon EC2, "Device names on Linux instances"."""


def build_servers(scope: Scope, servers: list[Any]) -> None:
    """Servers with their root disk and user data."""
    for server in servers:
        logical_id = scope.id_of("servers", server.name) or ""
        where = path_of(server)
        machine = machine_of(server, scope.config)
        kind: Value = machine.sku
        if kind is None:
            scope.ledger.leave((*where, "plan"), "no type of instance that is known")
            kind = scope.template.parameter(("type of", server.name), "String", f"Type of instance of {server.name}")
        elif not server.plan:
            # The SKU is the cheapest that has them.
            scope.ledger.take((*where, "spec", "cpu"))
        made = user_data(server, scope.root, scope.ledger)
        profile = scope.text(server.instance_profile, (*where, "instance_profile"))
        properties = {
            "ImageId": _image(scope, server, machine.sku),
            "InstanceType": kind,
            "AvailabilityZone": zone(scope, server.zone) if server.zone else None,
            "IamInstanceProfile": profile,
            "Monitoring": server.monitoring,
            "MetadataOptions": {"HttpTokens": server.metadata_tokens, "HttpEndpoint": "enabled"},
            "DisableApiTermination": server.stateful,
            "BlockDeviceMappings": [{"DeviceName": _ROOT[server.spec.os.family], "Ebs": _root_disk(scope, server)}],
            "UserData": {"Fn::Base64": made.text} if scope.text(made.text, (*where, "user_data")) else None,
            "Tags": scope.tags(server) + ([{"Key": "Role", "Value": server.role}] if _is_role(scope, server) else []),
            **_placed(scope, server),
        }
        scope.template.add("EC2::Instance", properties, logical_id=logical_id)
        scope.template.output(logical_id, "address", get_att(logical_id, "PrivateIp"), f"Private address of {server.name}")


def _is_role(scope: Scope, server: Any) -> bool:
    role = server.role
    if (
        role is None
        or any(tag["Key"] == "Role" for tag in scope.tags(server))
        or not (role.isascii() and role.replace("-", "").isalnum())
    ):
        scope.ledger.leave((*path_of(server), "role"), "AWS does not take it as the tag Role")
        return False
    return True


def _placed(scope: Scope, server: Any) -> dict[str, Value]:
    """Where a server stands: its subnet and groups, on a network interface where it asks for a public address."""
    networking, where = server.networking, (*path_of(server), "networking")
    groups = scope.refs("security_groups", networking.security_groups, (*where, "security_groups"))
    ids = [{"Fn::GetAtt": [group["Ref"], "GroupId"]} for group in groups]
    subnet = scope.id_of("subnet", networking.subnet)
    if networking.subnet and subnet is None:
        scope.ledger.leave((*where, "subnet"), f"no subnet in this template is called {networking.subnet}")
    if subnet is None:
        tier = "public" if networking.public_ip else "private"
        subnets = subnets_of(scope, [], where, tier)
        chosen = subnets[0] if isinstance(subnets, list) else {"Fn::Select": [0, subnets]}
    else:
        chosen = ref(subnet)
    if networking.vpc:
        scope.ledger.leave((*where, "vpc"), "its subnet says which network it stands in")
    interface = {"DeviceIndex": "0", "AssociatePublicIpAddress": networking.public_ip, "SubnetId": chosen}
    return {"NetworkInterfaces": [interface | ({"GroupSet": ids} if ids else {})]}


def _image(scope: Scope, server: Any, sku: str | None) -> Value:
    """The image: a parameter, whose default is the newest one where the distributor publishes that."""
    family = server.spec.os.family
    version = server.spec.os.version or catalogue.images()[family].default
    arch = catalogue.classify(PROVIDER, sku).arch if sku else "x86_64"
    what = f"{family} {version} {arch}"
    if family not in _IMAGES:
        return scope.template.parameter(("image", what), "AWS::EC2::Image::Id", f"Image of {what}")
    disk = "ebs-gp2" if family == "ubuntu" and version in ("18.04", "20.04", "22.04") else "ebs-gp3"
    name = "amd64" if arch == "x86_64" else "arm64"
    default = _IMAGES[family].format(version=version, arch=name, disk=disk)
    return scope.template.parameter(
        ("image", what), "AWS::SSM::Parameter::Value<AWS::EC2::Image::Id>", f"Image of {what}", default
    )


def _root_disk(scope: Scope, server: Any) -> dict[str, Value]:
    spec, where = server.spec, (*path_of(server), "spec")
    stated = spec.disk_type or "ssd"
    kind = _DISKS.get(stated, stated)
    if kind == "st1":
        scope.ledger.leave((*where, "disk_type"), "AWS starts no machine from such a disk; gp3 is written")
        kind = "gp3"
    made: dict[str, Value] = {
        "VolumeType": kind,
        "VolumeSize": _size(scope, spec.disk_gb, kind, (*where, "disk_gb")),
        "Encrypted": spec.encrypted_disk,
        "DeleteOnTermination": not server.stateful,
    }
    return made | _iops(scope, spec.disk_iops, kind, made["VolumeSize"], (*where, "disk_iops"))


def _size(scope: Scope, size: int, kind: str, where: Any) -> int:
    if size > _MOST_GB[kind]:
        scope.ledger.leave(where, f"{kind} has at most {_MOST_GB[kind]} GB, which are written")
    return min(size, _MOST_GB[kind])


def _iops(scope: Scope, stated: int | None, kind: str, size: int, where: Any) -> dict[str, Value]:
    """The IOPS of a disk: as stated where AWS takes that; io1 and io2 need a number, and get 3000 or what their size allows."""
    if kind not in _IOPS:
        scope.ledger.leave(where, f"{kind} has no IOPS to choose")
        return {}
    least, most, each = _IOPS[kind]
    most = min(most, max(size * each, least))
    if stated is not None and least <= stated <= most:
        return {"Iops": stated}
    if stated is not None:
        scope.ledger.leave(where, f"a {kind} of {size} GB has {least} to {most} IOPS")
    return {} if kind == "gp3" else {"Iops": min(3000, most)}


def build_volumes(scope: Scope, volumes: list[Any]) -> None:
    """Volumes, and their attachments to servers of this template."""
    disks: dict[str, int] = {}
    for volume in volumes:
        logical_id = scope.id_of("volumes", volume.name) or ""
        where = path_of(volume)
        stated = str(volume.type)
        kind = _DISKS.get(stated, stated)
        if kind == "st1" and volume.size_gb < _LEAST_GB_HDD:
            # Cold and throughput disks start at 125 GB; the oldest kind of magnetic disk does not.
            kind = "standard"
        server = scope.id_of("servers", volume.attached_to)
        if volume.attached_to and server is None:
            scope.ledger.leave((*where, "attached_to"), f"no server in this template is called {volume.attached_to}")
        if server:
            place: Value = get_att(server, "AvailabilityZone")
            scope.ledger.leave((*where, "zone"), "a volume stands in the zone of its server")
        else:
            place = zone(scope, volume.zone) if volume.zone else {"Fn::Select": [0, {"Fn::GetAZs": ""}]}
        size = _size(scope, volume.size_gb, kind, (*where, "size_gb"))
        properties: dict[str, Value] = {
            "AvailabilityZone": place,
            "VolumeType": kind,
            "Size": size,
            "Encrypted": volume.encrypted,
            "KmsKeyId": scope.key_of(volume) if volume.encrypted else None,
            "Tags": scope.tags(volume),
            **_iops(scope, volume.iops, kind, size, (*where, "iops")),
        }
        if volume.throughput is not None:
            if kind == "gp3" and volume.throughput <= _MOST_THROUGHPUT:
                properties["Throughput"] = volume.throughput
            else:
                scope.ledger.leave((*where, "throughput"), "only gp3 has a throughput to choose")
        scope.template.add("EC2::Volume", properties, logical_id=logical_id, keep="Snapshot")
        if server:
            index = disks[server] = disks.get(server, -1) + 1
            if index >= len(_LETTERS):
                scope.ledger.leave((*where, "attached_to"), f"a server has device names for {len(_LETTERS)} data disks")
                continue
            attached = {"InstanceId": ref(server), "VolumeId": ref(logical_id), "Device": f"/dev/sd{_LETTERS[index]}"}
            scope.template.add("EC2::VolumeAttachment", attached, logical_id, "Attachment")


def arn(kind: str, logical_id: str) -> Value:
    """The ARN of a server or volume, which have none among their attributes."""
    return sub(f"arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:{kind}/${{{logical_id}}}")
