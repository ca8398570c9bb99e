"""`prov audit`: what a person sees of the audit, and verifying a copy of it far from where it was written."""

import json
import shutil
from pathlib import Path

import pytest

from .conftest import Prov

CONFIGURATION = '{ name = "app", servers = [{ name = "web", plan = "small" }] }'


@pytest.fixture
def used(prov: Prov, workspace: Path) -> Path:
    """The audit of a workspace in which two calls were made."""
    (workspace / "prov.toml").write_text("")
    (workspace / "main.ncl").write_text(CONFIGURATION)
    assert prov("validate", "main.ncl").code == 0
    assert prov("validate", "missing.ncl").code == 3
    return workspace / ".prov" / "audit"


def test_the_list_says_who_called_what_newest_first(prov: Prov, used: Path):
    shown = prov("audit", "list").out.splitlines()
    assert [line.split()[-2] for line in shown[1:]] == ["not_found", "allowed"]
    assert all("validate_config" in line and "local" in line for line in shown[1:])


def test_the_list_can_be_narrowed(prov: Prov, used: Path):
    def codes(*words: str) -> list[str]:
        return [one["code"] for one in json.loads(prov("audit", "list", *words, "--json").out)["calls"]]

    assert codes("--tool", "validate_config") == ["not_found", "ok"]
    assert codes("--tool", "validate_config", "--failed") == ["not_found"]
    assert codes("--principal", "somebody") == []
    assert codes("--since", "2999-01-01") == []
    assert codes("--since", "2020-01-01", "--limit", "1") == ["ok"]


def test_a_date_that_is_none_is_refused(prov: Prov, used: Path):
    ended = prov("audit", "list", "--since", "yesterday")
    assert (ended.code, ended.out) == (2, "")
    assert "2026-11-23" in ended.err


def test_one_line_is_shown_whole(prov: Prov, used: Path):
    seq = json.loads(prov("audit", "list", "--json").out)["calls"][-1]["seq"]
    line = json.loads(prov("audit", "show", str(seq), "--json").out)
    assert line["arguments"].startswith("hmac-sha256:")
    assert line["chain"]["seq"] == seq
    assert "main.ncl" not in json.dumps(line)
    assert prov("audit", "show", "4000").code == 3


