"""The checks as values, from the reviewed data, and their rules compiled for a framework."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

from prov_corpus.frameworks import check_rows
from prov_corpus.similar import nearest
from prov_judge.compliance.conditions import DEFAULT, Variant, for_variant
from prov_judge.compliance.model import FRAMEWORKS, SEVERITIES, Check, Framework
from prov_judge.compliance.rules import Rule
from stratumops.errors import InternalError, NotFoundError

_KEYS = frozenset(
    {
        *("id", "family", "title", "severity", "why", "fix", "controls", "control_note", "checkov", "prowler", "reason"),
        *("passing", "failing", "rule"),
    }
)


@cache
def checks() -> tuple[Check, ...]:
    """All checks, in the order of the data. Raises InternalError for a row that cannot be read."""
    return tuple(_check(row) for row in check_rows().values())


@cache
def _by_id() -> Mapping[str, Check]:
    return MappingProxyType({check.id: check for check in checks()})


def find_check(name: str) -> Check:
    """The check with this id, in any case. Raises NotFoundError with the nearest ids."""
    found = _by_id().get(name.strip().upper())
    if found is None:
        raise NotFoundError(f"there is no compliance check {name[:64]!r}", hint=_likely(name))
    return found


def _likely(name: str) -> str:
    near = nearest(name, _by_id())
    return f"did you mean {', '.join(near)}?" if near else f"ids are such as {next(iter(_by_id()))}"


@cache
def checks_of(framework: Framework) -> tuple[Check, ...]:
    """The checks that have controls in a framework. Raises NotFoundError for a framework that is not known."""
    if framework not in FRAMEWORKS:
        raise NotFoundError(f"there is no framework {str(framework)[:64]!r}", hint=f"there are: {', '.join(FRAMEWORKS)}")
    return tuple(check for check in checks() if framework in check.controls)


@cache
def variant_of(check_id: str, framework: Framework) -> Variant:
    """The framework where a rule of the check has a threshold for it, else `DEFAULT`: frameworks that ask the same share it."""
    return framework if _names(check_rows()[check_id].get("rule", ()), framework) else DEFAULT


@cache
def rules_of(check_id: str, variant: Variant) -> tuple[Rule, ...]:
    """The compiled rules of a check, with the thresholds of a variant."""
    return tuple(Rule.of(rule, variant) for rule in check_rows()[check_id].get("rule", ()))


def _names(data: Any, framework: Framework) -> bool:
    """Whether data holds a table of frameworks that names this one."""
    if isinstance(data, Mapping):
        return (DEFAULT in data and framework in data) or any(_names(value, framework) for value in data.values())
    return isinstance(data, list | tuple) and any(_names(value, framework) for value in data)


def _check(row: Mapping[str, Any]) -> Check:
    unknown = set(row) - _KEYS
    rules = row.get("rule", ())
    if unknown or row["severity"] not in SEVERITIES or bool(rules) is bool(row.get("reason")):
        raise InternalError(
            f"the row of {row['id']} cannot be read (unknown keys: {sorted(unknown)})",
            hint="a row has rules or a reason, a known severity and known keys",
        )
    kinds = list(dict.fromkeys(rule["kind"] for rule in rules)) or ["infrastructure"]
    change = rules[0].get("change", {}) if rules else {}
    return Check(
        id=row["id"],
        title=row["title"],
        severity=row["severity"],
        kind=kinds[0],
        why=row["why"],
        fix=row["fix"],
        controls=MappingProxyType({name: tuple(row["controls"][name]) for name in FRAMEWORKS if name in row["controls"]}),
        change=MappingProxyType({field: for_variant(value, DEFAULT) for field, value in change.items()}),
        checkov=tuple(row.get("checkov", ())),
        prowler=tuple(row.get("prowler", ())),
        reason=row.get("reason", ""),
        also=tuple(kinds[1:]),
        control_note=row.get("control_note", ""),
    )
