"""A migration as JSON: the whole plan for programs, with every step, and secrets hidden as everywhere."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from prov_judge.changes.masking import shown, shown_path
from prov_judge.changes.model import Change, FieldChange
from prov_judge.migration.model import ComplianceDelta, Migration, Step
from prov_judge.migration.words import compliance_words, summary

MOST_AFFECTED = 100
"""Addresses of a step. `blast_radius` has all of them, once: a chain of things affects as many as their number squared."""


def as_json(migration: Migration) -> str:
    """The whole plan as JSON text."""
    return json.dumps(as_dict(migration), ensure_ascii=False, indent=1) + "\n"


def as_dict(migration: Migration) -> dict[str, Any]:
    """The whole plan as JSON values; money as text, exact. A step names its change by the address of `changes`."""
    return {
        "summary": summary(migration),
        "is_across_providers": migration.is_across_providers,
        "counts": dict(migration.counts),
        "changes": [_change(change) for change in migration.changes if change.action != "no_op" or change.previous],
        "steps": [_step(step) for step in migration.steps],
        "blast_radius": {address: list(touched) for address, touched in migration.blast_radius.items()},
        "mappings": [
            {"address": one.address, "before": one.before, "after": one.after, "why": one.why} for one in migration.mappings
        ],
        "cost_before": _amounts(migration.cost_before),
        "cost_after": _amounts(migration.cost_after),
        "compliance": [_delta(one) for one in migration.compliance],
        "notes": list(migration.notes),
    }


def _delta(delta: ComplianceDelta) -> dict[str, Any]:
    return {
        "framework": delta.framework,
        "before": delta.before,
        "after": delta.after,
        "newly_failing": list(delta.newly_failing),
        "newly_passing": list(delta.newly_passing),
        "worse": list(delta.worse),
        "words": compliance_words(delta),
    }


def _amounts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: str(amount) for currency, amount in sorted(amounts.items())}


def _change(change: Change) -> dict[str, Any]:
    return {
        "address": change.address,
        "previous": change.previous,
        "action": change.action,
        "reasons": list(change.reasons),
        "fields": [_field(field) for field in change.fields],
    }


def _field(field: FieldChange) -> dict[str, Any]:
    return {
        "path": shown_path(field.path),
        "before": shown(field.path, field.before),
        "after": shown(field.path, field.after),
        "impact": field.impact,
        "why": field.why,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "id": step.id,
        "wave": step.wave,
        "phase": step.phase,
        "action": step.action,
        "address": step.address,
        "change": step.change.address if step.change else None,
        "title": step.title,
        "needs": list(step.needs),
        "affects": list(step.affects[:MOST_AFFECTED]),
        "affects_count": len(step.affects),
        "downtime": step.downtime,
        "data_loss": step.data_loss,
        "rollback": step.rollback,
        "is_irreversible": step.is_irreversible,
    }
