"""What changing a field does to the running thing: the rows of `replacement.toml`, and who must go before its successor comes."""

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from prov_judge.changes.model import Impact

TABLE = Path(__file__).parent / "replacement.toml"
EVERY = "every_kind"


@dataclass(frozen=True, slots=True)
class Rule:
    """A row: what changing one of `fields` does, at `providers` (all where empty) and under the condition `when`."""

    fields: tuple[str, ...]
    impact: Impact
    why: str = ""
    providers: tuple[str, ...] = ()
    when: str = ""
    to: Any = None

    def covers(self, pattern: str) -> bool:
        """Whether it speaks of a field, or of what the field is within."""
        return any(pattern == field or pattern.startswith((f"{field}.", f"{field}[")) for field in self.fields)

    def holds(self, provider: str, before: Any, after: Any) -> bool:
        """Whether it speaks of this change."""
        if self.providers and provider not in self.providers:
            return False
        if self.to is not None and after != self.to:
            return False
        return not self.when or _CONDITIONS[self.when](before, after)


IN_PLACE = Rule((), "none")


@cache
def table() -> dict[str, Any]:
    """The data file, read once. Treat as read-only."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@cache
def rules(kind: str) -> tuple[Rule, ...]:
    """The rows of a kind in the order in which they are tried: its own, then those of every kind."""
    found: list[Rule] = []
    for name in (kind, EVERY):
        entry = table()[name]
        found += [
            Rule(**{**row, "fields": tuple(row["fields"]), "providers": tuple(row.get("providers", ()))})
            for row in entry.get("rules", ())
        ]
        found.append(Rule(tuple(entry["in_place"]), "none"))
    return tuple(found)


@lru_cache(8192)
def _rules_of(kind: str, pattern: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules(kind) if rule.covers(pattern))


def rule_of(kind: str, provider: str, pattern: str, before: Any, after: Any) -> Rule:
    """The row that speaks of a change; a field is changed in place where none does."""
    return next((rule for rule in _rules_of(kind, pattern) if rule.holds(provider, before, after)), IN_PLACE)


def rows_of_unique(kind: str, provider: str) -> list[dict[str, Any]]:
    """The rows that say why an old thing of that kind must go before its successor can come."""
    rows: list[dict[str, Any]] = table()[kind].get("unique", [])
    return [row for row in rows if provider in row.get("providers", (provider,))]


def _version(text: Any) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", str(text))[:3])


def _numbers(before: Any, after: Any) -> bool:
    return isinstance(before, int | float) and isinstance(after, int | float)


_CONDITIONS: dict[str, Callable[[Any, Any], bool]] = {
    "shrink": lambda before, after: _numbers(before, after) and after < before,
    "grow": lambda before, after: _numbers(before, after) and after > before,
    "downgrade": lambda before, after: _version(after) < _version(before),
    "upgrade": lambda before, after: _version(after) > _version(before),
    "set": lambda before, after: before is None and after is not None,
    "off": lambda before, after: before is True and after is not True,
    "unset": lambda before, after: before is not None and after is None,
}
