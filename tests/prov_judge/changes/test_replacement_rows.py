"""Every field of every model has a row that says what changing it does, and every row speaks of a field that is there."""

from datetime import date

import pytest

from model_paths import patterns
from prov_gen.model.kinds import KINDS
from prov_judge.changes.replacement import rules, table
from prov_judge.changes.things import ORDER, PARTS
from stratumops.provider import PROVIDERS

# What `things` makes of a record: fields that are things of their own or have another name there, and what it adds.
ELSEWHERE = {"dns": {"records"}, "vpc": {"subnets"}}
ADDED = {
    "vpc": {"provider", "region", "pod_cidr", "service_cidr"}, "subnet": {"provider", "region", "vpc"},
    "dns_record": {"provider", "zone"},
    "peering": {"provider", "region", "vpc"},
}  # fmt: skip
OF_KIND = {kind.name: kind.model for kind in (*PARTS, *KINDS) if kind.name not in {"networking", "nat"}}


def fields(kind: str) -> set[str]:
    if kind == "nat":
        return {"nat", "vpc", "provider", "region"}
    if kind == "infrastructure":
        return {"name", "description", "environment"}
    own = {path for path in patterns(OF_KIND[kind]) if path.split(".")[0].split("[")[0] not in ELSEWHERE.get(kind, ())}
    return own | ADDED.get(kind, set())


def is_covered(kind: str, pattern: str) -> bool:
    always = [rule for rule in rules(kind) if not rule.when and rule.to is None and not rule.providers]
    return any(rule.covers(pattern) for rule in always)


@pytest.mark.parametrize("kind", sorted(ORDER.keys() - {"networking"}))
def test_every_field_has_a_row_that_holds_always(kind):
    assert {path for path in fields(kind) if not is_covered(kind, path)} == set()


@pytest.mark.parametrize("kind", sorted(ORDER.keys() - {"networking"}))
def test_every_row_speaks_of_a_field_that_is_there(kind):
    known = fields(kind) | {"provider", "tags.*", "data_class", "region"}
    named = {field for rule in rules(kind) for field in rule.fields}
    assert {one for one in named if not any(path == one or path.startswith((f"{one}.", f"{one}[")) for path in known)} == set()


def test_every_row_that_interrupts_says_why():
    for kind in ORDER.keys() - {"networking"}:
        for rule in rules(kind):
            is_choice = rule.when in {"set", "unset"} and "the provider's choice" in rule.why
            assert bool(rule.why) == (rule.impact != "none" or is_choice), (kind, rule)
            assert set(rule.providers) <= set(PROVIDERS)


def test_the_rows_are_dated_and_have_a_source():
    assert type(table()["as_of"]) is date
    assert table()["source"]
