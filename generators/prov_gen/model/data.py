"""What keeps data: databases, caches, buckets, volumes, file systems, queues."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from prov_gen.model.base import Backup, Days, Handle, Label, Name, Placed, Plan, Record, Rule, Version


class Database(Placed):
    """A managed database, or one built from taskservs where the provider sells none."""

    engine: Literal["postgresql", "mysql", "mariadb", "mongodb", "sqlserver", "clickhouse"] = Field(
        default="postgresql", description="Database engine"
    )
    version: Version | None = Field(default=None, description="Engine version; the catalogue's default when left out")
    plan: Plan = Field(default="medium", description="small, medium, large, xlarge, or the provider's database SKU")
    storage_gb: Annotated[int, Field(ge=5, le=131072)] = Field(default=50, description="Storage, in GB")
    storage_type: Literal["ssd", "gp2", "gp3", "io1", "io2", "hdd"] | None = Field(
        default=None, description="Kind of storage; the provider's default SSD when left out"
    )
    iops: Annotated[int, Field(ge=100, le=256000)] | None = Field(default=None, description="Provisioned IOPS")
    multi_az: bool = Field(default=False, description="Whether a standby runs in another zone")
    replicas: Annotated[int, Field(ge=0, le=15)] = Field(default=0, description="Read replicas")
    encryption_at_rest: bool = Field(default=True, description="Whether storage is encrypted")
    kms_key: Name | None = Field(default=None, description="Name of the key for that, when not the provider's")
    require_tls: bool = Field(default=True, description="Whether clients must use TLS")
    publicly_accessible: bool = Field(default=False, description="Whether it has a public address")
    subnets: list[Name] = Field(default=[], description="Names of its subnets")
    security_groups: list[Name] = Field(default=[], description="Names of its security groups")
    authentication: Literal["password", "iam", "vault"] = Field(default="password", description="How clients prove who they are")
    password: Handle | None = Field(default=None, description="Where its administrator's password lives, as a vault: handle")
    backup: Backup = Field(default=Backup(), description="Scheduled backups")
    deletion_protection: bool = Field(default=True, description="Whether it must be unlocked before it can be deleted")
    auto_minor_upgrades: bool = Field(default=True, description="Whether minor versions install themselves")
    logs_exported: bool = Field(default=True, description="Whether its logs are kept outside of it")
    retention_days: Days | None = Field(default=None, description="How long personal data may stay, in days")


class Cache(Placed):
    """An in-memory store."""

    engine: Literal["redis", "valkey", "memcached"] = Field(default="valkey", description="Engine")
    version: Version | None = Field(default=None, description="Engine version; the catalogue's default when left out")
    plan: Plan = Field(default="small", description="small, medium, large, xlarge, or the provider's cache SKU")
    nodes: Annotated[int, Field(ge=1, le=90)] = Field(default=1, description="Nodes")
    encryption_at_rest: bool = Field(default=True, description="Whether it is encrypted on disk")
    encryption_in_transit: bool = Field(default=True, description="Whether clients must use TLS")
    subnets: list[Name] = Field(default=[], description="Names of its subnets")
    security_groups: list[Name] = Field(default=[], description="Names of its security groups")


class Lifecycle(Record):
    """What becomes of old objects."""

    expire_days: Days | None = Field(default=None, description="Delete after so many days")
    archive_days: Days | None = Field(default=None, description="Move to cheap storage after so many days")


class Bucket(Placed):
    """Object storage."""

    access: Literal["private", "public_read"] = Field(default="private", description="Who may read objects")
    block_public: bool = Field(default=True, description="Whether public access is blocked whatever an object says")
    versioning: bool = Field(default=True, description="Whether old versions are kept")
    encryption: Literal["none", "aes256", "kms"] = Field(default="aes256", description="Default encryption of objects")
    kms_key: Name | None = Field(default=None, description="Name of the key, with encryption kms")
    secure_transport_only: bool = Field(default=True, description="Whether plain HTTP is refused")
    log_bucket: Name | None = Field(default=None, description="Bucket for access logs")
    lifecycle: Lifecycle | None = Field(default=None, description="What becomes of old objects")
    object_lock: bool = Field(default=False, description="Whether objects cannot be overwritten or deleted (WORM)")
    replicate_to: Label | None = Field(default=None, description="Region that receives a copy")
    size_gb: Annotated[float, Field(ge=0, le=1e9)] | None = Field(default=None, description="Expected size in GB, for its price")


class Volume(Placed):
    """A block device."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "iops are given for a kind of volume that has none to choose",
            lambda r: r.iops is None or r.type not in {"gp2", "hdd"},
            'fun r => !(std.record.has_field "iops" r) || !(std.array.elem (std.to_string r.type) ["gp2", "hdd"])',
        ),
    )

    size_gb: Annotated[int, Field(ge=1, le=65536)] = Field(default=50, description="Size, in GB")
    type: Literal["ssd", "gp2", "gp3", "io1", "io2", "hdd"] = Field(
        default="ssd", description="Kind; ssd is the provider's default"
    )
    iops: Annotated[int, Field(ge=100, le=256000)] | None = Field(default=None, description="Provisioned IOPS")
    throughput: Annotated[int, Field(ge=125, le=2000)] | None = Field(
        default=None, description="Provisioned throughput, in MiB/s"
    )
    encrypted: bool = Field(default=True, description="Whether it is encrypted at rest")
    kms_key: Name | None = Field(default=None, description="Name of the key for that, when not the provider's")
    attached_to: Name | None = Field(default=None, description="Name of its server")
    zone: Name | None = Field(default=None, description="Availability zone")
    backup: Backup | None = Field(default=None, description="Scheduled snapshots")


class FileSystem(Placed):
    """A shared network file system."""

    size_gb: Annotated[int, Field(ge=1, le=1048576)] = Field(default=100, description="Size, in GB")
    encrypted: bool = Field(default=True, description="Whether it is encrypted at rest")
    kms_key: Name | None = Field(default=None, description="Name of the key for that, when not the provider's")
    subnets: list[Name] = Field(default=[], description="Names of the subnets that mount it")
    backup: Backup | None = Field(default=None, description="Scheduled backups")


class Queue(Placed):
    """A message queue or topic."""

    kind: Literal["queue", "topic"] = Field(default="queue", description="One consumer a message, or all subscribers")
    fifo: bool = Field(default=False, description="Whether order is kept")
    encrypted: bool = Field(default=True, description="Whether messages are encrypted at rest")
    kms_key: Name | None = Field(default=None, description="Name of the key for that, when not the provider's")
    retention_days: Annotated[int, Field(ge=1, le=365)] = Field(default=4, description="How long a message waits, in days")
