"""Small texts that make large values, and values made to be slow: answered with a bounded number of findings.

No test measures time; the timeout is the bound, many times what each needs.
"""

import os
from datetime import date
from typing import Any

import pytest

from prov_gen.findings import Finding
from prov_gen.layers import size, suggest
from prov_gen.layers.pipeline import MAX_FINDINGS, Verdict, _first_layers, validate
from prov_gen.layers.shape import MAX_PROBLEMS
from prov_gen.nickel import Limits, Nickel
from prov_gen.source import ConfigSource

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(30)]
TODAY = date(2026, 11, 23)
LIMIT = 9_900
SOAK = bool(os.environ.get("PROV_TESTS_SOAK"))
GROUPS, FEW = (14, 3) if SOAK else (4, 2)
"""Lists of `LIMIT` things each: as many as there may be, or enough for what takes time in their square to be seen."""


def findings_of(value: dict[str, Any]) -> list[Finding]:
    return _first_layers(value, TODAY, None, 0.0).findings


def codes_of(value: dict[str, Any]) -> set[str]:
    found = findings_of(value)
    assert len(found) <= MAX_FINDINGS
    assert all(len(one.message) <= 1_000 for one in found)
    return {one.code for one in found}


async def judge(text: str) -> Verdict:
    async with Nickel(size=1) as nickel:
        return await validate(ConfigSource(text), nickel=nickel, workspace=None, today=TODAY)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"servers": [{"name": "a"}] * 10_001}, "10,001 resources"),
        ({"security": {"iam_users": [{"name": "a"}] * 10_001}}, "10,001 elements"),
        ({"tags": {f"k{index}": "x" for index in range(10_001)}}, "10,001 elements"),
        ({"x": [[[1] * 100] * 100] * 100}, "150,000 values"),
        ({"servers": [{"name": "a", "user_data": "x" * 5_000_000}]}, "4,000,000 characters"),
        ({"k" * 5_000_000: 1}, "a key has 5,000,000 characters"),
    ],
)
def test_a_configuration_beyond_a_limit_is_one_finding_that_names_the_limit(value: dict[str, Any], words: str) -> None:
    (found,) = findings_of(value)
    assert found.code == "shape_too_large"
    assert words in found.message


def test_a_value_nested_deeper_than_the_limit_is_too_large() -> None:
    value: Any = 1
    for _ in range(950):
        value = {"a": value}
    assert [one.code for one in findings_of({"x": value})] == ["shape_too_large"]


def test_a_thousand_servers_stay_valid() -> None:
    value = {
        "servers": [{"name": f"s{index}", "plan": "t3.micro", "tags": {"team": "a", "tier": "web"}} for index in range(1000)]
    }
    assert {one.code for one in findings_of(value) if one.severity != "info"} == set()


def test_problems_of_shape_are_counted_before_findings_are_made() -> None:
    tags = {"servers": [{"name": "x", "tags": {f"a{index}": 1 for index in range(40)}} for _ in range(3_000 if SOAK else 1_000)]}
    unknown = {
        "servers": [{"name": "x"} | {f"abcdefgh{index}": 1 for index in range(40)} for _ in range(3_000 if SOAK else 1_000)]
    }
    for value, code in ((tags, "shape_type"), (unknown, "shape_unknown_field")):
        found = findings_of(value)
        assert len(found) == MAX_PROBLEMS
        assert {one.code for one in found} == {code}


def test_suggestions_are_searched_for_the_first_few_names_only() -> None:
    value = {"servers": [{"name": f"s{index}", f"monitorin{index}": True} for index in range(4_000)]}
    found = findings_of(value)
    assert sum(one.fix.startswith("did you mean") for one in found) == suggest.MOST


def test_a_missing_reference_is_compared_with_thousands_of_names_a_few_times() -> None:
    name = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw"
    value = {
        "servers": [{"name": f"{name}{index}", "plan": "t3.micro"} for index in range(5_000)],
        "volumes": [{"name": f"v{index}", "size_gb": 10, "attached_to": f"{name}x{index}"} for index in range(4_000)],
    }
    missing = [one for one in findings_of(value) if one.code == "reference_missing"]
    assert len(missing) == 4_000
    assert sum(one.fix.startswith("did you mean") for one in missing) == suggest.MOST
    assert all(len(one.fix) < 1_000 for one in missing)


def vpcs(count: int) -> list[dict[str, str]]:
    return [{"name": f"v{index}", "cidr": f"10.{index // 256}.{index % 256}.0/24"} for index in range(count)]


def test_thousands_of_peerings_are_looked_up_among_thousands_of_networks() -> None:
    peerings = [{"name": f"p{index}", "peer": "x", "peer_cidr": "192.168.1.0/24"} for index in range(LIMIT)]
    apart = {"networking": {"vpc_cidr": "172.16.0.0/16", "vpcs": vpcs(LIMIT), "peerings": peerings}}
    assert codes_of(apart) == {"quota_exceeded"}
    wide = [peering | {"peer_cidr": "10.0.0.0/8"} for peering in peerings]
    found = findings_of({"networking": {"vpc_cidr": "172.16.0.0/16", "vpcs": vpcs(LIMIT), "peerings": wide}})
    assert len(found) == MAX_FINDINGS
    assert found[0].message == f"10.0.0.0/8 overlaps 10.0.0.0/24 (networking.vpcs[0].cidr) and {LIMIT - 1} more"


