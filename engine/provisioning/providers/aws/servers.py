"""Servers: EC2 instances with their root disk."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from prov_gen.effective import find_plan
from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.disks import DISK_TYPES, change_disk, disk_told
from provisioning.providers.aws.images import find_image
from provisioning.providers.aws.kind import Query, concerns, groups_named, retag
from provisioning.providers.aws.network import found_in_ec2
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.places import subnet_of
from provisioning.providers.aws.tags import (
    identity,
    name_told,
    pairs,
    tags_of,
    tags_told,
    unpaired,
)
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Found, Recorded, Status, Wanted

LIMIT = 600  # seconds
GONE = frozenset({"terminated", "shutting-down"})
_STATUS: Mapping[str, Status] = {
    "pending": "pending", "running": "running", "stopping": "stopped", "stopped": "stopped",
    "shutting-down": "gone", "terminated": "gone",
}  # fmt: skip


def instances(aws: Aws, query: Query) -> list[Any]:
    """Instances that are not terminated."""
    reservations = found_in_ec2(aws, "describe_instances", "Reservations", "instance-id", query)
    listed = [instance for reservation in reservations for instance in reservation["Instances"]]
    return [instance for instance in listed if instance["State"]["Name"] not in GONE]


class ServerKind:
    """An instance. What is inside of it (SSH, patches, services) is not this kind's."""

    name: ClassVar[str] = "server"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Started once, by its tags and by a token; returns when it runs."""
        made = instances(aws, Query(tags=identity(wanted)))
        if not made:
            made = aws.change(calls, "ec2", "run_instances", **self._request(aws, wanted))["Instances"]
        id_ = str(made[0]["InstanceId"])
        self._wait(aws, id_, "running", calls)
        return id_

    def _request(self, aws: Aws, wanted: Wanted) -> dict[str, Any]:
        values = wanted.values
        plan = values.get("plan")
        if not plan:
            raise ProviderError(
                f"AWS: no instance type has the cores and the memory of {wanted.address}",
                hint="Name one with `plan`, such as m5.large.",
            )
        spec, place = values["spec"], subnet_of(aws, wanted)
        sku = find_plan("aws", plan)
        image = find_image(aws, spec["os"]["family"], spec["os"]["version"], (sku.arch if sku else "") or "x86_64")
        disk = {
            "VolumeSize": spec["disk_gb"],
            "VolumeType": DISK_TYPES[spec.get("disk_type") or "ssd"],
            "Encrypted": spec["encrypted_disk"],
            "DeleteOnTermination": True,
        }
        if spec.get("disk_iops"):
            disk["Iops"] = spec["disk_iops"]
        public = bool(values["networking"]["public_ip"])
        interface: dict[str, Any] = {
            "DeviceIndex": 0,
            "SubnetId": place,
            "AssociatePublicIpAddress": public,
            "DeleteOnTermination": True,
        }
        if groups := groups_named(wanted, "networking.security_groups[]"):
            interface["Groups"] = groups
        tags = pairs(tags_of(wanted))
        optional = {}
        if values.get("instance_profile"):
            optional["IamInstanceProfile"] = {"Name": values["instance_profile"]}
        if values.get("user_data"):
            optional["UserData"] = values["user_data"]
        return {
            "ImageId": image["ImageId"],
            "InstanceType": plan,
            "MinCount": 1,
            "MaxCount": 1,
            "ClientToken": token_of(wanted.token),
            "NetworkInterfaces": [interface],
            "BlockDeviceMappings": [{"DeviceName": image["RootDeviceName"], "Ebs": disk}],
            "MetadataOptions": {"HttpTokens": values["metadata_tokens"], "HttpEndpoint": "enabled"},
            "Monitoring": {"Enabled": bool(values["monitoring"])},
            "TagSpecifications": [{"ResourceType": kind, "Tags": tags} for kind in ("instance", "volume")],
            **optional,
        }

    def _wait(self, aws: Aws, id_: str, state: str, calls: Calls) -> None:
        def is_there() -> bool:
            reservations = aws.described("describe_instances", "Reservations", "instance-id", [id_])
            now = reservations[0]["Instances"][0] if reservations else {"State": {"Name": "pending"}}
            if state != "terminated" and now["State"]["Name"] in GONE:
                raise ProviderError(f"AWS: server {id_} ended: {now.get('StateReason', {}).get('Message', 'no reason is told')}")
            return bool(now["State"]["Name"] == state)

        aws.wait(calls, f"server {id_} is {state}", is_there, LIMIT)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """Everything that AWS changes in place; another size while it is stopped."""
        listed = instances(aws, Query(ids=(one.id,)))
        if not listed:
            raise ProviderError(f"AWS: server {one.id} is gone", hint="Refresh the state and plan again.")
        instance, values = listed[0], wanted.values
        if concerns(paths, "spec.disk_gb", "spec.disk_type", "spec.disk_iops"):
            spec = values["spec"]
            root = _root_of(instance)
            change_disk(aws, root, spec["disk_gb"], spec.get("disk_type"), spec.get("disk_iops"), None, calls)
        if concerns(paths, "metadata_tokens"):
            tokens = values["metadata_tokens"]
            aws.change(calls, "ec2", "modify_instance_metadata_options", InstanceId=one.id, HttpTokens=tokens)
        if concerns(paths, "monitoring"):
            operation = "monitor_instances" if values["monitoring"] else "unmonitor_instances"
            aws.change(calls, "ec2", operation, InstanceIds=[one.id])
        if concerns(paths, "networking.security_groups"):
            self._set_groups(aws, instance, wanted, calls)
        if concerns(paths, "instance_profile"):
            self._set_profile(aws, one.id, values.get("instance_profile"), calls)
        retag(aws, calls, one.id, wanted, paths)
        if concerns(paths, "plan", "spec.cpu", "spec.memory_gb"):
            self._resize(aws, instance, str(values["plan"]), calls)

    def _resize(self, aws: Aws, instance: Mapping[str, Any], plan: str, calls: Calls) -> None:
        id_, state = instance["InstanceId"], instance["State"]["Name"]
        if instance["InstanceType"] != plan:
            if state != "stopped":
                aws.change(calls, "ec2", "stop_instances", InstanceIds=[id_])
                self._wait(aws, id_, "stopped", calls)
            aws.change(calls, "ec2", "modify_instance_attribute", InstanceId=id_, InstanceType={"Value": plan})
            state = "stopped"
        if state == "stopped":
            aws.change(calls, "ec2", "start_instances", InstanceIds=[id_])
        self._wait(aws, id_, "running", calls)

    def _set_groups(self, aws: Aws, instance: Mapping[str, Any], wanted: Wanted, calls: Calls) -> None:
        groups = groups_named(wanted, "networking.security_groups[]")
        if not groups:
            listed = aws.described("describe_security_groups", "SecurityGroups", "vpc-id", [instance["VpcId"]])
            groups = [group["GroupId"] for group in listed if group["GroupName"] == "default"]
        interface = _interface_of(instance)["NetworkInterfaceId"]
        aws.change(calls, "ec2", "modify_network_interface_attribute", NetworkInterfaceId=interface, Groups=groups)

    def _set_profile(self, aws: Aws, id_: str, name: str | None, calls: Calls) -> None:
        key = "IamInstanceProfileAssociations"
        filters = [{"Name": "instance-id", "Values": [id_]}]
        listed = aws.pages("ec2", "describe_iam_instance_profile_associations", key, Filters=filters)
        now = [one for one in listed if one.get("State") in ("associating", "associated")]
        if not now:
            if name:
                aws.change(calls, "ec2", "associate_iam_instance_profile", InstanceId=id_, IamInstanceProfile={"Name": name})
        elif not name:
            aws.remove(calls, "ec2", "disassociate_iam_instance_profile", AssociationId=now[0]["AssociationId"])
        elif now[0]["IamInstanceProfile"]["Arn"].rpartition("/")[2] != name:
            joined = now[0]["AssociationId"]
            aws.change(
                calls,
                "ec2",
                "replace_iam_instance_profile_association",
                AssociationId=joined,
                IamInstanceProfile={"Name": name},
            )

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Returns when it is terminated: its network card holds its subnet and its groups until then."""
        listed = aws.described("describe_instances", "Reservations", "instance-id", [one.id])
        if not listed:
            return
        if listed[0]["Instances"][0]["State"]["Name"] not in GONE:
            aws.remove(calls, "ec2", "terminate_instances", InstanceIds=[one.id])
        self._wait(aws, one.id, "terminated", calls)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Instances with their root disks."""
        listed = instances(aws, query)
        roots = {root: instance["InstanceId"] for instance in listed if (root := _root_of(instance))}
        disks = {roots[disk["VolumeId"]]: disk for disk in aws.described("describe_volumes", "Volumes", "volume-id", roots)}
        return [self._found(instance, disks.get(instance["InstanceId"]), query) for instance in listed]

    def _found(self, instance: Mapping[str, Any], disk: Mapping[str, Any] | None, query: Query) -> Found:
        id_, tags = instance["InstanceId"], unpaired(instance.get("Tags"))
        values = query.values_of(id_)
        groups = sorted(group["GroupName"] for group in _interface_of(instance).get("Groups", ()))
        if groups == ["default"] and values is not None and not values["networking"]["security_groups"]:
            groups = []
        profile = instance.get("IamInstanceProfile", {}).get("Arn", "").rpartition("/")[2]
        network: dict[str, Any] = {"security_groups": groups}
        status = _STATUS.get(instance["State"]["Name"], "unknown")
        if status == "running":
            network["public_ip"] = bool(instance.get("PublicIpAddress"))
        told = {
            **name_told(tags, values),
            "plan": instance["InstanceType"],
            "zone": instance["Placement"]["AvailabilityZone"],
            "monitoring": instance["Monitoring"]["State"] in ("enabled", "pending"),
            "metadata_tokens": instance.get("MetadataOptions", {}).get("HttpTokens", "optional"),
            "instance_profile": profile or None,
            "networking": network,
            **({"spec": disk_told(disk, values and values["spec"])} if disk else {}),
            **tags_told(tags, values),
        }
        outputs = {
            "id": id_,
            "private_ip": instance.get("PrivateIpAddress", ""),
            "public_ip": instance.get("PublicIpAddress", ""),
            "private_dns": instance.get("PrivateDnsName", ""),
            "public_dns": instance.get("PublicDnsName", ""),
            "zone": instance["Placement"]["AvailabilityZone"],
            "subnet_id": instance.get("SubnetId", ""),
            "image": instance.get("ImageId", ""),
        }
        parts = {"root-disk": disk["VolumeId"]} if disk else {}
        return Found(self.name, id_, status, tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, parts, tags)


def _interface_of(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    cards: list[Mapping[str, Any]] = instance.get("NetworkInterfaces") or [{}]
    return min(cards, key=lambda card: card.get("Attachment", {}).get("DeviceIndex", 0))


def _root_of(instance: Mapping[str, Any]) -> str:
    root = instance.get("RootDeviceName")
    disks = [one for one in instance.get("BlockDeviceMappings", ()) if one["DeviceName"] == root]
    return str(disks[0]["Ebs"]["VolumeId"]) if disks else ""
