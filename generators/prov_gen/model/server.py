"""Servers: virtual machines, or LXD containers at the provider `local`."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from prov_gen.model.base import Backup, Label, Name, Placed, Plan, Port, Record, Text


class OperatingSystem(Record):
    """The image that a server starts from."""

    family: Literal["ubuntu", "debian", "rocky", "alpine"] = Field(default="ubuntu", description="Distribution")
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+){0,2}$")] | None = Field(
        default=None, description="Release, such as 24.04; the catalogue's default for the family when left out"
    )


class ServerSpec(Record):
    """Size of a server. Without a plan, the cheapest x86 SKU that fits is chosen; with one, cpu and memory are the SKU's."""

    cpu: Annotated[int, Field(ge=1, le=1024)] | None = Field(default=None, description="CPU cores must be positive")
    memory_gb: Annotated[float, Field(gt=0, le=65536)] | None = Field(default=None, description="Memory must be positive GB")
    disk_gb: Annotated[int, Field(ge=20, le=65536)] = Field(default=50, description="Disk must be at least 20GB")
    disk_type: Literal["ssd", "gp2", "gp3", "io1", "io2", "hdd"] | None = Field(
        default=None, description="Kind of root disk; the provider's default SSD when left out"
    )
    disk_iops: Annotated[int, Field(ge=100, le=256000)] | None = Field(
        default=None, description="Provisioned IOPS of the root disk"
    )
    encrypted_disk: bool = Field(default=True, description="Whether root and data disks are encrypted at rest")
    os: OperatingSystem = Field(default=OperatingSystem(), description="Operating system")


class ServerNetworking(Record):
    """How a server is reached."""

    vpc: Name | None = Field(default=None, description="Name of its network; the configuration's own when left out")
    subnet: Name | None = Field(default=None, description="Name of its subnet")
    public_ip: bool = Field(default=False, description="Whether it gets a public address")
    security_groups: list[Name] = Field(default=[], description="Names of its security groups")


class Ssh(Record):
    """The SSH daemon's settings."""

    port: Port = Field(default=22, description="TCP port")
    password_auth: bool = Field(default=False, description="Whether passwords are accepted")
    root_login: bool = Field(default=False, description="Whether root may log in")


class Patching(Record):
    """Security updates."""

    automatic: bool = Field(default=True, description="Whether security updates install themselves")
    window: Label | None = Field(default=None, description="When, such as 'sun 03:00-05:00'")


class Server(Placed):
    """A server. Everything but its name has a default."""

    unless_plan: ClassVar[dict[str, Any]] = {"cpu": 2, "memory_gb": 4}
    """Defaults of `spec` that hold only where no plan is named (the seed's); with a plan the SKU's values hold."""

    plan: Plan | None = Field(default=None, description="The provider's SKU such as m5.4xlarge, or small, medium, large, xlarge")
    role: Label | None = Field(default=None, description="What it does, such as web, app, database, bastion")
    zone: Name | None = Field(default=None, description="Availability zone")
    spec: ServerSpec = Field(default=ServerSpec(), description="Cores, memory, disk and operating system")
    networking: ServerNetworking = Field(default=ServerNetworking(), description="Network, subnet, public address, groups")
    ssh: Ssh = Field(default=Ssh(), description="SSH daemon")
    patching: Patching = Field(default=Patching(), description="Security updates")
    backup: Backup | None = Field(default=None, description="Scheduled backups of its disks")
    monitoring: bool = Field(default=True, description="Whether detailed metrics are collected")
    metadata_tokens: Literal["required", "optional"] = Field(
        default="required", description="Whether the instance metadata service demands session tokens (IMDSv2)"
    )
    instance_profile: Label | None = Field(default=None, description="Role that the machine assumes, instead of static keys")
    stateful: bool = Field(default=False, description="Whether it keeps data that must not be lost")
    taskservs: list[Name] = Field(default=[], description="Services to install on it, in order")
    user_data: Text | None = Field(default=None, description="cloud-init user data")

    @model_validator(mode="before")
    @classmethod
    def _fill_spec(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("plan") is None:
            spec = data.get("spec", {})
            if isinstance(spec, ServerSpec):
                spec = spec.model_dump(exclude_none=True)
            if isinstance(spec, dict):
                return data | {"spec": cls.unless_plan | {k: v for k, v in spec.items() if v is not None}}
        return data
