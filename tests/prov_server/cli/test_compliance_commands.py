"""`prov compliance list` and `explain`, and an assessment as a person sees it."""

import asyncio
import io
import json
from datetime import date
from typing import Any

import pytest

from prov_gen.load import Place, load_config
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.nickel import Nickel
from prov_gen.source import ConfigSource
from prov_judge.compliance.assess import assess
from prov_judge.compliance.checks import checks, checks_of
from prov_judge.compliance.fix import Proposal, propose
from prov_judge.compliance.model import FRAMEWORKS, Assessment
from prov_server.cli.commands.compliance import FRAMEWORK_IDS
from prov_server.cli.console import console
from prov_server.cli.views.compliance import BAR_WIDTH, show_assessment, show_proposal

TODAY = date(2026, 11, 23)
CONFIG: dict[str, Any] = {
    "servers": [{"name": "web", "spec": {"encrypted_disk": False}, "ssh": {"root_login": True}}],
    "buckets": [{"name": "data", "versioning": False, "tags": {"note": "\x1b[31mred"}}],
    "waivers": [{"check": "BCK-02", "reason": "only \x1b[2J copies", "expires": "2027-01-31"}],
}


def shown(assessment: Assessment, places: Any = None, *, width: int = 300) -> str:
    stream = io.StringIO()
    show_assessment(console(stream, width=width), assessment, places or {})
    return stream.getvalue()


def assessed(config: dict[str, Any], framework: Any = "soc2") -> Assessment:
    return assess(InfrastructureConfig.model_validate(config), framework, today=TODAY)


def test_the_frameworks_that_a_person_may_name_are_those_that_there_are():
    assert tuple(FRAMEWORKS) == FRAMEWORK_IDS


def test_the_list_has_every_check_with_a_reason_where_no_program_decides(prov):
    done = prov("compliance", "list", "--json")
    rows = json.loads(done.out)
    assert [row["id"] for row in rows] == [check.id for check in checks()]
    assert all(row["automatable"] == (row["reason"] is None) for row in rows)
    assert prov("compliance", "list").out.count("\n") > len(rows)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_list_of_a_framework_has_its_checks_only(prov, framework):
    rows = json.loads(prov("compliance", "list", "--framework", framework, "--json").out)
    assert [row["id"] for row in rows] == [check.id for check in checks_of(framework)]


def test_explain_tells_why_how_and_who_asks_with_examples(prov):
    done = prov("compliance", "explain", "enc-03")
    assert done.code == 0
    for words in ("ENC-03", "why", "how to mend it", "a configuration that passes", 'encryption = "none"', "SOC 2: ", "checkov"):
        assert words in done.out


def test_explain_of_a_check_that_no_program_decides_says_why_not(prov):
    check = next(check for check in checks() if not check.is_automatable)
    told = json.loads(prov("compliance", "explain", check.id, "--json").out)
    assert (told["automatable"], told["reason"], told["passing"]) == (False, check.reason, None)
    assert check.reason in prov("compliance", "explain", check.id).out


def test_an_unknown_check_is_an_error_with_the_nearest_ids(prov):
    done = prov("compliance", "explain", "ENC-O1")
    assert done.code == 3
    assert "ENC-01" in done.err


def test_failures_are_grouped_by_severity_with_place_and_fix():
    text = shown(assessed(CONFIG), {("servers", 0): Place(3, 5, "main.ncl")})
    lines = text.splitlines()
    (row,) = (line for line in lines if "ENC-01" in line)
    for words in ("server.web", "servers[0].spec.encrypted_disk (main.ncl:3)", "set it to true"):
        assert words in row
    severities = [line.split()[0] for line in lines if line.split()[:1] in (["critical"], ["high"], ["medium"], ["low"])]
    assert severities == sorted(set(severities), key=("critical", "high", "medium", "low").index)


def test_a_narrow_terminal_gets_three_lines_for_each_failure():
    lines = shown(assessed(CONFIG), width=80).splitlines()
    at = next(index for index, line in enumerate(lines) if "ENC-01" in line)
    assert lines[at] == "high      ENC-01  server.web  servers[0].spec.encrypted_disk"
    assert lines[at + 1].strip() == "spec.encrypted_disk is false; it should be true"
    assert lines[at + 2].strip().startswith("fix: ")


def test_the_last_line_counts_and_never_says_compliant():
    assessment = assessed(CONFIG)
    text = shown(assessment)
    assert f"of {assessment.automatable} automatable checks pass" in text.splitlines()[-1]
    assert "compliant" not in text.lower()
    cells = sum(text.splitlines()[-1].count(mark) for mark in "█░")
    assert abs(cells - BAR_WIDTH) <= 5


def test_text_of_a_configuration_does_not_drive_the_terminal():
    text = shown(assessed(CONFIG))
    assert "waived until 2027-01-31: only \\u{1b}[2J copies" in text
    assert "\x1b" not in text


def test_a_configuration_without_failures_shows_no_table():
    assessment = Assessment("soc2", (), 78, 86)
    assert shown(assessment).startswith("SOC 2  ")


def proposed(text: str) -> Proposal:
    async def run() -> Proposal:
        async with Nickel(size=1) as nickel:
            loaded = await load_config(ConfigSource(text, "main.ncl"), nickel=nickel, workspace=None)
            before = assess(loaded.config, "soc2", today=TODAY)
            return await propose(loaded, before, nickel=nickel, workspace=None, today=TODAY)

    return asyncio.run(run())


def test_a_proposal_shows_its_diff_what_is_left_and_the_judgement_on_it():
    proposal = proposed('# ours\n{\n  buckets = [\n    { name = "data", versioning = false },\n  ],\n}\n')
    stream = io.StringIO()
    show_proposal(console(stream, width=200), proposal)
    text = stream.getvalue()
    assert '-    { name = "data", versioning = false },' in text
    assert "not changed " in text
    assert "no program can know the right value; " in text
    assert "with the change" in text.splitlines()[-1]
    assert "written anew" not in text


def test_a_proposal_that_writes_the_file_anew_says_so():
    quiet = 'security = { threat_detection = true }, monitoring = { enabled = true }, tags = { owner = "shop" }'
    proposal = proposed(f'{{ {quiet}, buckets = std.array.map (fun n => {{ name = n, versioning = false }}) ["a"] }}')
    stream = io.StringIO()
    show_proposal(console(stream, width=200), proposal)
    first = stream.getvalue().strip().splitlines()[0]
    assert first == "! the file is written anew, without its comments, imports and layout: buckets[0] is computed"
