"""A change that may cost less, before anybody has worked out whether it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prov_judge.cost.assumptions import read
from prov_judge.prices.price import Origin, Price


@dataclass(frozen=True, slots=True)
class Proposal:
    """`rule` is its table in savings.toml, `fields` the new values (None: take the resource away), `said` fills the words."""

    rule: str
    fields: Mapping[str, object] | None
    said: Mapping[str, object] = field(default_factory=dict)
    needs_testing: bool = False


Basis = tuple[str, Origin, bool]


def basis(price: Price) -> Basis:
    """What two prices must have in common to be compared: region, origin, and whether they stand in for another region's."""
    return price.region, price.origin, price.is_fallback


def rule(name: str) -> Mapping[str, Any]:
    """The words and figures of a rule."""
    table: Mapping[str, Any] = read("savings")[name]
    return table


def words(proposal: Proposal) -> tuple[str, str, bool]:
    """What to change, why, and whether it must be tested."""
    table = rule(proposal.rule)
    change, why = table["change"].format(**proposal.said), table["why"].format(**proposal.said)
    return change, why, proposal.needs_testing or bool(table.get("needs_testing"))
