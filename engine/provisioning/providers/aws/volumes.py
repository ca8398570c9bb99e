"""Volumes: EBS disks that are attached to a server."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws, token_of
from provisioning.providers.aws.disks import DISK_TYPES, change_disk, type_told
from provisioning.providers.aws.keys import key_of
from provisioning.providers.aws.kind import Query, concerns, not_yet, retag
from provisioning.providers.aws.network import found_in_ec2
from provisioning.providers.aws.observed import observed
from provisioning.providers.aws.servers import instances
from provisioning.providers.aws.tags import filters_of, identity, name_told, specification, tags_of, tags_told, unpaired
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Found, Recorded, Status, Wanted

LIMIT = 300  # seconds
_LETTERS = "fghijklmnop"
"""AWS recommends /dev/sdf to /dev/sdp for attached disks."""

_STATUS: Mapping[str, Status] = {
    "creating": "pending", "available": "available", "in-use": "available",
    "deleting": "gone", "deleted": "gone", "error": "failed",
}  # fmt: skip


class VolumeKind:
    """A disk in its server's zone."""

    name: ClassVar[str] = "volume"

    def create(self, aws: Aws, wanted: Wanted, calls: Calls) -> str:
        """Made, then attached."""
        listed = [one for one in self._own(aws, wanted) if _STATUS.get(one["State"]) != "gone"]
        disk = listed[0] if listed else aws.change(calls, "ec2", "create_volume", **self._request(aws, wanted))
        id_ = str(disk["VolumeId"])
        self._wait(aws, id_, ("available", "in-use"), calls)
        self._attach(aws, id_, wanted, calls)
        return id_

    def _own(self, aws: Aws, wanted: Wanted) -> list[Any]:
        return aws.pages("ec2", "describe_volumes", "Volumes", Filters=filters_of(identity(wanted)))

    def _request(self, aws: Aws, wanted: Wanted) -> dict[str, Any]:
        values = wanted.values
        optional = {"Iops": values.get("iops"), "Throughput": values.get("throughput")}
        optional["KmsKeyId"] = (key_of(aws, wanted) or None) if values["encrypted"] else None
        return {
            "AvailabilityZone": values.get("zone") or self._zone(aws, wanted),
            "Size": values["size_gb"],
            "VolumeType": DISK_TYPES[values["type"]],
            "Encrypted": values["encrypted"],
            "ClientToken": token_of(wanted.token),
            **{key: value for key, value in optional.items() if value},
            **specification("volume", tags_of(wanted)),
        }

    def _zone(self, aws: Aws, wanted: Wanted) -> str:
        servers = wanted.named("attached_to")
        if servers:
            listed = instances(aws, Query(ids=(servers[0].id,)))
            if not listed:
                raise not_yet(wanted.address, f"its server {servers[0].address} is not there")
            return str(listed[0]["Placement"]["AvailabilityZone"])
        state = [{"Name": "state", "Values": ["available"]}]
        return str(
            min(one["ZoneName"] for one in aws.call("ec2", "describe_availability_zones", Filters=state)["AvailabilityZones"])
        )

    def _wait(self, aws: Aws, id_: str, states: tuple[str, ...], calls: Calls) -> None:
        def is_there() -> bool:
            listed = aws.described("describe_volumes", "Volumes", "volume-id", [id_])
            if listed and listed[0]["State"] == "error":
                raise ProviderError(f"AWS: disk {id_} could not be made")
            return (bool(listed) and listed[0]["State"] in states) or (not listed and "deleted" in states)

        aws.wait(calls, f"disk {id_} is {states[0]}", is_there, LIMIT)

    def _attach(self, aws: Aws, id_: str, wanted: Wanted, calls: Calls) -> None:
        servers = wanted.named("attached_to")
        server = servers[0].id if servers else ""
        disk = aws.described("describe_volumes", "Volumes", "volume-id", [id_])[0]
        for attachment in disk.get("Attachments", ()):
            if attachment["InstanceId"] != server:
                aws.remove(calls, "ec2", "detach_volume", VolumeId=id_, InstanceId=attachment["InstanceId"])
                self._wait(aws, id_, ("available",), calls)
        if not server or any(one["InstanceId"] == server for one in disk.get("Attachments", ())):
            return
        with aws.clients.lock(server):
            listed = instances(aws, Query(ids=(server,)))
            used = {one["DeviceName"] for one in (listed[0] if listed else {}).get("BlockDeviceMappings", ())}
            device = next((f"/dev/sd{letter}" for letter in _LETTERS if f"/dev/sd{letter}" not in used), None)
            if device is None:
                raise ProviderError(f"AWS: {servers[0].address} has {len(_LETTERS)} disks attached, which is the most")
            aws.change(calls, "ec2", "attach_volume", VolumeId=id_, InstanceId=server, Device=device)
        self._wait(aws, id_, ("in-use",), calls)

    def update(self, aws: Aws, one: Recorded, wanted: Wanted, paths: frozenset[str], calls: Calls) -> None:
        """It grows, changes kind and moves between servers in place."""
        values = wanted.values
        if concerns(paths, "size_gb", "type", "iops", "throughput"):
            iops, throughput = values.get("iops"), values.get("throughput")
            change_disk(aws, one.id, values["size_gb"], values["type"], iops, throughput, calls)
        if concerns(paths, "attached_to"):
            self._attach(aws, one.id, wanted, calls)
        retag(aws, calls, one.id, wanted, paths)

    def delete(self, aws: Aws, one: Recorded, calls: Calls) -> None:
        """Taken from its server first."""
        listed = aws.described("describe_volumes", "Volumes", "volume-id", [one.id])
        if not listed:
            return
        for attachment in listed[0].get("Attachments", ()):
            aws.remove(calls, "ec2", "detach_volume", VolumeId=one.id, InstanceId=attachment["InstanceId"])
        if _STATUS.get(listed[0]["State"]) != "gone":
            self._wait(aws, one.id, ("available",), calls)
            aws.remove(calls, "ec2", "delete_volume", VolumeId=one.id)
        self._wait(aws, one.id, ("deleted",), calls)

    def look(self, aws: Aws, query: Query) -> Sequence[Found]:
        """Disks that are resources of their own: the root disks of servers are not."""
        disks = found_in_ec2(aws, "describe_volumes", "Volumes", "volume-id", query)
        disks = [disk for disk in disks if _STATUS.get(disk["State"]) != "gone" and not _is_of_a_server(disk)]
        hosts = {one["InstanceId"] for disk in disks for one in disk.get("Attachments", ())}
        names = {
            host["InstanceId"]: (unpaired(host.get("Tags")).get(TAG_ADDRESS) or str(host["InstanceId"])).removeprefix("server.")
            for host in (instances(aws, Query(ids=tuple(hosts))) if hosts else ())
        }
        return [self._found(disk, names, query) for disk in disks]

    def _found(self, disk: Mapping[str, Any], names: Mapping[str, str], query: Query) -> Found:
        id_, tags = disk["VolumeId"], unpaired(disk.get("Tags"))
        values = query.values_of(id_)
        attached = [
            one["InstanceId"] for one in disk.get("Attachments", ()) if one.get("State") in ("attaching", "attached", "busy")
        ]
        told = {
            **name_told(tags, values),
            "size_gb": disk["Size"],
            "type": type_told(disk["VolumeType"]),
            "encrypted": bool(disk.get("Encrypted")),
            "zone": disk["AvailabilityZone"],
            "attached_to": names.get(attached[0], attached[0]) if attached else None,
            **({"iops": disk["Iops"]} if disk.get("Iops") else {}),
            **({"throughput": disk["Throughput"]} if disk.get("Throughput") else {}),
            **tags_told(tags, values),
        }
        outputs = {"id": id_, "zone": disk["AvailabilityZone"], "server_id": attached[0] if attached else ""}
        status = _STATUS.get(disk["State"], "unknown")
        return Found(self.name, id_, status, tags.get(TAG_ADDRESS, ""), observed(told, values), outputs, {}, tags)


def _is_of_a_server(disk: Mapping[str, Any]) -> bool:
    return unpaired(disk.get("Tags")).get(TAG_ADDRESS, "").startswith("server.") or any(
        one.get("DeleteOnTermination") for one in disk.get("Attachments", ())
    )
