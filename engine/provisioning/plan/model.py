"""A plan as a value: what was asked, what it rests on, and every step. An approval names the hash of its canonical JSON."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

DEPOSED = "@old"
PlanKind = Literal["apply", "destroy", "rollback", "workflow"]
StepAction = Literal["create", "update", "delete", "backup", "task"]
IMPORTED = "recorded by import, made by nobody here"
"""How the reason begins that says of a resource that nothing shows it to be ours."""


def deposed(address: str) -> str:
    """What the state calls a resource whose successor is made beside it, until it is deleted."""
    return address + DEPOSED


def task_context(lineage: str, step: str) -> str:
    """The context in which the secret leaves of a task's configuration are sealed; `step` is the id of its step."""
    return f"{lineage}/task/{step.removeprefix('task:')}"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a step is tried again (the seed's policy). Delays are milliseconds."""

    max_retries: int = 3
    initial_delay_ms: int = 1000
    backoff_multiplier: float = 2.0
    max_delay_ms: int = 60_000

    def delay_ms(self, retry: int) -> int:
        """How long to wait before the retry of that number (from 1)."""
        return int(min(self.initial_delay_ms * self.backoff_multiplier ** (retry - 1), self.max_delay_ms))


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step. Those whose `needs` are done may run at the same time; `wave` (from 1) is for people.

    For `create` and `update`, `wanted` is the resource as it shall be (`address`, `kind`, `name`, `provider`, `region`, `values`,
    `record`, `model`, `path`, `names`: see `resource.Recorded`); its secret leaves are sealed in the contexts `LINEAGE/ADDRESS`
    (values) and `LINEAGE/ADDRESS/record`. `paths` are the leaves that an update brings over, `previous` the address that a
    renamed resource has in the state.

    With `is_replacement` a creation comes beside the old one, which the state calls `deposed(address)` from then on; that is the
    address of the step that deletes it later. A `task` has its type and its configuration instead (`workflow.tasks`); what is
    secret in that is sealed in the context `task_context`.

    `id_there` is what the provider calls the resource that is changed, saved or deleted; "" where there is none yet.
    """

    id: str
    action: StepAction
    address: str
    provider: str
    title: str
    wave: int
    needs: tuple[str, ...] = ()
    wanted: Mapping[str, Any] | None = None
    paths: tuple[str, ...] = ()
    previous: str = ""
    is_replacement: bool = False
    task: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    retry: RetryPolicy = RetryPolicy()
    why: tuple[str, ...] = ()
    fields: tuple[tuple[str, Any, Any], ...] = ()
    """What an update changes and what a creation states, for people: (path, before or None, after), secrets hidden."""
    affects: tuple[str, ...] = ()
    downtime: str = ""
    data_loss: str = ""
    rollback: str = ""
    id_there: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a plan rests on; when any of it is another at apply, the plan is stale."""

    lineage: str
    serial: int
    config_sha256: str
    providers: Mapping[str, str]
    """Version of every provider that takes part, by name."""


@dataclass(frozen=True)
class Plan:
    """The whole plan. `config` is the wanted configuration as stated JSON with secrets sealed (empty for a destruction).

    Times are seconds since 1970. `left_out` are things that no provider makes here, with the reason. `cost` is what a month costs
    by currency, as text; `compliance` says in words what becomes of each framework's checks.
    """

    kind: PlanKind
    title: str
    basis: Basis
    steps: tuple[PlanStep, ...]
    config: Mapping[str, Any]
    made_at: float
    expires_at: float
    made_by: str
    source: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    cost_before: Mapping[str, str] = field(default_factory=dict)
    cost_after: Mapping[str, str] = field(default_factory=dict)
    compliance: Mapping[str, str] = field(default_factory=dict)
    findings: tuple[str, ...] = ()
    blast_radius: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rolls_back_on_failure: bool = True
    targets: Mapping[str, Any] = field(default_factory=dict)
    """Of a rollback the serial that it returns to, of a workflow its id and parameters."""

    @cached_property
    def body(self) -> bytes:
        """Canonical JSON (sorted keys, no spaces, UTF-8)."""
        return json.dumps(self, default=_fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def sha256(self) -> str:
        """The hash that an approval signs, in hex."""
        return hashlib.sha256(self.body).hexdigest()

    @property
    def id(self) -> str:
        """What people and tools call it: `plan-` and the first 12 digits of its hash."""
        return f"plan-{self.sha256[:12]}"


def _fields(value: Any) -> dict[str, Any]:
    """A dataclass for JSON; `asdict` would copy every value first, which takes longer than all the rest."""
    return {one.name: getattr(value, one.name) for one in fields(value)}


def parsed(body: bytes) -> Plan:
    """A plan from its canonical JSON. Raises ValueError for what is none."""
    try:
        data = json.loads(body)
        steps = tuple(
            PlanStep(
                **{
                    **step,
                    "needs": tuple(step["needs"]),
                    "paths": tuple(step["paths"]),
                    "why": tuple(step["why"]),
                    "affects": tuple(step["affects"]),
                    "fields": tuple((path, before, after) for path, before, after in step["fields"]),
                    "retry": RetryPolicy(**step["retry"]),
                }
            )
            for step in data["steps"]
        )
        return Plan(
            **{
                **data,
                "steps": steps,
                "basis": Basis(**data["basis"]),
                "findings": tuple(data["findings"]),
                "notes": tuple(data["notes"]),
                "blast_radius": {key: tuple(value) for key, value in data["blast_radius"].items()},
            }
        )
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"this is no plan: {error}") from None
