"""What keeps the rest running: taskservs, backup plans, log groups, monitoring, registries, limits."""

from typing import Annotated, Literal

from pydantic import Field

from prov_gen.model.base import Cron, Days, Label, Name, Placed, Record, Tagged, Text, Version


class Taskserv(Record):
    """A service to install on servers or clusters."""

    name: Name = Field(description="The service, such as postgresql or containerd")
    version: Version | None = Field(default=None, description="Its version; the catalogue's default when left out")
    targets: list[Name] = Field(default=[], description="Names of servers and clusters; all servers when left out")
    settings: dict[str, Text] = Field(default={}, description="Its settings; secrets as vault: handles")


class BackupPlan(Tagged):
    """Backups of several resources."""

    schedule: Cron = Field(default="@daily", description="When: a cron expression, @daily, @weekly, ...")
    retention_days: Days = Field(default=35, description="How long a backup is kept, in days")
    targets: list[Name] = Field(default=[], description="Names of what is backed up")
    encrypted: bool = Field(default=True, description="Whether backups are encrypted")
    kms_key: Name | None = Field(default=None, description="Name of the key for that, when not the provider's")
    copy_to: Label | None = Field(default=None, description="Second region or provider that receives a copy")
    restore_test_days: Days | None = Field(default=None, description="Days between two tests of a restore")


class LogGroup(Placed):
    """Where logs are kept."""

    retention_days: Days = Field(default=365, description="How long they are kept, in days")
    kms_key: Name | None = Field(default=None, description="Name of the key that encrypts them, when not the provider's")


class Registry(Placed):
    """A container image registry."""

    scan_on_push: bool = Field(default=True, description="Whether images are scanned when they arrive")
    immutable_tags: bool = Field(default=True, description="Whether a tag can never be moved")


class Alert(Record):
    """A condition that somebody must know of."""

    name: Name = Field(description="Its name")
    expression: Label = Field(description="PromQL expression")
    severity: Literal["info", "warning", "critical"] = Field(default="warning", description="How bad it is")
    for_minutes: Annotated[int, Field(ge=0, le=10080)] = Field(default=5, description="Minutes that it must hold")


class Monitoring(Record):
    """Metrics and alerts."""

    enabled: bool = Field(default=False, description="Whether a monitoring stack runs")
    stack: Literal["prometheus", "provider"] = Field(default="prometheus", description="Which one")
    retention_days: Days = Field(default=30, description="How long metrics are kept, in days")
    notify: list[Label] = Field(default=[], description="Who is told: e-mail addresses or channels")
    alerts: list[Alert] = Field(default=[], description="Alerts beside the usual ones")


class Limits(Record):
    """What this configuration may use at most."""

    monthly_budget: Annotated[float, Field(gt=0, le=1e12)] | None = Field(default=None, description="Most that a month may cost")
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(default="USD", description="Currency of the budget, ISO 4217")
    quotas: dict[str, Annotated[int, Field(ge=0, le=1_000_000_000)]] = Field(
        default={},
        description="Your account's own limits by kind (servers, vcpus, ...), where they differ from the provider's defaults",
    )
