"""The tools that price, judge, compare and review, through the application's whole chain and a real client."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.judgement import mixed
from mcp import Client

import peers
from prov_server import compose
from prov_server.compose import Application
from prov_server.mcp.server import build
from stratumops.errors import InvalidInputError
from stratumops.principal import LOCAL, Principal
from stratumops.settings import load
from stratumops.workspace import Workspace

pytestmark = pytest.mark.anyio

WORKED = """{
  provider = "aws", region = "us-east-1",
  servers = [{ name = "app", plan = "m5.4xlarge", spec = { disk_gb = 50, disk_type = "gp2" }, backup = null }],
  volumes = [{ name = "data", size_gb = 1000, type = "io1", iops = 800, attached_to = "app" }],
}"""
TOOLS: dict[str, dict[str, Any]] = {
    "review_config": {"config": WORKED},
    "estimate_cost": {"config": WORKED},
    "check_compliance": {"config": WORKED, "framework": "soc2"},
    "plan_migration": {"current": WORKED, "target": WORKED.replace("m5.4xlarge", "m5.large")},
}


@pytest.fixture
async def app(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Application]:
    made = compose.build(Workspace.at(tmp_path), load(None))
    yield made
    await made.aclose()


@pytest.fixture
async def client(app: Application) -> AsyncIterator[Client]:
    async def made() -> Application:
        return app

    async with Client(build(made, face="mcp")) as connected:
        yield connected


async def call(app: Application, tool: str, face: Any = "mcp", **arguments: Any) -> Any:
    return await app.call(tool, arguments, principal=LOCAL, face=face)


async def test_the_published_worked_example_is_priced_to_the_cent(app: Application):
    found = await call(app, "estimate_cost", config=WORKED)
    fixed = {(line.address, line.part): line.monthly for line in found.lines if "depends on usage" not in (line.note or "")}
    assert sum(fixed.values()) == pytest.approx(560.64 + 5.00 + 125.00 + 52.00)
    assert [total.currency for total in found.totals] == ["USD"]


@pytest.mark.parametrize("tool", TOOLS)
async def test_an_answer_links_to_its_whole_and_only_its_caller_can_read_it(client: Client, app: Application, tool: str):
    answer = await client.call_tool(tool, TOOLS[tool])
    assert not answer.is_error, answer.content
    links = [block for block in answer.content if block.type == "resource_link"]
    assert links
    for link in links:
        (whole, *_) = (await client.read_resource(link.uri)).contents
        assert getattr(whole, "text", "")
        with pytest.raises(Exception, match="no report"):
            await app.read_report(link.uri.removeprefix("prov://report/"), Principal("somebody-else", frozenset()))


async def test_a_report_that_is_not_there_any_more_says_how_to_get_it_again(client: Client):
    with pytest.raises(Exception, match="call the tool again"):
        await client.read_resource("prov://report/0123456789ab/estimate.json")


@pytest.mark.parametrize("size", [1, 40, 400])
async def test_a_review_stays_within_six_hundred_tokens_and_leads_to_the_rest(app: Application, size: int):
    found = await call(app, "review_config", config=mixed(size))
    text = json.dumps(found.model_dump(mode="json", exclude_none=True), separators=(",", ":"), ensure_ascii=False)
    assert peers.count_tokens(text) <= 600
    assert {"review", "findings", "cost", "compliance"} <= set(found.links)
    assert set(found.compliance) == {"soc2", "hipaa", "gdpr", "pci"}


async def test_a_review_of_a_text_without_a_configuration_tells_what_is_wrong(app: Application):
    found = await call(app, "review_config", config='{ servers = [{ name = "web", spec.cpu = "two" }] }')
    assert not found.passed()
    assert any("servers[0].spec.cpu" in problem for problem in found.problems)


async def test_lists_are_short_for_an_assistant_and_whole_for_a_person(app: Application):
    config = mixed(200)
    short, whole = await call(app, "estimate_cost", config=config), await call(app, "estimate_cost", "cli", config=config)
    assert len({line.address for line in short.lines}) == 20
    assert any("not shown here" in note for note in short.notes)
    assert len({line.address for line in whole.lines}) >= 200
    assert not any("not shown here" in note for note in whole.notes)


async def test_a_budget_that_is_exceeded_fails(app: Application):
    assert (await call(app, "estimate_cost", config=WORKED, budget=10_000.0)).passed()
    assert not (await call(app, "estimate_cost", config=WORKED, budget=100.0)).passed()


async def test_a_difference_is_told_by_currency(app: Application):
    found = await call(app, "estimate_cost", config=WORKED, against=WORKED.replace("size_gb = 1000", "size_gb = 900"))
    assert found.delta == {"USD": pytest.approx(12.50)}


async def test_the_sixth_layer_holds_a_budget_against_the_estimate(app: Application):
    config = WORKED.replace("servers =", "limits.monthly_budget = 100, servers =")
    found = await call(app, "validate_config", config=config)
    assert "budget_exceeded" in {finding.code for finding in found.findings}


@pytest.mark.parametrize("tool", TOOLS)
async def test_a_wrong_configuration_is_refused_with_its_place(app: Application, tool: str):
    if tool == "review_config":
        return
    name = next(iter(TOOLS[tool]))
    arguments = {**TOOLS[tool], name: '{\n  servers = [{ name = "web", spec.cpu = 0 }]\n}'}
    with pytest.raises(InvalidInputError) as caught:
        await call(app, tool, **arguments)
    assert ":2: servers[0].spec.cpu" in caught.value.message
    assert caught.value.details["findings"]


async def test_a_proposed_fix_is_a_diff_that_passes(app: Application):
    config = '{\n  provider = "aws",\n  buckets = [\n    { name = "data", versioning = false }, # keep\n  ],\n}\n'
    found = await call(app, "check_compliance", config=config, framework="soc2", fix=True)
    assert '-    { name = "data", versioning = false }' in found.diff
    assert "# keep" in found.diff


async def test_a_negotiated_price_wins_and_says_so(app: Application, tmp_path: Path):
    listed = await call(app, "estimate_cost", config=WORKED)
    own = tmp_path / ".prov" / "prices"
    own.mkdir(parents=True, exist_ok=True)
    rows = (
        "provider,region,service,item,unit,unit_price,currency,as_of,source\naws,us-east-1,compute,m5.4xlarge,hours,0.5,USD,,\n"
    )
    (own / "negotiated.csv").write_text(rows, encoding="utf-8")
    agreed = await call(app, "estimate_cost", config=WORKED)
    assert listed.totals[0].monthly - agreed.totals[0].monthly == pytest.approx(560.64 - 365.00)
    assert any("negotiated" in (line.note or "") for line in agreed.lines)


async def test_a_damaged_price_file_hides_nothing_that_the_other_layers_find(app: Application, tmp_path: Path):
    own = tmp_path / ".prov" / "prices"
    own.mkdir(parents=True, exist_ok=True)
    (own / "negotiated.csv").write_text("no,such,columns\n", encoding="utf-8")
    config = '{ provider = "aws", limits.monthly_budget = 10, servers = [{ name = "web", tags.note = "AKIAIOSFODNN7EXAMPLE" }] }'
    found = await call(app, "validate_config", config=config)
    codes = {one.code for one in found.findings}
    assert {"secret_plaintext", "budget_not_assessed"} <= codes
