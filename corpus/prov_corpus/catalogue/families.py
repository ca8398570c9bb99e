"""Plan families: what kind of machine a SKU's name speaks of."""

import functools
import re
from dataclasses import dataclass
from typing import Any

from prov_corpus.catalogue.source import checked_provider, read_catalogue

ARCHITECTURES = ("x86_64", "arm64")


@dataclass(frozen=True, slots=True)
class PlanFamily:
    """What a SKU's name says.

    `kind` is general, compute, memory, burstable, storage, accelerated or special. `generation` is None where names have
    none. `usable_vcpu` is set for sizes with fewer usable cores than the machine has. `chosen` is false for what is never
    picked for somebody who did not name it. `newer` is the family that replaces this one.
    """

    family: str
    kind: str
    arch: str
    generation: int | None
    usable_vcpu: int | None
    chosen: bool
    newer: str | None


@dataclass(frozen=True, slots=True)
class _Rule:
    match: re.Pattern[str]
    kind: str
    arch: str
    chosen: bool
    newer: str | None


@dataclass(frozen=True, slots=True)
class _Naming:
    shape: re.Pattern[str]
    join: str
    unnamed: str
    never_chosen: re.Pattern[str] | None
    rules: tuple[_Rule, ...]


@functools.cache
def _naming(provider: str) -> _Naming:
    table: dict[str, Any] = read_catalogue("families")[checked_provider(provider)]
    rules = tuple(
        _Rule(re.compile(row["match"]), row["kind"], row.get("arch", ARCHITECTURES[0]), row.get("chosen", True), row.get("newer"))
        for row in table["rules"]
    )
    never = re.compile(table["never_chosen"]) if "never_chosen" in table else None
    return _Naming(re.compile(table["shape"]), table.get("join", ""), table.get("unnamed", ""), never, rules)


@functools.cache
def _rule_of(provider: str, family: str) -> _Rule:
    return next(rule for rule in _naming(provider).rules if rule.match.fullmatch(family))


def classify(provider: str, sku: str) -> PlanFamily:
    """The family of a SKU by its exact name, whether or not a price list holds it."""
    naming = _naming(provider)
    groups = found.groupdict() if (found := naming.shape.fullmatch(sku)) else {}
    family = naming.join.join(part for name, part in groups.items() if name.startswith("family") and part) or naming.unnamed
    rule = _rule_of(provider, family)
    return PlanFamily(
        family=family,
        kind=rule.kind,
        arch=rule.arch,
        generation=int(groups["generation"]) if groups.get("generation") else None,
        usable_vcpu=int(groups["usable_vcpu"]) if groups.get("usable_vcpu") else None,
        chosen=rule.chosen and not (naming.never_chosen and naming.never_chosen.search(sku)),
        newer=rule.newer,
    )
