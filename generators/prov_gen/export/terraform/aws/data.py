"""Databases and caches."""

import re
from typing import Any

from prov_corpus import catalogue
from prov_corpus.catalogue.managed_sizes import ManagedKind, managed_sku
from prov_gen.export.terraform.document import Body, Expression, reference
from prov_gen.export.terraform.item import Item
from prov_gen.export.terraform.rows import Attribute, Fixed, Refers, Special, Tags, find
from prov_gen.export.terraform.table import Found, Main
from prov_gen.model.base import SIZES

_ENGINES = {"postgresql": "postgres", "mysql": "mysql", "mariadb": "mariadb", "sqlserver": "sqlserver-se"}
_LOGS = {
    "postgresql": ["postgresql", "upgrade"],
    "mysql": ["audit", "error", "general", "slowquery"],
    "mariadb": ["audit", "error", "general", "slowquery"],
    "sqlserver": ["agent", "error"],
}
_FORCE_TLS = {
    "postgresql": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
}
_STORAGE = {"ssd": "gp3", "gp2": "gp2", "gp3": "gp3", "io1": "io1", "io2": "io2", "hdd": "standard"}
_ARM = re.compile(r"db\.[a-z]+\d+g[a-z]*\.\w+")
"""Classes on Graviton: a `g` after the generation. Source: Amazon RDS, "DB instance class types"."""
HANDLE = re.compile(r"vault:[A-Za-z0-9_./-]+#[A-Za-z0-9_.-]+")


def _class(plan: str, kind: ManagedKind, prefix: str) -> str:
    """The class of machine that a plan means: a size by the catalogue, as its price; any other name is AWS's own."""
    found = managed_sku("aws", kind, plan) if plan in SIZES else None
    return found or (plan if plan.startswith(prefix) else f"{prefix}{plan}")


def _version(database: Any) -> str:
    """The version that is written; nothing where none is stated and the catalogue knows none."""
    known = database.engine in catalogue.engines()
    return database.version or (catalogue.default_engine(database.engine).version if known else "")


def _database_class(item: Item) -> str:
    """The class of machine, or a variable where RDS would refuse it."""
    named = _class(item.raw.plan, "database", "db.")
    if item.raw.engine != "sqlserver" or not _ARM.match(named):
        return named
    reason = f"RDS has no SQL Server on ARM machines ({named}): choose a class such as db.m6i.large when Terraform runs"
    item.leave("plan", reason)
    # A size that is the default is not kept either.
    item.ledger.tell((*item.path, "plan"), reason)
    label = re.sub(r"\W", "_", f"class_of_{item.raw.name}")
    item.document.define("variable", label, {"type": "string", "description": f"Class of machine of {item.raw.name}"})
    return Expression(f"${{var.{label}}}")


def _write_engine(item: Item, body: Body) -> None:
    engine = item.get("engine")
    body["engine"] = _ENGINES[engine]
    if version := _version(item.raw):
        item.get("version")
        body["engine_version"] = version
    item.get("plan")
    body["instance_class"] = _database_class(item)
    if item.get("logs_exported"):
        body["enabled_cloudwatch_logs_exports"] = _LOGS[engine]


def _other_engine(body: Body) -> str:
    engine = body.get("engine")
    if engine in _ENGINES.values():
        return ""
    return f"a configuration has no such engine as {str(engine)[:64]!r}" if engine else "it names no engine"


def _read_engine(body: Body, record: dict[str, Any]) -> None:
    engine = {theirs: ours for ours, theirs in _ENGINES.items()}.get(str(body.get("engine")))
    record["engine"] = engine
    record["logs_exported"] = bool(body.get("enabled_cloudwatch_logs_exports"))
    for field, attribute in (("version", "engine_version"), ("plan", "instance_class")):
        if body.get(attribute) is not None:
            record[field] = body[attribute]


