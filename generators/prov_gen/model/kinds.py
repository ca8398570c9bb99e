"""The kinds of thing that a configuration holds, in one table: model, place in the configuration, schema file.

Adding a kind is a model, its field in `InfrastructureConfig`, and a row here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prov_gen.model import data, kubernetes, network, operations, security, server
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind: `name` is also its schema file (`schemas/NAME.ncl`), `field` its place, `is_list` whether there are several.

    `is_resource` is False for what says how things shall be and is no thing itself.
    """

    name: str
    model: type[Record]
    field: str
    title: str
    is_list: bool = True
    is_resource: bool = True

    @property
    def contract(self) -> str:
        """Name of its Nickel contract in the schema file."""
        return self.model.__name__


KINDS = (
    Kind("server", server.Server, "servers", "Server"),
    Kind("kubernetes", kubernetes.KubernetesCluster, "clusters", "Kubernetes cluster"),
    Kind("database", data.Database, "databases", "Database"),
    Kind("networking", network.Networking, "networking", "Network", is_list=False),
    Kind("security_group", network.SecurityGroup, "security_groups", "Security group"),
    Kind("load_balancer", network.LoadBalancer, "load_balancers", "Load balancer"),
    Kind("bucket", data.Bucket, "buckets", "Bucket"),
    Kind("volume", data.Volume, "volumes", "Volume"),
    Kind("file_system", data.FileSystem, "file_systems", "File system"),
    Kind("cache", data.Cache, "caches", "Cache"),
    Kind("queue", data.Queue, "queues", "Queue or topic"),
    Kind("dns", network.DnsZone, "dns_zones", "DNS zone"),
    Kind("certificate", security.Certificate, "certificates", "Certificate"),
    Kind("kms_key", security.KmsKey, "kms_keys", "Encryption key"),
    Kind("secret", security.Secret, "secrets", "Secret"),
    Kind("registry", operations.Registry, "registries", "Image registry"),
    Kind("log_group", operations.LogGroup, "log_groups", "Log group"),
    Kind("workload", kubernetes.Workload, "workloads", "Workload"),
    Kind("backup", operations.BackupPlan, "backup_plans", "Backup plan"),
    Kind("taskserv", operations.Taskserv, "taskservs", "Taskserv"),
    Kind("security", security.Security, "security", "Security", is_list=False, is_resource=False),
    Kind("monitoring", operations.Monitoring, "monitoring", "Monitoring", is_list=False, is_resource=False),
    Kind("limits", operations.Limits, "limits", "Limits", is_list=False, is_resource=False),
    Kind("waiver", security.Waiver, "waivers", "Waiver", is_resource=False),
)
INFRASTRUCTURE = Kind("infrastructure", InfrastructureConfig, "", "Configuration", is_list=False)
BY_NAME = {kind.name: kind for kind in (INFRASTRUCTURE, *KINDS)}
BY_FIELD = {kind.field: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Item:
    """A record at its place: `path` is ("servers", 0)."""

    path: tuple[str | int, ...]
    kind: Kind
    record: Any


def resources(config: InfrastructureConfig) -> Iterator[Item]:
    """Every record of the configuration that belongs to a kind, in the table's order."""
    for kind in KINDS:
        value = getattr(config, kind.field)
        if kind.is_list:
            for index, record in enumerate(value):
                yield Item((kind.field, index), kind, record)
        elif value is not None:
            yield Item((kind.field,), kind, value)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A configuration, and the kind of the bare record that it was made of (None when it was whole)."""

    value: dict[str, Any]
    bare: Kind | None


# Fields that tell a kind from the others; the first whose field is there wins.
_TELLTALES = (
    ("kubernetes", ("control_plane", "workers", "addons", "node_groups")),
    ("database", ("multi_az", "storage_gb", "publicly_accessible", "require_tls")),
    ("cache", ("nodes", "encryption_in_transit")),
    ("load_balancer", ("listeners", "health_check", "scheme")),
    ("bucket", ("versioning", "block_public", "object_lock", "secure_transport_only")),
    ("workload", ("image", "replicas")),
    ("security_group", ("rules",)),
    ("certificate", ("domain", "issuer", "key_type")),
    ("dns", ("records", "dnssec")),
    ("volume", ("attached_to", "size_gb")),
    ("networking", ("vpc_cidr", "subnets")),
    ("server", ("spec", "plan", "role", "networking", "ssh", "name")),
)


def wrap(value: dict[str, Any]) -> Wrapped:
    """A whole configuration from what a user wrote: a configuration, or a bare Server, KubernetesCluster, ... record.

    A record that names a field of no configuration but of one kind is of that kind. What fits nothing is left as it is, so
    that the models say what is wrong with it.
    """
    own = set(InfrastructureConfig.model_fields)
    keys = set(value)
    if keys & set(BY_FIELD) - _shared_fields() or not keys or keys <= own:
        return Wrapped(value, None)
    kind = _kind_of(keys)
    if kind is None:
        return Wrapped(value, None)
    outer = {key: value[key] for key in ("provider",) if key in value}
    return Wrapped(outer | {kind.field: [value] if kind.is_list else value}, kind)


def _shared_fields() -> set[str]:
    """Fields of the configuration that some kinds have too (`networking` of a server)."""
    return {field for field in BY_FIELD if any(field in kind.model.model_fields for kind in KINDS)}


def _kind_of(keys: set[str]) -> Kind | None:
    for name, telling in _TELLTALES:
        kind = BY_NAME[name]
        if keys & set(telling) and keys <= set(kind.model.model_fields):
            return kind
    whole = [kind for kind in KINDS if keys <= set(kind.model.model_fields)]
    if whole:
        return whole[0]
    return next(
        (BY_NAME[name] for name, telling in _TELLTALES[:-1] if keys & set(telling)), BY_NAME["server"] if "spec" in keys else None
    )
