"""A migration: steps in waves, each with its risks and its way back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from prov_judge.changes.model import Action, Change

Phase = Literal["backup", "build", "copy", "cut_over", "verify", "change", "retire"]
"""What a step does. Within a provider steps are `backup` and `change`; across providers the others."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `wave` counts from 1: steps of a wave may run at the same time, after all earlier waves.

    `needs` are the ids of steps that it waits for; `affects` the addresses that stop working or change while it runs (its blast
    radius). `rollback` says how it is undone, or is "irreversible".
    """

    id: str
    wave: int
    phase: Phase
    address: str
    action: Action
    title: str
    rollback: str
    needs: tuple[str, ...] = ()
    affects: tuple[str, ...] = ()
    downtime: str = ""
    data_loss: str = ""
    change: Change | None = None

    @property
    def is_irreversible(self) -> bool:
        """Whether nothing brings back what was before."""
        return self.rollback.startswith("irreversible")


@dataclass(frozen=True, slots=True)
class Mapped:
    """The SKU that stands for another one at another provider, and why."""

    address: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class ComplianceDelta:
    """How many checks of a framework fail before and after, as `compliance check` counts them.

    `newly_failing` are the checks that fail only afterwards; `newly_passing` those that fail no more (they pass, are waived, or
    find nothing left to look at). `worse` fail before and after, and afterwards in places where they did not before.
    """

    framework: str
    before: int
    after: int
    newly_failing: tuple[str, ...] = ()
    newly_passing: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Migration:
    """The whole way. `counts` are resources by action; `cost_delta` is what a month costs more (by currency)."""

    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    counts: Mapping[Action, int]
    blast_radius: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    mappings: tuple[Mapped, ...] = ()
    cost_before: Mapping[str, Decimal] = field(default_factory=dict)
    cost_after: Mapping[str, Decimal] = field(default_factory=dict)
    compliance: tuple[ComplianceDelta, ...] = ()
    notes: tuple[str, ...] = ()
    is_across_providers: bool = False
