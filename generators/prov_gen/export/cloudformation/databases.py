"""Databases and caches that AWS runs: RDS and ElastiCache."""

import functools
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prov_corpus import catalogue, prices
from prov_corpus.catalogue.managed_sizes import ManagedKind, managed_sku
from prov_gen.export.cloudformation.network import subnets_of
from prov_gen.export.cloudformation.scope import PROVIDER, Scope
from prov_gen.export.cloudformation.template import Value, get_att, ref
from prov_gen.export.tracking import path_of
from prov_gen.model.base import SIZES

_ENGINES = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb"}
_TLS = {"postgres": "rds.force_ssl", "mysql": "require_secure_transport", "mariadb": "require_secure_transport"}
_LOGS = {
    "postgres": ["postgresql", "upgrade"],
    "mysql": ["error", "slowquery"],
    "mariadb": ["error", "slowquery"],
    "sqlserver": ["error"],
}
_DISKS = {"ssd": "gp3", "hdd": "standard"}
_LEAST_GB, _MOST_GB = {"io1": 100, "io2": 100}, 65536
_MOST_BACKUP_DAYS = 35
_MOST_REPLICAS = {"postgres": 15, "mysql": 15, "mariadb": 15, "sqlserver": 0}
_DAILY = re.compile(r"(?P<minute>[0-5]?\d) (?P<hour>[01]?\d|2[0-3]) \* \* \*")
_FAMILY = re.compile(r"[a-z][a-z0-9]*\.[a-z0-9]+")
_ARM = re.compile(r"db\.[a-z]+\d+g[a-z]*\.")
"""Classes on Graviton: a `g` after the generation. Source: Amazon RDS, "DB instance class types"."""
_MOST_NODES = {"replication": 6, "memcached": 40}


def _class(scope: Scope, record: Any, kind: ManagedKind, prefix: str) -> Value:
    """The class of machine: a size means what the catalogue says, as its price; a SKU of servers has its namesake."""
    plan = record.plan
    if plan in SIZES and (named := managed_sku(PROVIDER, kind, plan)):
        return named
    bare = plan.removeprefix(f"{prefix}.")
    found = prices.find_sku(PROVIDER, bare) if _FAMILY.fullmatch(bare) else None
    if found and found.name == bare:
        return f"{prefix}.{bare}"
    scope.ledger.leave((*path_of(record), "plan"), "no class of machine that is known")
    return _chosen_class(scope, record)


def _chosen_class(scope: Scope, record: Any) -> Value:
    return scope.template.parameter(("class of", record.name), "String", f"Class of machine of {record.name}")


@functools.cache
def _releases() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("releases.toml").read_text(encoding="utf-8"))


def build_databases(scope: Scope, databases: list[Any]) -> None:
    """Databases with their subnet group, the parameters that demand TLS, and their read replicas."""
    for database in databases:
        where = path_of(database)
        if database.engine in ("mongodb", "clickhouse"):
            scope.ledger.leave(where, f"AWS sells no {database.engine}: it runs on servers, installed by a taskserv")
            continue
        _database(scope, database)


