"""Smaller managed services, and what costs nothing because it runs on something that is priced."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from prov_corpus import PROVIDERS, catalogue
from prov_gen.model.data import Queue
from prov_gen.model.kubernetes import Workload
from prov_gen.model.operations import BackupPlan, LogGroup, Registry, Taskserv
from prov_gen.model.security import Certificate, KmsKey, Secret
from prov_judge.cost.amount import MEGABYTE
from prov_judge.cost.assumptions import assumed, reason
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place
from prov_judge.cost.storage import backed_up_gb, backup_store, kept
from prov_judge.cost.transfer import between_regions

_DAYS_A_MONTH = 30


def queue(record: Queue, place: Place) -> Iterator[Part]:
    """Requests to a queue or topic."""
    kind = "requests:topic" if record.kind == "topic" else "requests:fifo" if record.fifo else "requests"
    item = kind if place.price("queue", kind) else "requests"
    yield place.used("Requests", "queue", item, "1M requests", "queue_requests")


def kms_key(_: KmsKey, place: Place) -> Iterator[Part]:
    """A key, and what is encrypted and decrypted with it."""
    yield place.lasting("Key", "kms", "key")
    if place.sells("kms"):
        yield place.used("Requests", "kms_requests", "standard", "10k requests", "kms_requests")


def secret(_: Secret, place: Place) -> Iterator[Part]:
    """A secret in the provider's store. One that stays in the vault costs nothing beyond the vault's machine."""
    if not place.sells("secret"):
        yield place.free("Secret", "it stays in the vault")
        return
    yield place.lasting("Secret", "secret", "secret", notes=("nothing when it stays in the vault",))
    yield place.used("Reads", "secret_requests", "standard", "10k requests", "secret_requests")


def registry(_: Registry, place: Place) -> Iterator[Part]:
    """Stored images."""
    yield place.used("Storage", "registry", "storage", "GB", "registry")


def log_group(record: LogGroup, place: Place) -> Iterator[Part]:
    """Logs taken in, and kept: a whole retention period of them once it has run full."""
    yield place.used("Logs taken in", "logs", "ingest", "GB", "log_group")
    if place.sells("logs"):
        months = Decimal(record.retention_days) / _DAYS_A_MONTH
        stored = assumed("log_group").map(lambda gigabytes: (gigabytes * months).quantize(MEGABYTE))
        notes = (f"kept for {record.retention_days} days", reason("log_group"))
        yield place.measured("Logs kept", "logs", "storage", "GB", stored, notes=notes)


def certificate(record: Certificate, place: Place) -> Iterator[Part]:
    """None costs anything here: an imported one was paid for elsewhere."""
    if record.issuer == "provider":
        yield place.lasting("Certificate", "certificate", "managed")
        return
    why = {
        "letsencrypt": "Let's Encrypt signs without charge",
        "vault": "the vault signs it",
        "imported": "paid for elsewhere: importing costs nothing",
    }
    yield place.free("Certificate", why[record.issuer])


def workload(_: Workload, place: Place) -> Iterator[Part]:
    """Containers run on the nodes of their cluster."""
    yield place.free("Containers", "they run on the nodes of their cluster")


def taskserv(_: Taskserv, place: Place) -> Iterator[Part]:
    """Software on machines that are priced."""
    yield place.free("Software", "it runs on machines that are priced")


def backup_plan(record: BackupPlan, place: Place) -> Iterator[Part]:
    """What a plan stores of each target, and of the copies elsewhere."""
    targets = [found for name in dict.fromkeys(record.targets) for found in place.pricing.index.backed_up.get(name, ())]
    if not targets:
        yield place.free("Backups", "it names nothing that is there")
    for target in targets:
        yield from backups_of_target(record, target, place)


def backups_of_target(record: BackupPlan, target: Any, place: Place) -> Iterator[Part]:
    """What a plan stores of one target, which is a record of what plans can name."""
    there = place.pricing.place_of(target)
    stored = kept(backed_up_gb(target), record.schedule, record.retention_days)
    notes = (f"kept for {record.retention_days} days",)
    yield there.measured(f"Backups of {target.name}", *backup_store(there), "GB", stored, notes=notes)
    if record.copy_to:
        copy = _copy_place(record.copy_to, there)
        yield copy.measured(f"Copy of {target.name} in {record.copy_to}", *backup_store(copy), "GB", stored, notes=notes)
        yield from between_regions(there, f"Data to the copy of {target.name}", backed_up_gb(target))


def _copy_place(where: str, place: Place) -> Place:
    """The region or provider that receives a copy."""
    if where in PROVIDERS:
        return place.pricing.place(where, catalogue.default_region(where).id)
    return place.pricing.place(place.provider, where)