def _write_login(item: Item, body: Body) -> None:
    how, handle = item.get("authentication"), item.get("password")
    body["iam_database_authentication_enabled"] = how == "iam"
    if how == "vault":
        item.leave("authentication", "the vault makes accounts by itself, later")
    body["username"] = "dbadmin"
    if handle:
        body["password"] = secret_variable(item, f"{item.raw.name}-password", handle)
    else:
        body["manage_master_user_password"] = True


def secret_variable(item: Item, name: str, handle: str) -> Expression:
    """A variable for a secret: Terraform is given the value when it runs, and never writes it out."""
    label = re.sub(r"\W", "_", f"secret_{name}")
    item.document.define("variable", label, {"type": "string", "sensitive": True, "description": f"The secret at {handle}"})
    return Expression(f"${{var.{label}}}")


def _read_login(body: Body, record: dict[str, Any]) -> None:
    record["authentication"] = "iam" if body.get("iam_database_authentication_enabled") is True else "password"


def _write_backup(item: Item, body: Body) -> None:
    if not item.get("backup.enabled"):
        body["backup_retention_period"] = 0
        item.leave("backup.retention_days", "backups are off")
        item.leave("backup.schedule", "backups are off")
        return
    days = item.get("backup.retention_days")
    if days > 35:
        item.leave("backup.retention_days", "RDS keeps its own backups for at most 35 days; a backup plan keeps more")
    body["backup_retention_period"] = min(days, 35)
    item.leave("backup.schedule", "RDS makes one backup a day in a window of its own")


def _read_backup(body: Body, record: dict[str, Any]) -> None:
    days = body.get("backup_retention_period", 0)
    record["backup"] = {"retention_days": days} if days else {"enabled": False}


def _more(item: Item) -> None:
    item.leave("retention_days", "how long personal data may stay is up to the application")
    engine, own = item.raw.engine, item.label
    tls = "1" if item.get("require_tls") else "0"
    if version := _version(item.raw):
        parameter = {"name": _FORCE_TLS[engine], "value": tls}
        item.put(
            "aws_db_parameter_group", own, {"name": item.raw.name, "family": _family(engine, version), "parameter": [parameter]}
        )
    else:
        item.leave("require_tls", "it is a parameter of one version, and none is stated")
    subnets: Body = {"name": item.raw.name}
    Refers("subnets", "subnet_ids", "subnet").write(item, subnets)
    if "subnet_ids" in subnets:
        item.put("aws_db_subnet_group", own, subnets)
    for index in range(item.get("replicas")):
        replica: Body = {
            "identifier": f"{item.raw.name}-replica-{index + 1}",
            "replicate_source_db": reference("aws_db_instance", own, "identifier"),
            "instance_class": _database_class(item),
            "storage_encrypted": item.raw.encryption_at_rest,
            "publicly_accessible": item.raw.publicly_accessible,
            "auto_minor_version_upgrade": item.raw.auto_minor_upgrades,
            "copy_tags_to_snapshot": True,
            "skip_final_snapshot": True,
        }
        item.put("aws_db_instance", f"{own}_replica_{index + 1}", replica)


def _family(engine: str, version: str) -> str:
    parts = version.split(".")
    if engine == "postgresql":
        return f"postgres{parts[0]}"
    return f"{_ENGINES[engine]}{'.'.join(parts[:2])}"


def _write_groups(item: Item, body: Body) -> None:
    """The groups beside the instance, named by it."""
    if _version(item.raw):
        body["parameter_group_name"] = reference("aws_db_parameter_group", item.label, "name")
    if any(item.refer("subnet", name) for name in item.raw.subnets):
        body["db_subnet_group_name"] = reference("aws_db_subnet_group", item.label, "name")


def _recover(label: str, body: Body, found: Found, record: dict[str, Any]) -> None:
    handle = recover_secret(found("variable"), body.get("password"))
    if handle:
        record["password"] = handle
    Refers("subnets", "subnet_ids", "subnet").read(found("aws_db_subnet_group").get(label, {}), record)
    value = find(found("aws_db_parameter_group").get(label, {}), "parameter.value")
    record["require_tls"] = str(value) in {"1", "ON"}
    record["replicas"] = sum(name.startswith(f"{label}_replica_") for name in found("aws_db_instance"))


