"""The seven layers over configurations that are wrong in one way each, as data (`cases.toml`)."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from prov_gen.codes import codes
from prov_gen.findings import Finding
from prov_gen.layers.pipeline import Verdict, validate
from prov_gen.layers.rendered import check_rendered
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.model.kinds import BY_NAME
from prov_gen.nickel import Nickel, Outcome
from prov_gen.source import ConfigSource

pytestmark = pytest.mark.anyio
TODAY = date(2026, 11, 23)
HERE = Path(__file__).parent
CASES = tomllib.loads((HERE / "cases.toml").read_text(encoding="utf-8"))


@pytest.fixture
async def nickel():
    async with Nickel(size=1) as evaluator:
        yield evaluator


async def judge(nickel: Nickel, text: str, **options) -> Verdict:
    return await validate(ConfigSource(text), nickel=nickel, workspace=None, today=TODAY, **options)


def told(finding: Finding) -> str:
    return f"{finding.code} {finding.path} {finding.line}:{finding.column}"


@pytest.mark.parametrize("name", CASES)
async def test_a_configuration_has_the_findings_that_its_case_lists(nickel: Nickel, name: str) -> None:
    case = CASES[name]
    verdict = await judge(nickel, case["config"])
    expected = case.get("findings", [])
    listed = {line.split(" ")[0] for line in expected}
    found = [told(finding) for finding in verdict.findings if finding.severity != "info" or finding.code in listed]
    # A case without a place compares code and path alone.
    short = [line.rpartition(" ")[0] + " " for line in found]
    assert sorted(expected) == sorted(whole if whole in expected else place for whole, place in zip(found, short, strict=True))
    assert verdict.valid == (not any(finding.severity != "info" for finding in verdict.findings))
    for finding in verdict.findings:
        assert finding.message
        assert finding.severity == "info" or finding.fix or finding.layer in {1, 7}


def test_every_code_of_every_layer_has_a_case() -> None:
    of_layers = {one.code for one in codes().values() if set(one.layers) & {2, 3, 4, 5, 6} and not one.code.startswith("nickel_")}
    tested = {line.split(" ")[0] for case in CASES.values() for line in case.get("findings", [])}
    assert of_layers - tested == {"budget_exceeded", "budget_other_currency"}, "these need a price and have a test of their own"


async def test_strict_decides_whether_warnings_fail(nickel: Nickel) -> None:
    text = '{ clusters = [{ name = "k", version = "1.28" }] }'
    assert not (await judge(nickel, text)).valid
    relaxed = await judge(nickel, text, strict=False)
    assert relaxed.valid
    assert relaxed.count("warning") == 1


async def test_a_pricer_brings_cost_into_layer_six(nickel: Nickel) -> None:
    from decimal import Decimal

    class Fixed:
        def monthly(self, _config):
            return {"USD": Decimal("120.50"), "EUR": Decimal(3)}

    verdict = await judge(nickel, "{ limits.monthly_budget = 100 }", pricer=Fixed())
    assert [finding.code for finding in verdict.findings] == ["budget_exceeded", "budget_other_currency"]
    assert not (await judge(nickel, "{}", pricer=Fixed(), monthly_budget=120.0)).valid
    assert (await judge(nickel, "{}", pricer=Fixed(), monthly_budget=121.0)).valid


async def test_a_finding_never_repeats_a_secret(nickel: Nickel) -> None:
    secret = "hunter2-correct-horse"
    verdict = await judge(nickel, f'{{ taskservs = [{{ name = "a", settings.password = "{secret}" }}] }}')
    assert [finding.code for finding in verdict.findings] == ["secret_plaintext"]
    assert secret not in repr(verdict.findings)


async def test_a_text_that_runs_away_is_a_finding_and_the_next_one_is_served(nickel: Nickel) -> None:
    verdict = await judge(nickel, "let rec f = fun x => f (x + 1) in f 1")
    assert [finding.code for finding in verdict.findings] in (["nickel_crash"], ["nickel_deadline"])
    assert (await judge(nickel, "{}")).valid


async def test_a_thousand_findings_all_have_a_line(nickel: Nickel) -> None:
    rows = "\n".join(f'    {{ name = "s{n}", plan = "t9.micro" }},' for n in range(1000))
    verdict = await judge(nickel, f"{{\n  servers = [\n{rows}\n  ],\n}}")
    assert [finding.line for finding in verdict.findings if finding.code == "plan_unknown"] == list(range(3, 1003))


def test_a_text_that_means_something_else_under_its_contract_is_a_finding() -> None:
    config = InfrastructureConfig.model_validate({"servers": [{"name": "web"}]})
    same = Outcome({"servers": [{"name": "web", "spec": {"cpu": 2, "memory_gb": 4, "disk_gb": 50}}]})
    other = Outcome({"servers": [{"name": "web", "spec": {"disk_gb": 51}}]})
    assert check_rendered(same, config, None) == []
    assert [finding.code for finding in check_rendered(other, config, None)] == ["rendered_differs"]
    assert [finding.code for finding in check_rendered(Outcome({"servers": 1}), config, None)] == ["rendered_differs"]
    bare = Outcome({"name": "web"})
    assert check_rendered(bare, config, BY_NAME["server"]) == []


def is_whole(name: str) -> bool:
    """Whether a case is a configuration that Nickel can read, and no bare record."""
    return not name.startswith(("clean_bare", "nickel_", "shape_not_a_record", "shape_too_large"))


@pytest.mark.parametrize("name", list(filter(is_whole, CASES)))
async def test_a_typed_text_has_the_same_findings_as_an_untyped_one(nickel: Nickel, name: str) -> None:
    text = CASES[name]["config"]
    head = 'let { InfrastructureConfig, .. } = import "schemas/infrastructure.ncl" in'
    typed = await judge(nickel, f"{head} ({text}) | InfrastructureConfig")
    plain = await judge(nickel, text)
    assert {(one.code, one.path) for one in typed.findings} == {(one.code, one.path) for one in plain.findings}
    assert typed.valid == plain.valid


async def test_a_bad_name_hides_nothing_of_what_bears_it(nickel: Nickel) -> None:
    verdict = await judge(nickel, '{ servers = [{ name = "Web_1", plan = "t9.x", networking.subnet = "nope" }] }')
    assert {finding.code for finding in verdict.findings} == {"shape_pattern", "plan_unknown", "reference_missing"}
    assert verdict.resources == {"server": 1}


async def test_a_text_that_needs_what_its_contract_fills_in_is_read_under_it(nickel: Nickel) -> None:
    text = """
      let { Server, .. } = import "schemas/server.ncl" in
      let base = { name = "web" } | Server in
      { servers = [{ name = "web", spec.disk_gb = base.spec.disk_gb * 2 }] }"""
    verdict = await judge(nickel, text)
    assert verdict.valid
    assert verdict.config is not None
    assert verdict.config.servers[0].spec.disk_gb == 100
