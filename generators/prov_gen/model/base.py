"""The words all models share: names, networks, plans, tags, and the base of every record.

Only a closed set of types is used in the models (str with a pattern, int, float, bool, Literal, list, dict, records), so that
each has exactly one Nickel contract. Patterns are Rust regular expressions in both worlds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from stratumops.provider import Provider


@dataclass(frozen=True, slots=True)
class OrTag:
    """Marks a text that Nickel also takes as a tag: `plan = 'small`, as the seed writes sizes."""


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"),
    Field(description="A DNS label: a-z, 0-9 and '-', at most 63 characters"),
]
"""A DNS label (RFC 1123)."""

Text = Annotated[str, StringConstraints(max_length=4096)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=256)]
Region = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
Domain = Annotated[str, StringConstraints(pattern=r"^(\*\.)?([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$")]
Handle = Annotated[str, StringConstraints(pattern=r"^vault:[A-Za-z0-9_./-]+#[A-Za-z0-9_.-]+$")]
"""Where a secret lives (`vault:secret/app#password`); never the secret itself."""

Cidr = Annotated[
    str,
    StringConstraints(
        pattern=r"^(((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])/(3[0-2]|[12]?[0-9])"
        r"|[0-9a-fA-F:]*:[0-9a-fA-F:]*/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))$"
    ),
]
"""An IPv4 or IPv6 network such as 10.0.0.0/16."""

Plan = Annotated[str, OrTag(), StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""The provider's own SKU (`m5.4xlarge`), or small, medium, large, xlarge."""

SIZES = ("small", "medium", "large", "xlarge")

Version = Annotated[str, StringConstraints(pattern=r"^v?[0-9]+(\.[0-9]+){0,3}([-.+][0-9A-Za-z.-]+)?$")]
Port = Annotated[int, Field(ge=1, le=65535)]
Days = Annotated[int, Field(ge=1, le=36500)]
DaysOrNever = Annotated[int, Field(ge=0, le=36500)]
"""Days between two repetitions; 0 is never."""
Cron = Annotated[str, StringConstraints(pattern=r"^(@(hourly|daily|weekly|monthly)|[!-~]{1,40}( [!-~]{1,40}){4})$")]
DataClass = Literal["public", "internal", "confidential", "personal", "health", "card"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule over several fields of a record, in both languages; a property test holds the two together.

    `nickel` is a function from the record (defaults filled) to Bool.
    """

    message: str
    holds: Callable[[Any], bool]
    nickel: str


class Record(BaseModel):
    """A closed, immutable record: an unknown field is an error, and "2" is no number."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    invariants: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _hold_invariants(self) -> "Record":
        for rule in self.invariants:
            if not rule.holds(self):
                raise ValueError(rule.message)
        return self


class Tagged(Record):
    """A record with a name and tags."""

    name: Name = Field(description="Its name, unique among its kind: a DNS label")
    tags: dict[str, Label] = Field(default={}, description="Tags (labels) as text; the configuration's own tags are added")


class Placed(Tagged):
    """A resource at a provider, in a region."""

    provider: Provider | None = Field(default=None, description="Its provider, when not the configuration's")
    region: Region | None = Field(default=None, description="Its region, when not the configuration's")
    data_class: DataClass | None = Field(default=None, description="The most sensitive kind of data that it holds")


class Backup(Record):
    """Scheduled backups of one resource."""

    enabled: bool = Field(default=True, description="Whether backups are made")
    retention_days: Days = Field(default=7, description="How long a backup is kept, in days")
    schedule: Cron = Field(default="@daily", description="When: a cron expression, @daily, @weekly, ...")