def recover_secret(variables: dict[str, Body], expression: object) -> str | None:
    """The vault handle that the description of a secret's variable names."""
    found = re.fullmatch(r"\$\{var\.(\w+)\}", expression) if isinstance(expression, str) else None
    described = HANDLE.search(str(variables.get(found[1], {}).get("description", ""))) if found else None
    return described[0] if described else None


DATABASE = Main(
    "database",
    "aws_db_instance",
    (
        Attribute("name", "identifier"),
        Special(_write_engine, _read_engine, {"plan": "instance_class", "version": "engine_version"}),
        Attribute("storage_gb", "allocated_storage"),
        Attribute("storage_type", "storage_type", _STORAGE),
        Attribute("iops", "iops"),
        Attribute("multi_az", "multi_az", absent=False),
        Attribute("encryption_at_rest", "storage_encrypted", absent=False),
        Refers("kms_key", "kms_key_id", "kms_key", "arn"),
        Attribute("publicly_accessible", "publicly_accessible", absent=False),
        Refers("security_groups", "vpc_security_group_ids", "security_group"),
        Special(_write_login, _read_login),
        Special(_write_backup, _read_backup),
        Special(_write_groups),
        Attribute("deletion_protection", "deletion_protection", absent=False),
        Attribute("auto_minor_upgrades", "auto_minor_version_upgrade", absent=True),
        Fixed("copy_tags_to_snapshot", value=True),
        Special(lambda item, body: body.update(final_snapshot_identifier=f"{item.raw.name}-final")),
        Tags(),
    ),
    more=_more,
    recover=_recover,
    accepts=lambda item: "" if item.raw.engine in _ENGINES else f"RDS has no {item.raw.engine}",
    refuses=_other_engine,
)


def _write_cache(item: Item, body: Body) -> None:
    name, nodes, plan = item.get("name"), item.get("nodes"), item.get("plan")
    body["replication_group_id"] = name
    body["description"] = f"Cache {name}"
    body["node_type"] = _class(plan, "cache", "cache.")
    body["num_cache_clusters"] = nodes
    body["automatic_failover_enabled"] = nodes > 1
    if any(item.refer("subnet", subnet) for subnet in item.raw.subnets):
        body["subnet_group_name"] = reference("aws_elasticache_subnet_group", item.label, "name")


def _read_cache(body: Body, record: dict[str, Any]) -> None:
    if isinstance(body.get("node_type"), str):
        record["plan"] = body["node_type"]
    if isinstance(body.get("num_cache_clusters"), int):
        record["nodes"] = body["num_cache_clusters"]


def _cache_subnets(item: Item) -> None:
    group: Body = {"name": item.raw.name}
    Refers("subnets", "subnet_ids", "subnet").write(item, group)
    if "subnet_ids" in group:
        item.put("aws_elasticache_subnet_group", item.label, group)


def _recover_cache(label: str, _body: Body, found: Found, record: dict[str, Any]) -> None:
    Refers("subnets", "subnet_ids", "subnet").read(found("aws_elasticache_subnet_group").get(label, {}), record)


CACHE = Main(
    "cache",
    "aws_elasticache_replication_group",
    (
        Special(_write_cache, _read_cache),
        Attribute("engine", "engine", {"redis": "redis", "valkey": "valkey"}),
        Attribute("version", "engine_version"),
        Attribute("encryption_at_rest", "at_rest_encryption_enabled", absent=False),
        Attribute("encryption_in_transit", "transit_encryption_enabled", absent=False),
        Refers("security_groups", "security_group_ids", "security_group"),
        Tags(),
    ),
    more=_cache_subnets,
    recover=_recover_cache,
    accepts=lambda item: "a replication group has no memcached" if item.raw.engine == "memcached" else "",
    refuses=lambda body: (
        "" if body.get("engine", "redis") in {"redis", "valkey"} else "a configuration has no such engine in a replication group"
    ),
    name_attribute="replication_group_id",
)
