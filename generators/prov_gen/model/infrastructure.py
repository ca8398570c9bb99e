"""The whole configuration: a record of resources, as in the seed's template."""

from typing import Any

from pydantic import Field

from prov_gen.model.base import Label, Name, Record, Region
from prov_gen.model.data import Bucket, Cache, Database, FileSystem, Queue, Volume
from prov_gen.model.kubernetes import KubernetesCluster, Workload
from prov_gen.model.network import DnsZone, LoadBalancer, Networking, SecurityGroup
from prov_gen.model.operations import BackupPlan, Limits, LogGroup, Monitoring, Registry, Taskserv
from prov_gen.model.security import Certificate, KmsKey, Secret, Security, Waiver
from prov_gen.model.server import Server
from stratumops.provider import Provider


class InfrastructureConfig(Record):
    """Everything that is described, priced, judged and applied together. Only names have no default."""

    name: Name = Field(default="main", description="Name of the configuration")
    description: Label | None = Field(default=None, description="What it is for")
    provider: Provider = Field(default="aws", description="Provider of every resource that names no other")
    region: Region | None = Field(
        default=None, description="Region of every resource that names no other; the provider's default"
    )
    environment: Label = Field(default="production", description="Such as production, staging, development")
    tags: dict[str, Label] = Field(default={}, description="Tags (labels) of every resource")
    networking: Networking | None = Field(default=None, description="The configuration's own network")
    security_groups: list[SecurityGroup] = Field(default=[], description="Firewalls around servers")
    servers: list[Server] = Field(default=[], description="Virtual machines or containers")
    clusters: list[KubernetesCluster] = Field(default=[], description="Kubernetes clusters")
    workloads: list[Workload] = Field(default=[], description="Containers on the clusters")
    databases: list[Database] = Field(default=[], description="Databases")
    caches: list[Cache] = Field(default=[], description="In-memory stores")
    load_balancers: list[LoadBalancer] = Field(default=[], description="Load balancers")
    buckets: list[Bucket] = Field(default=[], description="Object storage")
    volumes: list[Volume] = Field(default=[], description="Block devices")
    file_systems: list[FileSystem] = Field(default=[], description="Shared file systems")
    queues: list[Queue] = Field(default=[], description="Message queues and topics")
    dns_zones: list[DnsZone] = Field(default=[], description="DNS zones")
    certificates: list[Certificate] = Field(default=[], description="TLS certificates")
    kms_keys: list[KmsKey] = Field(default=[], description="Encryption keys")
    secrets: list[Secret] = Field(default=[], description="Places of secrets")
    registries: list[Registry] = Field(default=[], description="Container image registries")
    log_groups: list[LogGroup] = Field(default=[], description="Where logs are kept")
    backup_plans: list[BackupPlan] = Field(default=[], description="Backups of several resources")
    taskservs: list[Taskserv] = Field(default=[], description="Services to install")
    security: Security | None = Field(default=None, description="Protections of the whole account")
    monitoring: Monitoring | None = Field(default=None, description="Metrics and alerts")
    limits: Limits | None = Field(default=None, description="What it may use at most")
    waivers: list[Waiver] = Field(default=[], description="Failed compliance checks that were accepted")


def dump(config: Record) -> dict[str, Any]:
    """The configuration as JSON values without what was left out, by the names that a configuration uses."""
    return config.model_dump(mode="json", by_alias=True, exclude_none=True)


def dump_stated(config: Record) -> dict[str, Any]:
    """As `dump`, but only what differs from the defaults: what a person would write."""
    return config.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
