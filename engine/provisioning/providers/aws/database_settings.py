"""What is set on a database, in the words of RDS and of the configuration."""

import re
from collections.abc import Mapping
from typing import Any

from prov_corpus.catalogue.managed_sizes import managed_sku
from prov_gen.model.base import SIZES
from provisioning.providers.aws.disks import DISK_TYPES, type_told
from provisioning.resource import Status

ENGINES: Mapping[str, str] = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb"}
"""RDS's engines by the words of the configuration. SQL Server comes in editions that nobody states here."""

ENGINE_LOGS: Mapping[str, tuple[str, ...]] = {
    "postgresql": ("postgresql", "upgrade"),
    "mysql": ("error", "slowquery"),
    "mariadb": ("error", "slowquery"),
}

CHANGED_BY: Mapping[str, tuple[str, ...]] = {
    "version": ("EngineVersion",),
    "plan": ("DBInstanceClass",),
    "storage_gb": ("AllocatedStorage",),
    "storage_type": ("StorageType", "Iops", "AllocatedStorage"),
    "iops": ("Iops", "AllocatedStorage"),
    "multi_az": ("MultiAZ",),
    "publicly_accessible": ("PubliclyAccessible",),
    "authentication": ("EnableIAMDatabaseAuthentication",),
    "backup": ("BackupRetentionPeriod", "PreferredBackupWindow"),
    "deletion_protection": ("DeletionProtection",),
    "auto_minor_upgrades": ("AutoMinorVersionUpgrade",),
}
"""Which of RDS's settings a field of the configuration is about."""

_TLS = {"postgresql": "rds.force_ssl", "mysql": "require_secure_transport", "mariadb": "require_secure_transport"}
_DAILY = re.compile(r"(?P<minute>[0-5]?\d) (?P<hour>[01]?\d|2[0-3]) \* \* \*")
_MOST_BACKUP_DAYS = 35
_LEAST_IOPS = 1000
_FAILED = frozenset(
    {"failed", "incompatible-network", "incompatible-parameters", "incompatible-restore", "storage-full", "restore-error"}
)


def status_of(status: str) -> Status:
    """RDS's word in the engine's."""
    if status in ("available", "storage-optimization", "storage-config-upgrade"):
        return "available"
    if status in ("deleting", "deleted"):
        return "gone"
    if status in ("stopped", "stopping"):
        return "stopped"
    return "failed" if status in _FAILED else "pending"


def class_of(plan: str) -> str:
    """The class of machine: a size means what the catalogue says; a SKU of servers has its namesake."""
    named = managed_sku("aws", "database", plan) if plan in SIZES else None
    return named or (plan if plan.startswith("db.") else f"db.{plan}")


def release_of(values: Mapping[str, Any]) -> str:
    """The release that a parameter group is for: PostgreSQL's first number, the first two of the others."""
    numbers = str(values.get("version") or "").removeprefix("v").split(".")
    return numbers[0] if values["engine"] == "postgresql" else ".".join(numbers[:2])


def groups_of(values: Mapping[str, Any]) -> tuple[str, str] | None:
    """The family of its parameter group and the parameter that demands TLS; None without a version to know it by."""
    if values["engine"] not in _TLS or not values.get("version"):
        return None
    return f"{ENGINES[values['engine']]}{release_of(values)}", _TLS[values["engine"]]


def settings_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that is set alike when it is made and when it changes."""
    kind = DISK_TYPES[values.get("storage_type") or "ssd"]
    made: dict[str, Any] = {
        "DBInstanceClass": class_of(values["plan"]),
        "AllocatedStorage": values["storage_gb"],
        "StorageType": kind,
        "MultiAZ": values["multi_az"],
        "PubliclyAccessible": values["publicly_accessible"],
        "DeletionProtection": values["deletion_protection"],
        "AutoMinorVersionUpgrade": values["auto_minor_upgrades"],
        "EnableIAMDatabaseAuthentication": values["authentication"] == "iam",
        **_backup(values["backup"]),
    }
    if values.get("version"):
        made["EngineVersion"] = str(values["version"]).removeprefix("v")
    if kind in ("io1", "io2"):
        made["Iops"] = max(_LEAST_IOPS, values.get("iops") or 0)
    elif values.get("iops"):
        made["Iops"] = values["iops"]
    return made


def _backup(backup: Mapping[str, Any]) -> dict[str, Any]:
    if not backup["enabled"]:
        return {"BackupRetentionPeriod": 0}
    made: dict[str, Any] = {"BackupRetentionPeriod": min(backup["retention_days"], _MOST_BACKUP_DAYS)}
    if match := _DAILY.fullmatch(backup["schedule"]):
        hour, minute = int(match["hour"]), int(match["minute"])
        made["PreferredBackupWindow"] = f"{hour:02}:{minute:02}-{(hour + 1) % 24:02}:{minute:02}"
    return made


def told_of(database: Mapping[str, Any], values: Mapping[str, Any] | None) -> dict[str, Any]:
    """What RDS tells. A version that is only finer than the one that is stated is the same one."""
    known = values or {}
    told: dict[str, Any] = {
        "name": database["DBInstanceIdentifier"],
        "engine": next((word for word, engine in ENGINES.items() if engine == database["Engine"]), database["Engine"]),
        "version": database.get("EngineVersion"),
        "plan": database["DBInstanceClass"],
        "storage_gb": database["AllocatedStorage"],
        "storage_type": type_told(database.get("StorageType", "")),
        "multi_az": bool(database.get("MultiAZ")),
        "publicly_accessible": bool(database.get("PubliclyAccessible")),
        "encryption_at_rest": bool(database.get("StorageEncrypted")),
        "deletion_protection": bool(database.get("DeletionProtection")),
        "auto_minor_upgrades": bool(database.get("AutoMinorVersionUpgrade")),
        "logs_exported": bool(database.get("EnabledCloudwatchLogsExports")),
        "replicas": len(database.get("ReadReplicaDBInstanceIdentifiers") or ()),
        "backup": _backup_told(database.get("BackupRetentionPeriod", 0), known.get("backup")),
    }
    if known.get("iops") and database.get("Iops"):
        told["iops"] = database["Iops"]
    if bool(database.get("IAMDatabaseAuthenticationEnabled")) != (known.get("authentication") == "iam"):
        told["authentication"] = "iam" if database.get("IAMDatabaseAuthenticationEnabled") else "password"
    stated = str(known.get("version") or "")
    if stated and f"{told['version']}.".startswith(f"{stated.removeprefix('v')}."):
        told["version"] = stated
    if known.get("plan") and class_of(known["plan"]) == told["plan"]:
        told["plan"] = known["plan"]
    return told


def _backup_told(days: int, known: Mapping[str, Any] | None) -> dict[str, Any]:
    if not days:
        return {"enabled": False}
    if known and known["retention_days"] > _MOST_BACKUP_DAYS == days:
        days = known["retention_days"]
    return {"enabled": True, "retention_days": days}
