"""What is taken from a vendor's price list and what it is called here: rules in TOML, one interpreter for all vendors."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from prov_corpus.prices.table import is_amount
from stratumops.errors import ExternalError


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of line of a vendor's list.

    `equals`: field -> the values that are taken; `like`: field -> a pattern for the whole value; `unlike`: field -> a
    pattern that must not occur in it. `item` is the name here, with `{Field}` for a field's value, renamed by `names`;
    `without` is the end of it that is dropped.
    `units`: the vendor's unit in lower case -> what its price is multiplied by to be one of `unit`.
    """

    group: str
    service: str
    item: str
    unit: str
    units: Mapping[str, Decimal]
    equals: Mapping[str, frozenset[str]]
    like: Mapping[str, re.Pattern[str]]
    unlike: Mapping[str, re.Pattern[str]]
    names: Mapping[str, str]
    without: str

    @property
    def fields(self) -> set[str]:
        """Every field that it looks at."""
        return {*self.equals, *self.like, *self.unlike, *re.findall(r"\{(.+?)\}", self.item)}

    def takes(self, line: Mapping[str, str]) -> bool:
        """Whether a line of the list is of this kind."""
        return (
            all(line[field] in values for field, values in self.equals.items())
            and all(pattern.fullmatch(line[field]) for field, pattern in self.like.items())
            and not any(pattern.search(line[field]) for field, pattern in self.unlike.items())
        )

    def name(self, line: Mapping[str, str]) -> str:
        """What the line's item is called here; empty when the list leaves it open."""
        named = re.sub(r"\{(.+?)\}", lambda match: self.names.get(line[match[1]], line[match[1]]), self.item)
        return named.removesuffix(self.without)


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A vendor's rules, the currency of its list, where it is published, and the label of the rows taken from it."""

    base_url: str
    source: str
    currency: str
    rules: tuple[Rule, ...]
    queries: Mapping[str, str]

    def of(self, group: str) -> list[Rule]:
        """The rules of one of the vendor's files or queries."""
        return [rule for rule in self.rules if rule.group == group]

    @property
    def groups(self) -> list[str]:
        """The vendor's files or queries, in the order in which rules name them."""
        return list(dict.fromkeys(rule.group for rule in self.rules))


def read_rules(provider: str) -> Ruleset:
    """The rules of `aws` or `azure`."""
    with (Path(__file__).parent / f"{provider}.toml").open("rb") as file:
        read = tomllib.load(file)
    return Ruleset(
        base_url=read["base_url"],
        source=read["label"],
        currency=read["currency"],
        rules=tuple(_rule(row) for row in read["rules"]),
        queries=read.get("queries", {}),
    )


def _rule(row: dict[str, Any]) -> Rule:
    def patterns(name: str) -> dict[str, re.Pattern[str]]:
        return {field: re.compile(pattern) for field, pattern in row.get(name, {}).items()}

    return Rule(
        group=row["group"],
        service=row["service"],
        item=row["item"],
        unit=row["unit"],
        units={unit.lower(): Decimal(factor) for unit, factor in row["units"].items()},
        equals={field: frozenset([value] if isinstance(value, str) else value) for field, value in row["equals"].items()},
        like=patterns("like"),
        unlike=patterns("unlike"),
        names=row.get("names", {}),
        without=row.get("without", ""),
    )


def amount_of(value: object, host: str) -> Decimal:
    """A price that a vendor states. Raises ExternalError for what is no amount, or below zero, or absurdly long."""
    try:
        amount = Decimal(str(value)[:40])
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or amount < 0 or (amount and not is_amount(amount)):
        raise ExternalError(f"{host} states a price that is none: {str(value)[:40]!r}", hint="is that the right --base-url?")
    return amount
