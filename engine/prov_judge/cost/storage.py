"""Block devices and their snapshots, file systems, buckets."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from prov_corpus.catalogue import disk_type
from prov_corpus.prices import disk_tier, disk_tiers, tiered_lines
from prov_gen.model.base import Backup
from prov_gen.model.data import Bucket, FileSystem, Volume
from prov_judge.cost.amount import MEGABYTE, ONE, Amount, exact
from prov_judge.cost.assumptions import assumed, billing, read
from prov_judge.cost.model import USAGES, Part
from prov_judge.cost.place import Place
from prov_judge.cost.schedule import runs_a_day
from prov_judge.cost.tiers import tiered
from prov_judge.cost.transfer import between_regions, to_the_internet

STORED_BY_TYPE = "this provider's disks have IOPS by their size: none are billed"


def volume(record: Volume, place: Place) -> Iterator[Part]:
    """A block device and its snapshots."""
    yield from disk(place, "Storage", record.type, record.size_gb, iops=record.iops, throughput=record.throughput)
    if record.backup and record.backup.enabled:
        yield snapshots(place, Amount.of(record.size_gb), record.backup)


def disk(
    place: Place,
    name: str,
    type_: str,
    size_gb: int,
    *,
    iops: int | None = None,
    throughput: int | None = None,
    count: Amount = ONE,
) -> Iterator[Part]:
    """Like disks of a kind of the models (ssd, gp3, ...), with the IOPS and MiB/s beyond what the kind includes."""
    rules: Mapping[str, Any] = read("storage").get(place.provider, {})
    kind = disk_type(place.provider, type_)
    item: str = rules.get("items", {}).get(kind, kind)
    if item in tiered_lines(place.provider):
        yield _tier(place, name, item, size_gb, iops, count)
        return
    least: dict[str, int] = rules.get("least", {}).get(item, {})
    billed_gb = max(size_gb, least.get("gb", 0))
    notes = [f"at least {billed_gb} GB are billed"] if billed_gb > size_gb else []
    included: dict[str, int] | None = rules.get("included", {}).get(item)
    if included is None and iops is not None and not place.is_local:
        notes.append(STORED_BY_TYPE)
    yield place.measured(f"{name} ({item})", "block_storage", item, "GB", count.times(Decimal(billed_gb)), notes=notes)
    if included is None:
        return
    for what, unit, asked in (("iops", "IOPS", iops), ("throughput", "MBps", throughput)):
        free = included.get(what)
        wanted = max(asked or 0, least.get(what, 0))
        if free is not None and wanted > free:
            note = [f"{free:,} {unit} are included"] if free else []
            words, extra = f"{name}, provisioned {unit} ({item})", Amount.of(wanted - free)
            yield from tiered(place, words, f"block_storage_{what}", item, unit, extra, count=count, notes=note)


def _tier(place: Place, name: str, line: str, size_gb: int, iops: int | None, count: Amount) -> Part:
    """A disk of a line that is sold in sizes: the next larger one is billed."""
    tier = disk_tier(place.provider, line, size_gb)
    if tier is None:
        most = max(disk_tiers(place.provider, line).values())
        return place.missing(f"{name} ({line})", f"disks of this line end at {most:,} GB: use several")
    billed_gb = disk_tiers(place.provider, line)[tier]
    notes = [f"a disk of {billed_gb:,} GB, the next size"] if billed_gb > size_gb else []
    if iops is not None:
        notes.append(STORED_BY_TYPE)
    return place.lasting(f"{name} ({tier})", "block_storage", tier, count, notes=notes)


def snapshots(place: Place, size: Amount, backup: Backup, service: str = "snapshot", item: str = "standard") -> Part:
    """The first snapshot whole, each further one as much as has changed since the one before."""
    amount = kept(size, backup.schedule, backup.retention_days)
    return place.measured("Snapshots", service, item, "GB", amount, notes=(f"kept for {backup.retention_days} days",))


def kept(size: Amount, schedule: str, retention_days: int) -> Amount:
    """GB that backups fill after a whole retention period: the size once, and each day's changes for the rest of it."""
    every = runs_a_day(schedule)
    held = max(Decimal(1), retention_days * every)
    # A day's changes are the same bytes whether they are kept once a day or a part each hour.
    days = (held - 1) / every
    change = assumed("snapshot_change")
    return Amount.ranging({usage: (size.at(usage) * (1 + change.at(usage) * days)).quantize(MEGABYTE) for usage in USAGES})


def file_system(record: FileSystem, place: Place) -> Iterator[Part]:
    """A shared file system and its backups."""
    size = Amount.of(record.size_gb)
    yield place.measured("Storage", "file_storage", "standard", "GB", size)
    if record.backup and record.backup.enabled and (place.sells("file_storage") or place.is_local):
        yield snapshots(place, size, record.backup, *backup_store(place))


def bucket(record: Bucket, place: Place) -> Iterator[Part]:
    """A bucket: what it stores, the requests, and what it sends."""
    size = size_of(record)
    pooled = billing(place.provider).get("pooled_object_storage_gb")
    if pooled:
        yield from _pooled(record, place, Decimal(pooled))
    else:
        notes = () if record.size_gb is not None else ("size_gb is not stated",)
        yield from tiered(place, "Storage", "object_storage", "standard", "GB", size, notes=notes)
        if not place.is_local:
            for name, item in (("Writes and lists", "write"), ("Reads", "read")):
                yield place.used(name, "object_storage_requests", item, "1k requests", f"bucket_{item}s")
    if record.access == "public_read":
        yield from to_the_internet(record, place)
    if record.replicate_to and not place.is_local:
        copy = place.pricing.place(place.provider, record.replicate_to)
        yield from tiered(copy, "Storage of the copy", "object_storage", "standard", "GB", size)
        yield from between_regions(place, "Data to the copy", size)


def size_of(record: Bucket) -> Amount:
    """A bucket's size in GB."""
    return assumed("bucket_size") if record.size_gb is None else Amount(exact(record.size_gb).quantize(MEGABYTE))


def _pooled(record: Bucket, place: Place, pool_gb: Decimal) -> Iterator[Part]:
    """Where one base price covers all buckets together, one of them carries it and what goes beyond it."""
    sharing = place.pricing.index.buckets[place.provider]
    carrier = sharing[0]
    if record is not carrier:
        yield place.free("Storage", f"in the base price that bucket.{carrier.name} carries")
        return
    whole = Amount(Decimal(0))
    for other in sharing:
        whole = whole.plus(size_of(other))
    yield place.lasting("Object storage, base price", "object_storage_base", "base", notes=("for all buckets together",))
    notes = (f"{pool_gb:,} GB are in the base price",)
    yield place.measured(
        "Storage of all buckets beyond it", "object_storage", "standard", "GB", whole.beyond(pool_gb), notes=notes
    )


def backup_store(place: Place) -> tuple[str, str]:
    """Service and item of the price list: backup storage, else that of snapshots."""
    return ("backup", "storage") if place.price("backup", "storage") else ("snapshot", "standard")


def backed_up_gb(record: Any) -> Amount:
    """How many GB of a resource a backup plan copies the first time."""
    if hasattr(record, "spec"):
        return Amount.of(record.spec.disk_gb)
    for name in ("storage_gb", "size_gb"):
        if (size := getattr(record, name, None)) is not None:
            return Amount(exact(size).quantize(MEGABYTE))
    return assumed("cluster_backup") if hasattr(record, "control_plane") else assumed("bucket_size")