def _database(scope: Scope, database: Any) -> None:
    template, where = scope.template, path_of(database)
    logical_id = scope.id_of("databases", database.name) or ""
    engine = _ENGINES.get(database.engine, "sqlserver")
    subnets = subnets_of(scope, database.subnets, (*where, "subnets"))
    described = f"Subnets of {database.name}"
    group = template.add(
        "RDS::DBSubnetGroup", {"DBSubnetGroupDescription": described, "SubnetIds": subnets}, logical_id, "Subnets"
    )
    groups = scope.refs("security_groups", database.security_groups, (*where, "security_groups"))
    machine = _class(scope, database, "database", "db")
    if engine == "sqlserver" and isinstance(machine, str) and _ARM.match(machine):
        reason = f"RDS has no SQL Server on ARM machines ({machine}): choose a class"
        scope.ledger.leave((*where, "plan"), reason)
        # A size that is the default is not kept either.
        scope.ledger.tell((*where, "plan"), reason)
        machine = _chosen_class(scope, database)
    if database.retention_days is not None:
        scope.ledger.leave((*where, "retention_days"), "how long rows stay is the application's matter")
    properties: dict[str, Value] = {
        "DBInstanceClass": machine,
        "DBSubnetGroupName": ref(group),
        "VPCSecurityGroups": [{"Fn::GetAtt": [one["Ref"], "GroupId"]} for one in groups] or None,
        "MultiAZ": database.multi_az,
        "PubliclyAccessible": database.publicly_accessible,
        "StorageEncrypted": database.encryption_at_rest,
        "KmsKeyId": scope.key_of(database) if database.encryption_at_rest else None,
        "AutoMinorVersionUpgrade": database.auto_minor_upgrades,
        "DeletionProtection": database.deletion_protection,
        "CopyTagsToSnapshot": True,
        "EnableCloudwatchLogsExports": _LOGS[engine] if database.logs_exported else None,
        "Tags": scope.tags(database),
        **_engine(scope, database, engine, logical_id),
        **_storage(scope, database),
        **_backup(scope, database),
        **_login(scope, database),
    }
    template.add("RDS::DBInstance", properties, logical_id=logical_id, keep="Snapshot")
    template.output(logical_id, "endpoint", get_att(logical_id, "Endpoint.Address"), f"Address of {database.name}")
    if database.replicas > _MOST_REPLICAS[engine]:
        scope.ledger.leave((*where, "replicas"), f"{database.engine} has at most {_MOST_REPLICAS[engine]} here")
        return
    for number in range(database.replicas):
        replica = {
            "SourceDBInstanceIdentifier": ref(logical_id),
            "DBInstanceClass": machine,
            "PubliclyAccessible": database.publicly_accessible,
            "StorageType": properties["StorageType"],
            "Iops": properties.get("Iops"),
            "AutoMinorVersionUpgrade": database.auto_minor_upgrades,
            "Tags": scope.tags(database),
        }
        template.add("RDS::DBInstance", replica, logical_id, "Replica", str(number + 1))


def _engine(scope: Scope, database: Any, engine: str, logical_id: str) -> dict[str, Value]:
    """Engine, version, and the parameter group that refuses clients without TLS."""
    where = path_of(database)
    if engine == "sqlserver":
        edition = scope.template.parameter(("edition of", database.name), "String", "SQL Server edition", "sqlserver-se")
        scope.ledger.leave((*where, "version"), "the version of SQL Server belongs to its edition: choose both at AWS")
        if database.require_tls:
            scope.ledger.tell((*where, "require_tls"), "the parameter group of SQL Server depends on its edition and version")
        return {"Engine": edition, "LicenseModel": "license-included"}
    stated = (database.version or "").removeprefix("v")
    known = catalogue.engine_versions(database.engine)
    # A release is what the catalogue knows (16, 8.4); what is stated may be one of its minor versions (16.4).
    release = next((one for one in known if stated == one or stated.startswith(f"{one}.")), None)
    if database.version and release is None:
        scope.ledger.leave((*where, "version"), f"no version of {database.engine} that is known")
    version = release or catalogue.default_engine(database.engine).version
    proposed = stated if release and stated != release else _releases()[database.engine].get(version)
    described = f"Version of {database.name}: a minor version of {database.engine} {version}"
    chosen = scope.template.parameter(("version of", database.name), "String", described, proposed)
    made: dict[str, Value] = {"Engine": engine, "EngineVersion": chosen}
    if database.require_tls:
        family = f"{engine}{version}"
        properties = {"Family": family, "Description": f"{database.name} demands TLS", "Parameters": {_TLS[engine]: "1"}}
        made["DBParameterGroupName"] = ref(scope.template.add("RDS::DBParameterGroup", properties, logical_id, "Parameters"))
    return made


def _storage(scope: Scope, database: Any) -> dict[str, Value]:
    where = path_of(database)
    stated = database.storage_type or "ssd"
    kind = _DISKS.get(stated, stated)
    least = _LEAST_GB.get(kind, 20)
    size = min(max(database.storage_gb, least), _MOST_GB)
    if size != database.storage_gb:
        scope.ledger.leave((*where, "storage_gb"), f"RDS takes {least} to {_MOST_GB} GB with {kind}; {size} are written")
    made: dict[str, Value] = {"StorageType": kind, "AllocatedStorage": str(size)}
    if kind in ("io1", "io2"):
        return made | {"Iops": max(1000, database.iops or 0)}
    if database.iops is not None:
        scope.ledger.leave((*where, "iops"), f"the IOPS of {kind} follow from its size here")
    return made


