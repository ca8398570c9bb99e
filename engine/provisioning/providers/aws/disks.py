"""Disks (EBS): their kinds, how they grow and change kind in place, what they tell."""

from collections.abc import Mapping
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.base import Calls

DISK_TYPES = {"ssd": "gp3", "gp2": "gp2", "gp3": "gp3", "io1": "io1", "io2": "io2", "hdd": "standard"}
"""AWS's kinds by the words of the configuration."""

_WORDS = {"standard": "hdd", "st1": "hdd", "sc1": "hdd"}
LIMIT = 900  # seconds


def type_told(volume_type: str) -> str:
    """A kind of AWS in the words of the configuration."""
    return _WORDS.get(volume_type, volume_type)


def disk_told(disk: Mapping[str, Any], spec: Mapping[str, Any] | None) -> dict[str, Any]:
    """A root disk as leaves of `spec`. IOPS are told where they can be chosen."""
    told: dict[str, Any] = {
        "disk_gb": disk["Size"],
        "disk_type": type_told(disk["VolumeType"]),
        "encrypted_disk": bool(disk.get("Encrypted")),
    }
    if (spec or {}).get("disk_iops") and disk.get("Iops"):
        told["disk_iops"] = disk["Iops"]
    return told


def change_disk(
    aws: Aws, id_: str, size_gb: int, kind: str | None, iops: int | None, throughput: int | None, calls: Calls
) -> None:
    """Bring a disk to a size and a kind; returns when it can be used like that (AWS goes on optimizing it)."""
    disk = aws.described("describe_volumes", "Volumes", "volume-id", [id_])
    if not disk:
        raise ProviderError(f"AWS: disk {id_} is gone", hint="Refresh the state and plan again.")
    wanted: dict[str, Any] = {"Size": size_gb, "VolumeType": DISK_TYPES[kind or "ssd"]}
    wanted |= {"Iops": iops} if iops else {}
    wanted |= {"Throughput": throughput} if throughput else {}
    now = disk[0]
    if any(now.get(key) != value for key, value in wanted.items()):
        aws.change(calls, "ec2", "modify_volume", VolumeId=id_, **wanted)

    def is_modified() -> bool:
        filters = [{"Name": "volume-id", "Values": [id_]}]
        changes = aws.pages("ec2", "describe_volumes_modifications", "VolumesModifications", Filters=filters)
        if any(one["ModificationState"] == "failed" for one in changes):
            raise ProviderError(f"AWS: disk {id_} could not be changed: {changes[0].get('StatusMessage', '')}")
        return all(one["ModificationState"] in ("optimizing", "completed") for one in changes)

    aws.wait(calls, f"disk {id_} is changed", is_modified, LIMIT)
