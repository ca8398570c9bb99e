"""`prov compliance check` as people and pipelines run it: every format, on the terminal and in a file."""

import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

MAIN = """# the shop, by the team
{
  provider = "aws",
  servers = [
    { name = "web", spec = { encrypted_disk = false } }, # the front
  ],
  buckets = [{ name = "data", versioning = false }],
  waivers = [{ check = "BCK-02", resource = "bucket.data", reason = "only copies", expires = "2999-12-31" }],
}
"""
CANARY = "hunter2hunter2"
SECRET = """{
  servers = [
    { name = "web", spec.encrypted_disk = false, tags.DB_PASSWORD = "hunter2hunter2" },
  ],
}
"""
QUIET = 'security = { threat_detection = true }, monitoring = { enabled = true }, tags = { owner = "shop" }'
COMPUTED = f'{{ {QUIET}, buckets = std.array.map (fun n => {{ name = n, versioning = false }}) ["a"] }}\n'
CHECK = ("compliance", "check", "main.ncl", "soc2")


@pytest.fixture
def main(workspace: Path) -> Path:
    file = workspace / "main.ncl"
    file.write_text(MAIN)
    return file


def is_json(text: str) -> bool:
    found = json.loads(text)
    return not found["nothing_fails"] and "server.web" in {one.get("resource") for one in found["results"]}


def is_sarif(text: str) -> bool:
    (run,) = json.loads(text)["runs"]
    places = [result["locations"][0] for result in run["results"] if result["ruleId"] == "ENC-01"]
    (physical,) = (place["physicalLocation"] for place in places if place["logicalLocations"][0]["name"] == "server.web")
    return physical["artifactLocation"]["uri"] == "main.ncl" and physical["region"]["startLine"] == 5


def is_junit(text: str) -> bool:
    root = ET.fromstring(text)
    return int(root.attrib["failures"]) == len(root.findall(".//failure")) > 0


def is_markdown(text: str) -> bool:
    return text.startswith("## SOC 2\n") and "| ENC-01 | `server.web` |" in text and "### Waived (1)" in text


def is_diff(text: str) -> bool:
    return text.startswith("--- a/main.ncl\n+++ b/main.ncl\n") and '+    { name = "web", spec = { encrypted_disk = true' in text


def is_whole_sarif(text: str) -> bool:
    return is_sarif(text) and any("suppressions" in result for result in json.loads(text)["runs"][0]["results"])


FORMATS = {
    "json": is_json,
    "sarif": is_sarif,
    "sarif-whole": is_whole_sarif,
    "junit": is_junit,
    "markdown": is_markdown,
    "diff": is_diff,
}
ENDINGS = {"report.json": is_json, "report.sarif": is_sarif, "report.xml": is_junit, "report.md": is_markdown}


def options(form: str) -> tuple[str, ...]:
    return ("--format", form, "--fix") if form == "diff" else ("--format", form)


@pytest.mark.usefixtures("main")
@pytest.mark.parametrize("form", FORMATS)
def test_each_format_is_printed_alone_or_written_into_a_file_and_the_exit_code_says_that_something_fails(
    prov, workspace: Path, form: str
):
    printed = prov(*CHECK, *options(form))
    assert printed.code == 1
    assert FORMATS[form](printed.out)
    written = prov(*CHECK, *options(form), "--output", "report")
    assert (written.code, written.out) == (1, "")
    assert "wrote report" in written.err
    assert (workspace / "report").read_text() == printed.out


@pytest.mark.usefixtures("main")
@pytest.mark.parametrize("name", ENDINGS)
def test_the_ending_of_a_file_says_its_format_and_the_table_is_shown_beside_it(prov, workspace: Path, name: str):
    done = prov(*CHECK, "--output", name)
    assert done.code == 1
    assert ENDINGS[name]((workspace / name).read_text())
    assert "automatable checks pass" in done.out
    assert "server.web" in done.out


@pytest.mark.usefixtures("main")
def test_the_table_is_what_a_person_gets(prov):
    done = prov(*CHECK, COLUMNS="200")
    assert done.code == 1
    assert "spec.encrypted_disk is false" in done.out
    assert "waived until 2999-12-31: only copies" in done.out


@pytest.mark.usefixtures("main")
def test_an_answer_for_programs_is_written_into_a_file_as_well(prov, workspace: Path):
    done = prov(*CHECK, "--json", "--output", "report.sarif")
    assert done.code == 1
    assert json.loads(done.out)["failures"]
    assert is_sarif((workspace / "report.sarif").read_text())


@pytest.mark.usefixtures("main")
def test_a_file_that_exists_is_kept_unless_forced(prov, workspace: Path):
    (workspace / "report.md").write_text("mine")
    refused = prov(*CHECK, "--output", "report.md")
    assert refused.code > 1
    assert (workspace / "report.md").read_text() == "mine"
    assert prov(*CHECK, "--output", "report.md", "--force").code == 1
    assert is_markdown((workspace / "report.md").read_text())


