"""An estimate as JSON: exact decimals as text, nothing left out."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from prov_judge.cost.model import USAGES, Estimate, Part, ResourceCost, Saving


def as_dict(estimate: Estimate) -> dict[str, Any]:
    """The whole estimate: resource > part > quantity, unit, price with its source, monthly, range, notes."""
    converted = estimate.converted()
    return {
        "usage": estimate.usage,
        "totals": _money(estimate.totals()),
        "range": {usage: _money(estimate.totals(usage)) for usage in USAGES},
        "converted": None
        if converted is None
        else {
            "currency": converted.currency,
            "monthly": _text(converted.monthly),
            "rates": _money(converted.rates),
            "without_rate": list(converted.missing),
        },
        "resources": [_resource(cost) for cost in estimate.resources],
        "unpriced": [{"address": address, "part": part, "hint": hint} for address, part, hint in estimate.unpriced],
        "savings": [_saving(saving) for saving in estimate.savings],
        "notes": list(estimate.notes),
    }


def as_json(estimate: Estimate) -> str:
    """The same as indented text."""
    return json.dumps(as_dict(estimate), indent=2, ensure_ascii=False) + "\n"


def _resource(cost: ResourceCost) -> dict[str, Any]:
    return {
        "address": cost.address,
        "path": list(cost.path),
        "kind": cost.kind,
        "provider": cost.provider,
        "region": cost.region,
        "monthly": _money(cost.monthly()),
        "parts": [_part(part) for part in cost.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    price, range_ = part.price, part.range
    return {
        "name": part.name,
        "quantity": _text(part.quantity),
        "unit": part.unit,
        "unit_price": _text(price.amount) if price else None,
        "currency": part.currency,
        "factor": _text(part.factor),
        "monthly": None if part.monthly is None else _text(part.monthly),
        "range": None
        if range_ is None
        else {usage: {"quantity": _text(range_[usage]), "monthly": _maybe(part.monthly_at(usage))} for usage in USAGES},
        "notes": list(part.notes),
        "hint": part.hint or None,
        "place": part.place,
        "price": None
        if price is None
        else {
            "region": price.region,
            "is_fallback": price.is_fallback,
            "origin": price.origin,
            "as_of": price.as_of.isoformat() if price.as_of else None,
            "source": price.source,
            "precision": price.precision,
            "monthly_cap": _maybe(price.monthly_cap),
        },
    }


def _saving(saving: Saving) -> dict[str, Any]:
    return {
        "rule": saving.rule,
        "address": saving.address,
        "path": list(saving.path),
        "change": saving.change,
        "fields": None if saving.fields is None else dict(saving.fields),
        "monthly": _text(saving.monthly),
        "currency": saving.currency,
        "why": saving.why,
        "needs_testing": saving.needs_testing,
    }


def _money(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: _text(amount) for currency, amount in sorted(amounts.items())}


def _maybe(amount: Decimal | None) -> str | None:
    return None if amount is None else _text(amount)


def _text(number: Decimal) -> str:
    """Plain digits without an exponent and without trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