def _backup(scope: Scope, database: Any) -> dict[str, Value]:
    backup = database.backup
    where = path_of(backup)
    if not backup.enabled:
        return {"BackupRetentionPeriod": 0}
    if backup.retention_days > _MOST_BACKUP_DAYS:
        scope.ledger.leave(
            (*where, "retention_days"), f"RDS keeps its own backups {_MOST_BACKUP_DAYS} days at most, which are written"
        )
    made: dict[str, Value] = {"BackupRetentionPeriod": min(backup.retention_days, _MOST_BACKUP_DAYS)}
    if match := _DAILY.fullmatch(backup.schedule):
        hour, minute = int(match["hour"]), int(match["minute"])
        made["PreferredBackupWindow"] = f"{hour:02}:{minute:02}-{(hour + 1) % 24:02}:{minute:02}"
    elif backup.schedule != "@daily":
        scope.ledger.leave((*where, "schedule"), "RDS makes a backup each day")
    return made


def _login(scope: Scope, database: Any) -> dict[str, Value]:
    """The administrator. The password is made and kept by AWS, or read from Secrets Manager where the handle says."""
    name = scope.template.parameter(("administrator of", database.name), "String", f"Administrator of {database.name}", "dbadmin")
    made: dict[str, Value] = {"MasterUsername": name, "EnableIAMDatabaseAuthentication": database.authentication == "iam" or None}
    if database.authentication == "vault":
        scope.ledger.leave((*path_of(database), "authentication"), "the vault makes its own accounts in the database")
    if database.password is None:
        return made | {"ManageMasterUserPassword": True}
    path, key = database.password.removeprefix("vault:").split("#")
    return made | {"MasterUserPassword": f"{{{{resolve:secretsmanager:{path}:SecretString:{key}}}}}"}


def build_caches(scope: Scope, caches: list[Any]) -> None:
    """Caches: a replication group for Redis and Valkey, a cluster for memcached."""
    for cache in caches:
        where, template = path_of(cache), scope.template
        logical_id = scope.id_of("caches", cache.name) or ""
        subnets = subnets_of(scope, cache.subnets, (*where, "subnets"))
        described = {"Description": f"Subnets of {cache.name}", "SubnetIds": subnets}
        group = template.add("ElastiCache::SubnetGroup", described, logical_id, "Subnets")
        groups = scope.refs("security_groups", cache.security_groups, (*where, "security_groups"))
        is_memcached = cache.engine == "memcached"
        most = _MOST_NODES["memcached" if is_memcached else "replication"]
        if cache.nodes > most:
            scope.ledger.leave((*where, "nodes"), f"AWS takes at most {most} here, which are written")
        nodes = min(cache.nodes, most)
        scope.ledger.leave((*where, "version"), "AWS chooses the newest version of the engine")
        shared: dict[str, Value] = {
            "Engine": cache.engine,
            "CacheNodeType": _class(scope, cache, "cache", "cache"),
            "CacheSubnetGroupName": ref(group),
            "TransitEncryptionEnabled": cache.encryption_in_transit,
            "Tags": scope.tags(cache),
        }
        ids = [{"Fn::GetAtt": [one["Ref"], "GroupId"]} for one in groups]
        if is_memcached:
            scope.ledger.leave((*where, "encryption_at_rest"), "memcached keeps nothing on disk")
            properties = {"NumCacheNodes": nodes, "VpcSecurityGroupIds": ids or None}
            template.add("ElastiCache::CacheCluster", shared | properties, logical_id=logical_id)
            continue
        properties = {
            "ReplicationGroupDescription": cache.name,
            "NumCacheClusters": nodes,
            "AutomaticFailoverEnabled": nodes > 1,
            "MultiAZEnabled": nodes > 1,
            "AtRestEncryptionEnabled": cache.encryption_at_rest,
            "SecurityGroupIds": ids or None,
        }
        template.add("ElastiCache::ReplicationGroup", shared | properties, logical_id=logical_id, keep="Snapshot")
        template.output(logical_id, "endpoint", get_att(logical_id, "PrimaryEndPoint.Address"), f"Address of {cache.name}")