def test_a_circle_of_names_is_told_in_ten_names() -> None:
    records = [{"name": f"n{index}", "type": "CNAME", "values": [f"n{(index + 1) % LIMIT}.a.com"]} for index in range(LIMIT)]
    (found,) = findings_of({"dns_zones": [{"domain": "a.com", "records": records}]})
    assert found.code == "reference_cycle"
    assert found.message.count(" -> ") == 10
    assert f"({LIMIT} in all)" in found.message


def rules(groups: int, **fields: Any) -> dict[str, Any]:
    return {"security_groups": [{"name": f"g{index}", "rules": [fields] * LIMIT} for index in range(groups)]}


@pytest.mark.parametrize(
    ("value", "codes"),
    [
        (rules(GROUPS), {"rule_without_peer"}),
        (rules(FEW, from_port=5, to_port=4), {"shape_rule"}),
        (rules(FEW, direction="egress", cidrs=["10.0.0.0/8"]), {"quota_exceeded"}),
        (rules(FEW, from_port=443, cidrs=["0.0.0.0/0"]), {"quota_exceeded"}),
        (
            {"security_groups": [{"name": "g", "rules": [{"from_port": 443, "cidrs": ["10.0.0.0/8"] * LIMIT}] * GROUPS}]},
            {"quota_exceeded"},
        ),
        ({"servers": [{"name": f"s{index}", "region": f"xx-west-{index}"} for index in range(LIMIT)]}, {"region_unknown"}),
        ({"servers": [{"name": f"s{index}", "plan": f"t9.x{index}"} for index in range(LIMIT)]}, {"plan_unknown"}),
        ({"servers": [{"name": "a", "plan": "t3.micro"}] * LIMIT}, {"name_duplicate"}),
        (
            {"servers": [{"name": f"s{index}", "spec": {"cpu": 1024, "memory_gb": 2e3 + index}} for index in range(LIMIT)]},
            {"plan_none_fits"},
        ),
        ({"limits": {"quotas": {f"kind{index}": 1 for index in range(LIMIT)}}}, set()),
        (
            {"load_balancers": [{"name": f"l{index}", "scheme": "public" * 50 + str(index)} for index in range(4_000)]},
            {"shape_choice"},
        ),
        ({"taskservs": [{"name": "x", "settings": {f"k{index}": f"v{index}" for index in range(LIMIT)}}] * GROUPS}, set()),
        ({field: [{}] * 1_900 for field in ("servers", "clusters", "buckets", "volumes", "databases")}, {"shape_missing"}),
        (
            {"clusters": [{"name": "c", "node_groups": [{"name": "n", "zones": ["us-east-1a"]}] * LIMIT}] * FEW},
            {"name_duplicate"},
        ),
    ],
    ids=lambda part: "" if isinstance(part, dict) else "-".join(sorted(part)) or "fine",
)
def test_a_value_made_to_be_slow_is_judged_like_any_other(value: dict[str, Any], codes: set[str]) -> None:
    assert {code for code in codes_of(value) if code != "quota_exceeded" or code in codes} == codes


def test_errors_that_appear_one_behind_the_other_do_not_read_a_large_value_again_and_again() -> None:
    group = {"rules": [{}] * LIMIT + [{"from_port": 5, "to_port": 4, "x": 1}, {"from_port": 5, "to_port": 4}]}
    value = {"security_groups": [{"name": f"g{index}"} | group for index in range(GROUPS)]}
    assert codes_of(value) >= {"shape_rule", "shape_unknown_field"}


async def test_a_text_of_300_bytes_that_makes_a_large_value_is_answered() -> None:
    verdict = await judge(
        '{ servers = std.array.replicate 9000 { name = "x", tags = std.record.from_array '
        '(std.array.generate (fun i => { field = "a%{std.to_string i}", value = 1 }) 40) } }'
    )
    assert [one.code for one in verdict.findings] == ["shape_too_large"]
    assert not verdict.valid


async def test_a_text_that_runs_away_under_its_contract_only_is_a_finding() -> None:
    rows = ", ".join(f'{{ name = "s{index}", plan = "t3.micro" }}' for index in range(100))
    async with Nickel(size=1, limits=Limits(max_result_bytes=20_000)) as nickel:
        verdict = await validate(ConfigSource(f"{{ servers = [{rows}] }}"), nickel=nickel, workspace=None, today=TODAY)
    assert [(one.code, one.layer) for one in verdict.findings if one.severity == "error"] == [("nickel_result", 7)]
    assert not verdict.valid


async def test_a_valid_text_with_a_thousand_levels_is_judged_like_any_other() -> None:
    nested = "1"
    for _ in range(12):
        nested = f"{{ {'.'.join('a' * 79)} = {nested} }}"
    verdict = await judge(f"{{ servers = [{{ name = 1 }}], x | not_exported = {nested}, x | not_exported = {nested} }}")
    assert [one.code for one in verdict.findings] == ["shape_type"]


async def test_a_finding_tells_where_its_value_ends() -> None:
    verdict = await judge('{ servers = [{ name = "Web_1" }] }')
    assert [(one.line, one.column, one.end_column) for one in verdict.findings] == [(1, 23, 30)]
    verdict = await judge("{ servers = [{ name = nothing }] }")
    assert [(one.line, one.column, one.end_column) for one in verdict.findings] == [(1, 23, 30)]


def test_the_limits_leave_room_for_the_largest_configuration_that_is_promised() -> None:
    assert size.MAX_RESOURCES * 15 <= size.MAX_NODES
