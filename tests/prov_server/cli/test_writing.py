"""What a person's own options write, and that they ask the tool for what they need."""

import json
from pathlib import Path

import pytest

from .conftest import Prov

WORDS = "two web servers behind a load balancer on aws"


def test_split_asks_for_the_files_and_writes_them_where_it_was_told(prov: Prov, workspace: Path):
    done = prov("generate", WORDS, "--split", "out", "--json")
    assert done.code == 0
    files = json.loads(done.out)["files"]
    assert "main.ncl" in files
    assert {path.name: path.read_text() for path in (workspace / "out").iterdir()} == files
    assert prov("validate", "out/main.ncl").code == 0


def test_the_output_file_is_what_the_answer_says(prov: Prov, workspace: Path):
    done = prov("generate", WORDS, "--output", "main.ncl", "--json")
    answer = json.loads(done.out)
    assert "main.ncl" in answer["files"]
    assert (workspace / "main.ncl").read_text() == answer["config"]


def test_split_has_one_meaning_on_the_command_line(prov: Prov):
    told = prov("generate", "--help").out
    assert told.count("--split") == 1
    assert "--no-split" not in told


@pytest.mark.parametrize(
    ("place", "code"),
    [("prov.toml", 2), ("x.txt", 2), (".prov/x.ncl", 5), ("secret.ncl", 5), ("a/b/x.ncl", 3), ("../elsewhere/x.ncl", 3)],
)
def test_a_place_that_would_do_harm_is_refused_and_nothing_is_made(prov: Prov, workspace: Path, place: str, code: int):
    done = prov("generate", WORDS, "--output", place)
    assert done.code == code, done.err
    assert "hint:" in done.err
    assert list(workspace.iterdir()) == []
    assert not (workspace.parent / "elsewhere").exists()


def test_one_folder_is_made_and_a_dash_is_stdout(prov: Prov, workspace: Path):
    assert prov("generate", WORDS, "--output", "new/x.ncl").code == 0
    assert (workspace / "new" / "x.ncl").is_file()
    assert "provider" in prov("generate", WORDS, "--output", "-").out
    assert [path.name for path in workspace.iterdir()] == ["new"]
