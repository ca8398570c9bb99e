"""Managed databases and caches, and those built from machines where the provider sells none."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from prov_corpus.catalogue import SIZES
from prov_corpus.catalogue.managed_sizes import ManagedKind, managed_sku
from prov_corpus.prices import HOURS_PER_MONTH
from prov_gen.model.data import Cache, Database
from prov_judge.cost.amount import ONE, Amount
from prov_judge.cost.assumptions import billing, read
from prov_judge.cost.machines import node
from prov_judge.cost.model import Part
from prov_judge.cost.place import Place
from prov_judge.cost.storage import disk, kept, snapshots

_STANDBY = ":multi_az"
# The engine whose prices have no name in the list, and those that it may stand for. A licensed engine has only its own price.
_PLAIN = "postgresql"
_PRICED_LIKE = {_PLAIN: (_PLAIN,), "mysql": ("mysql", _PLAIN), "mariadb": ("mariadb", "mysql", _PLAIN)}


def database(record: Database, place: Place) -> Iterator[Part]:
    """Instances (with standby and read replicas), storage, IOPS, backups, logs, public address."""
    if "database" in billing(place.provider).get("built_from_servers", ()):
        yield from _from_machines(record, place)
        return
    item = _item(place, "database", record.plan)
    replicas = Decimal(record.replicas)
    yield from _instance(place, item, "Instance", ONE, record.engine, has_standby=record.multi_az)
    yield from _storage(record, place, "Storage", ONE, has_standby=record.multi_az)
    if replicas:
        yield from _instance(place, item, "Read replicas", Amount(replicas), record.engine, has_standby=False)
        yield from _storage(record, place, "Storage of replicas", Amount(replicas), has_standby=False)
    free_share = billing(place.provider).get("backup_free_share")
    if record.backup.enabled and free_share is not None:
        size = Decimal(record.storage_gb)
        stored = kept(Amount(size), record.backup.schedule, record.backup.retention_days).beyond(size * free_share)
        notes = [f"kept for {record.backup.retention_days} days"]
        if free_share:
            notes.append(f"{size * free_share:,} GB are included")
        yield place.measured("Backups", "database_backup", "standard", "GB", stored, notes=notes)
    if record.logs_exported and place.sells("logs"):
        yield place.used("Logs taken in", "logs", "ingest", "GB", "database_logs")
    if record.publicly_accessible and "database" in billing(place.provider).get("addresses_billed", ()):
        yield place.lasting("Public IPv4 address", "public_ip", "ipv4")


def _from_machines(record: Database, place: Place) -> Iterator[Part]:
    machines = Amount.of((2 if record.multi_az else 1) + record.replicas)
    yield from node(place, record.plan, machines, "Machines")
    yield from disk(place, "Storage", record.storage_type or "ssd", record.storage_gb, iops=record.iops, count=machines)
    if record.backup.enabled:
        yield snapshots(place, Amount.of(record.storage_gb), record.backup)


def _item(place: Place, kind: ManagedKind, plan: str) -> str:
    """The item of the price list that a plan means: a size by the catalogue, any other name is its own."""
    return (managed_sku(place.provider, kind, plan) if plan in SIZES else None) or plan


def _instance(place: Place, item: str, name: str, count: Amount, engine: str, *, has_standby: bool) -> Iterator[Part]:
    by_parts: str | None = billing(place.provider).get("database_by_parts")
    if by_parts and (parts := re.fullmatch(by_parts, item)):
        kind = "regional" if has_standby else "zonal"
        cores, memory = Decimal(parts["cores"]), Decimal(parts["memory_mb"]) / 1024
        hours = count.times(cores * HOURS_PER_MONTH)
        yield place.measured(f"{name}, vCPU ({item})", "database_vcpu", kind, "hours", hours)
        yield place.measured(f"{name}, memory ({item})", "database_memory", kind, "GB", count.times(memory))
        return
    billed, notes = _by_engine(place, item, engine)
    if not has_standby:
        yield place.lasting(f"{name} ({item})", "database", billed, count, notes=notes)
    elif place.price("database", billed + _STANDBY):
        yield place.lasting(f"{name} with standby ({item})", "database", billed + _STANDBY, count, notes=notes)
    else:
        notes = (*notes, "the standby is a second instance at the same price")
        yield place.lasting(f"{name} with standby ({item})", "database", billed, count.times(Decimal(2)), notes=notes)


def _by_engine(place: Place, item: str, engine: str) -> tuple[str, tuple[str, ...]]:
    """The item at the engine's own price. Lists without one have PostgreSQL's, which open engines cost about as much as."""
    for like in _PRICED_LIKE.get(engine, (engine,)):
        own = item if like == _PLAIN else f"{item}:{like}"
        if place.price("database", own):
            return own, () if like == engine else (f"price of {like}",)
    return (item if engine in _PRICED_LIKE else f"{item}:{engine}"), ()


def _storage(record: Database, place: Place, name: str, count: Amount, *, has_standby: bool) -> Iterator[Part]:
    rules: dict[str, Any] = read("storage")["database"][place.provider]
    kind: str = rules["types"][record.storage_type or rules["default"]]
    size = count.times(Decimal(record.storage_gb))
    yield _doubled(place, f"{name} ({kind})", "database_storage", kind, "GB", size, has_standby=has_standby)
    billed = _billed_iops(record, kind, rules)
    if billed:
        iops = count.times(Decimal(billed))
        yield _doubled(place, f"{name}, provisioned IOPS ({kind})", "database_iops", kind, "IOPS", iops, has_standby=has_standby)


def _billed_iops(record: Database, kind: str, rules: dict[str, Any]) -> int:
    """Provisioned IOPS beyond what the kind of storage includes."""
    if kind == "gp3" and "gp3_iops" in rules:
        is_large = record.storage_gb >= rules["gp3_large_from_gb"]
        return max(0, (record.iops or 0) - int(rules["gp3_large_iops" if is_large else "gp3_iops"]))
    return (record.iops or 0) if kind in {"io1", "io2"} else 0


def _doubled(place: Place, name: str, service: str, item: str, unit: str, amount: Amount, *, has_standby: bool) -> Part:
    """A part of an instance, at the price with standby, else twice the price without."""
    if has_standby and place.price(service, item + _STANDBY):
        return place.measured(name, service, item + _STANDBY, unit, amount)
    if has_standby:
        note = ("the standby has as much",)
        return place.measured(name, service, item, unit, amount.times(Decimal(2)), notes=note)
    return place.measured(name, service, item, unit, amount)


def cache(record: Cache, place: Place) -> Iterator[Part]:
    """The nodes of an in-memory store."""
    nodes = Amount.of(record.nodes)
    if "cache" in billing(place.provider).get("built_from_servers", ()):
        yield from node(place, record.plan, nodes, "Machines")
        return
    item = _item(place, "cache", record.plan)
    if place.price("cache", f"{item}:{record.engine}"):
        item = f"{item}:{record.engine}"
    yield place.lasting(f"Nodes ({item})", "cache", item, nodes)