@pytest.mark.usefixtures("main")
def test_an_ending_that_says_no_format_is_refused_with_the_formats(prov, workspace: Path):
    done = prov(*CHECK, "--output", "report.txt")
    assert done.code == 2
    assert "markdown" in done.err
    assert not (workspace / "report.txt").exists()


@pytest.mark.usefixtures("main")
@pytest.mark.parametrize("more", [(), ("--output", "fix.patch"), ("--json",)])
def test_a_diff_that_nobody_proposed_is_refused_with_the_hint(prov, workspace: Path, more: tuple[str, ...]):
    done = prov(*CHECK, "--format", "diff", *more)
    assert done.code == 2
    assert "add --fix" in done.err + done.out
    assert not (workspace / "fix.patch").exists()


def test_the_printed_diff_applies_and_keeps_what_somebody_wrote(prov, workspace: Path, main: Path):
    done = prov(*CHECK, "--fix", "--format", "diff")
    subprocess.run(["git", "apply"], cwd=workspace, input=done.out, text=True, check=True, timeout=60)
    assert "# the shop, by the team" in main.read_text()
    again = json.loads(prov(*CHECK, "--format", "json").out)
    still = {(one["check"], one["resource"]) for one in again["results"] if one["status"] == "fail"}
    assert ("ENC-01", "server.web") not in still
    assert f"{len(still) - 1} failures are left as before" in done.err


def test_that_a_text_is_written_anew_is_said_first_and_beside_the_diff(prov, workspace: Path, main: Path):
    main.write_text(COMPUTED)
    done = prov(*CHECK, "--fix", "--format", "diff")
    assert done.err.startswith("! the file is written anew, without its comments, imports and layout: buckets[0] is computed")
    assert done.out.startswith("--- a/main.ncl\n")
    subprocess.run(["git", "apply"], cwd=workspace, input=done.out, text=True, check=True, timeout=60)
    shown = prov(*CHECK, "--fix", given="").out
    assert "written anew" not in shown


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_diff_of_a_json_file_is_about_the_changed_lines_only(prov, workspace: Path, newline: str):
    config: dict[str, Any] = {"servers": [{"name": "web", "spec": {"encrypted_disk": False}, "taskservs": ["a", "b"]}]}
    text = json.dumps(config, indent=2).replace('[\n        "a",\n        "b"\n      ]', '["a", "b"]').replace("\n", newline)
    (workspace / "main.json").write_bytes(text.encode())
    prov("compliance", "check", "main.json", "soc2", "--fix", "--format", "diff", "--output", "fix.patch")
    diff = (workspace / "fix.patch").read_bytes()
    removed = [line for line in diff.split(b"\n")[2:] if line.startswith(b"-")]
    assert b'-        "encrypted_disk": false' + newline.encode()[:-1] in removed
    assert len(removed) < 6
    subprocess.run(["git", "apply", "fix.patch"], cwd=workspace, check=True, timeout=60)
    after = (workspace / "main.json").read_bytes()
    assert after.count(b"\n") == after.count(newline.encode())
    assert b'["a", "b"]' in after


def test_when_all_that_fails_is_waived_it_ends_with_zero_and_no_alert(prov, main: Path):
    found = json.loads(prov(*CHECK, "--format", "json").out)
    failing = sorted({one["check"] for one in found["results"] if one["status"] == "fail"})
    waivers = ",\n".join(f'{{ check = "{one}", reason = "a lab without data", expires = "2999-12-31" }}' for one in failing)
    main.write_text(MAIN.replace("waivers = [", f"waivers = [{waivers},\n"))
    done = prov(*CHECK, "--format", "sarif")
    assert done.code == 0
    assert json.loads(done.out)["runs"][0]["results"] == []
    assert "fails and is not waived." in prov(*CHECK, "--format", "markdown").out
    assert prov(*CHECK, "--fix", "--format", "diff").out == ""


SECRET_COMPUTED = SECRET.replace("servers = [", f"{QUIET}, servers = std.array.map (fun x => x) [")
SECRET_REASON = "SEC-01: the difference would show a line that holds a secret in plain text"


@pytest.mark.parametrize(
    "words", [*(["--format", form, "--fix"] for form in FORMATS), ["--fix"], ["--json", "--fix"]], ids=" ".join
)
def test_no_answer_in_any_format_shows_a_secret(prov, main: Path, words: list[str]):
    main.write_text(SECRET)
    done = prov(*CHECK, *words, COLUMNS="300")
    assert done.code == 1
    assert CANARY not in done.out + done.err
    assert (SECRET_REASON in done.out) is ("--format" not in words)


@pytest.mark.parametrize("name", ["main.ncl", "main.yaml"])
def test_a_text_with_a_secret_is_not_written_anew(prov, workspace: Path, name: str):
    yaml = f"servers:\n  - name: web\n    spec: {{encrypted_disk: false}}\n    tags: {{DB_PASSWORD: {CANARY}}}\n"
    (workspace / name).write_text(yaml if name == "main.yaml" else SECRET_COMPUTED)
    done = prov("compliance", "check", name, "soc2", "--fix", "--json")
    assert (done.code, json.loads(done.out)["diff"]) == (1, "")
    assert SECRET_REASON in done.out
    assert CANARY not in done.out + done.err