def test_a_copy_is_verified_elsewhere_with_the_public_key_alone(prov: Prov, used: Path, tmp_path: Path):
    key = tmp_path / "public.pem"
    key.write_text(prov("audit", "key").out)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(used / "calls.jsonl", copy)
    ended = prov("audit", "verify", str(copy), "--public-key", str(key), cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert "the audit is whole" in ended.out
    head = json.loads(prov("audit", "verify", str(copy), "--public-key", str(key), "--json", cwd=tmp_path).out)["head"]
    assert prov("audit", "verify", str(copy), "--expected-head", head, cwd=tmp_path).code == 0


def changed(lines: list[str]) -> list[str]:
    return [line.replace('"principal":"local"', '"principal":"other"') for line in lines]


def without_one(lines: list[str]) -> list[str]:
    return [line for number, line in enumerate(lines) if number != 2]


def moved(lines: list[str]) -> list[str]:
    return [*lines[:2], lines[4], *lines[2:4], *lines[5:]]


@pytest.mark.parametrize(
    ("damage", "said"), [(changed, "was changed"), (without_one, "missing"), (moved, "repeated, added or moved")]
)
def test_what_was_done_to_a_copy_is_named_with_its_place(prov: Prov, used: Path, damage, said: str):
    path = used / "calls.jsonl"
    path.write_text("".join(damage(path.read_text().splitlines(keepends=True))))
    ended = prov("audit", "verify", str(used))
    assert ended.code == 1
    assert "the audit is not whole" in ended.out
    assert said in ended.out
    assert "calls.jsonl:" in ended.out


def test_an_end_that_was_cut_shows_against_a_head_that_was_kept(prov: Prov, used: Path):
    head = json.loads(prov("audit", "verify", "--json").out)["head"]
    path = used / "calls.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-2]))
    assert prov("audit", "verify").code == 0
    ended = prov("audit", "verify", "--expected-head", head)
    assert ended.code == 1
    assert "the end was cut" in ended.out


def test_another_s_key_does_not_verify(prov: Prov, used: Path, tmp_path: Path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "prov.toml").write_text("")
    (other / "main.ncl").write_text(CONFIGURATION)
    prov("validate", "main.ncl", cwd=other)
    ended = prov("audit", "verify", "--public-key", str(other / ".prov" / "audit" / "public.key"))
    assert ended.code == 1
    assert "another key" in ended.out


@pytest.mark.parametrize("words", [["--public-key", "prov.toml"], ["--public-key", "nowhere"], ["--expected-head", "5"]])
def test_wrong_words_to_verify_are_an_error_and_no_verdict(prov: Prov, used: Path, words: list[str]):
    ended = prov("audit", "verify", *words)
    assert ended.code in {2, 3}
    assert "hint" in ended.err


def test_the_whole_audit_is_exported(prov: Prov, used: Path, workspace: Path):
    exported = prov("audit", "export").out.splitlines()
    assert exported == (used / "calls.jsonl").read_text().splitlines()
    rows = prov("audit", "export", "--format", "csv").out.splitlines()
    assert rows[0].startswith("seq,type,call,time,principal")
    assert len(rows) == 3
    assert prov("audit", "export", "--output", "audit.jsonl").code == 0
    assert (workspace / "audit.jsonl").stat().st_mode & 0o777 == 0o600
    assert prov("audit", "export", "--output", "audit.jsonl").code == 4


def test_a_folder_without_an_audit_says_so(prov: Prov, workspace: Path):
    for words in (["list"], ["verify"], ["key"], ["export"], ["export", "--format", "csv"], ["show", "1"]):
        ended = prov("audit", *words)
        assert (ended.code, ended.out) == (3, ""), words
    assert list(workspace.iterdir()) == []


def test_a_workspace_that_cannot_be_written_still_answers_with_a_warning(prov: Prov, workspace: Path):
    (workspace / "main.ncl").write_text(CONFIGURATION)
    (workspace / ".prov").mkdir()
    (workspace / ".prov" / "audit").write_text("in the way")
    ended = prov("validate", "main.ncl")
    assert ended.code == 0
    assert "this call is not in the audit" in ended.err


def test_a_secret_in_a_configuration_is_left_out_of_the_answer_and_said(prov: Prov, workspace: Path):
    token = "hvs." + "CAESIJ" * 6
    (workspace / "main.ncl").write_text(f'{{ name = "app", servers = [{{ name = "web", user_data = "{token}" }}] }}')
    ended = prov("export", "main.ncl", "terraform")
    assert token not in ended.out + ended.err
    assert "what looks like a secret was left out" in ended.err


def test_the_list_is_told_in_lines_on_a_narrow_terminal(prov: Prov, used: Path):
    lines = prov("audit", "list", COLUMNS="40").out.splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert lines[0].endswith("  validate_config")
    assert lines[2] == "  local, cli"
    assert lines[3].startswith("  allowed: not_found, ")


def test_a_signature_is_cut_for_people_and_whole_in_json(prov: Prov, used: Path):
    seq = next(
        json.loads(line)["chain"]["seq"]
        for line in (used / "calls.jsonl").read_text().splitlines()
        if json.loads(line).get("event") == "signed"
    )
    shown = prov("audit", "show", str(seq)).out
    assert "... (4,412 characters; --json shows all)" in shown
    assert max(map(len, shown.splitlines())) < 120
    assert len(json.loads(prov("audit", "show", str(seq), "--json").out)["signature"]) == 4412


def test_an_export_is_verified_whatever_it_is_called_and_whatever_lies_beside_it(prov: Prov, used: Path, tmp_path: Path):
    key, export = tmp_path / "public.pem", tmp_path / "of-this-month.txt"
    key.write_text(prov("audit", "key").out)
    assert prov("audit", "export", "--output", str(export)).code == 0
    shutil.copy(export, tmp_path / "of-this-month.txt.1")
    ended = prov("audit", "verify", str(export), "--public-key", str(key), cwd=tmp_path)
    assert ended.code == 0, ended.out
    ended = prov("audit", "verify", str(export), cwd=tmp_path)
    assert ended.code == 0
    assert "prov audit key" in ended.err
    export.write_text(export.read_text().replace('"principal":"local"', '"principal":"other"', 1))
    ended = prov("audit", "verify", str(export), cwd=tmp_path)
    assert ended.code == 1
    assert "of-this-month.txt:" in ended.out


def test_an_export_without_signatures_is_refused(prov: Prov, used: Path, tmp_path: Path):
    export = tmp_path / "audit.csv"
    assert prov("audit", "export", "--format", "csv", "--output", str(export)).code == 0
    ended = prov("audit", "verify", str(export))
    assert ended.code == 2
    assert "--format jsonl" in ended.err
