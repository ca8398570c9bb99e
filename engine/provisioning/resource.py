"""What the engine makes, finds and records: one resource is one thing of a configuration, by its address (`server.web`).

A resource may be several objects at its provider (a network with its gateway and route tables): the main one is its `id`, the
others its `parts`. Values are named as in the configuration, filled in (`prov_judge.changes.things.Thing.values`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

TAG_ADDRESS, TAG_LINEAGE, TAG_PART = "prov:id", "prov:lineage", "prov:part"
"""The tags (labels, `user.` keys) that every object carries at its provider: the resource's address, the state's lineage, and, on
a further object of a resource, which of its parts it is. They are how a creation that was cut off is found again."""

Status = Literal["running", "stopped", "available", "pending", "failed", "gone", "unknown"]
"""How a resource is, in words that all providers share."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A recorded resource that another one names: enough of it to build on."""

    address: str
    kind: str
    id: str
    parts: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A resource as it shall be, ready for a provider.

    `values` are filled JSON values; where they hold handles (`vault:...`) `secrets` has the values by handle, for this call only.
    `refs` are the resources that it names, by field as `prov_judge.changes.things.fields_that_name` spells it
    (`networking.subnet`, `security_groups[]`). `tags` are all tags to set, ours among them. `token` is the same for every attempt
    of one step: an idempotency key for providers that take one.
    """

    address: str
    kind: str
    name: str
    provider: str
    region: str
    values: Mapping[str, Any]
    tags: Mapping[str, str]
    refs: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)
    token: str = ""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def named(self, name: str) -> tuple[Ref, ...]:
        """The resources that a field names; empty when it names none of this configuration."""
        return self.refs.get(name, ())


@dataclass(frozen=True, slots=True)
class Found:
    """A resource as its provider shows it.

    `values` are what could be observed, by dotted path as `prov_judge.changes.leaves` names them (`spec.disk_gb`, `tags.Team`):
    only these are compared for drift, so a path that the provider cannot tell is left out. `outputs` are addresses, endpoints and
    ARNs that others and people need; `secret_outputs` (a generated password) are never stored as they are. `address` is what its
    tag says, "" when it has none.
    """

    kind: str
    id: str
    status: Status
    address: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    secret_outputs: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Recorded:
    """A resource as the state has it.

    `record` is the configuration's own record (JSON as `model_dump` gives it) with `model`, the name of its class, and `path`,
    its place in the configuration; `values` and `names` are those of its `Thing`. Secret leaves of `record` and `values` are
    sealed (`provisioning.secrets`). `status` is what the last refresh or action saw; `checked_at` when (seconds since 1970).
    """

    address: str
    kind: str
    provider: str
    region: str
    id: str
    values: Mapping[str, Any]
    record: Mapping[str, Any]
    model: str
    path: tuple[str | int, ...]
    names: tuple[tuple[str, str], ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    status: Status = "unknown"
    checked_at: float = 0.0
    observed: Mapping[str, Any] = field(default_factory=dict)
    """What the last look saw, by path, where it differed from `values`: empty is in sync."""

    @property
    def ref(self) -> Ref:
        """What others need of it."""
        return Ref(self.address, self.kind, self.id, self.parts, self.outputs, self.values)
