"""Snapshots of what keeps data, before it is in danger. The same label makes one backup, however often it is asked for."""

import re
from typing import Any

from provisioning.errors import ProviderError
from provisioning.providers.aws.client import Aws
from provisioning.providers.aws.tags import filters_of, pairs
from provisioning.providers.base import Calls
from provisioning.resource import TAG_ADDRESS, Recorded

TAG_BACKUP = "prov:backup"
"""The label of the backup that a snapshot belongs to. Snapshots carry no lineage: no destruction takes them for its own."""

LIMIT = 3600  # seconds


def back_up(aws: Aws, one: Recorded, label: str, calls: Calls) -> str:
    """Make a snapshot; answers its id (of a server with several disks the ids, with commas; "" for an empty bucket).

    Raises ProviderErrors, also for a bucket with objects: there is nothing that could hold them.
    """
    if one.kind in ("server", "volume"):
        return _disks(aws, one, label, calls)
    if one.kind == "database":
        return _database(aws, one, label, calls)
    if one.kind == "bucket" and not _holds_anything(aws, one.id):
        return ""
    raise ProviderError(
        f"AWS: {one.address} cannot be saved as a snapshot: AWS has none for a {one.kind}",
        hint="Copy what it holds elsewhere first (`aws s3 sync` for a bucket), or go on without a backup."
        if one.kind == "bucket"
        else "Go on without a backup.",
    )


def _holds_anything(aws: Aws, bucket: str) -> bool:
    listed = aws.look("s3", "list_object_versions", Bucket=bucket, MaxKeys=1)
    return bool(listed.get("Versions") or listed.get("DeleteMarkers"))


def _disks(aws: Aws, one: Recorded, label: str, calls: Calls) -> str:
    own = {TAG_ADDRESS: one.address, TAG_BACKUP: label}
    made = aws.pages("ec2", "describe_snapshots", "Snapshots", OwnerIds=["self"], Filters=filters_of(own))
    if not made:
        tags = [{"ResourceType": "snapshot", "Tags": pairs({"Name": f"{one.address} {label}", **own})}]
        if one.kind == "server":
            what = {"InstanceId": one.id}
            made = aws.change(
                calls, "ec2", "create_snapshots", InstanceSpecification=what, Description=label, TagSpecifications=tags
            )["Snapshots"]
        else:
            made = [aws.change(calls, "ec2", "create_snapshot", VolumeId=one.id, Description=label, TagSpecifications=tags)]
    ids = sorted(snapshot["SnapshotId"] for snapshot in made)

    def are_complete() -> bool:
        snapshots: list[Any] = aws.described("describe_snapshots", "Snapshots", "snapshot-id", ids)
        if any(snapshot["State"] == "error" for snapshot in snapshots):
            raise ProviderError(f"AWS: the snapshot of {one.address} failed")
        return len(snapshots) == len(ids) and all(snapshot["State"] == "completed" for snapshot in snapshots)

    aws.wait(calls, f"the snapshot of {one.address} is complete", are_complete, LIMIT)
    return ",".join(ids)


def _database(aws: Aws, one: Recorded, label: str, calls: Calls) -> str:
    id_ = snapshot_name(one.id, label)
    if not aws.look("rds", "describe_db_snapshots", DBSnapshotIdentifier=id_).get("DBSnapshots"):
        tags = pairs({TAG_ADDRESS: one.address, TAG_BACKUP: label})
        aws.change(calls, "rds", "create_db_snapshot", DBInstanceIdentifier=one.id, DBSnapshotIdentifier=id_, Tags=tags)

    def is_available() -> bool:
        listed: list[Any] = aws.look("rds", "describe_db_snapshots", DBSnapshotIdentifier=id_).get("DBSnapshots") or []
        if listed and listed[0]["Status"] == "failed":
            raise ProviderError(f"AWS: the snapshot of {one.address} failed")
        return bool(listed) and listed[0]["Status"] == "available"

    aws.wait(calls, f"the snapshot of {one.address} is complete", is_available, LIMIT)
    return id_


def snapshot_name(database: str, label: str) -> str:
    """A name that RDS takes: letters, digits and single hyphens, at most 255."""
    return re.sub(r"-+", "-", re.sub(r"[^a-z0-9-]", "-", f"{database}-{label}".lower())).strip("-")[:255]
