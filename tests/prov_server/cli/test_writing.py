"""What a person's own options write, and that they ask the tool for what they need."""

import json
from pathlib import Path

from .conftest import Prov

WORDS = "two web servers behind a load balancer on aws"


def test_split_asks_for_the_files_and_writes_them_where_it_was_told(prov: Prov, workspace: Path):
    done = prov("generate", WORDS, "--split", "out", "--json")
    assert done.code == 0
    files = json.loads(done.out)["files"]
    assert "main.ncl" in files
    assert {path.name: path.read_text() for path in (workspace / "out").iterdir()} == files
    assert prov("validate", "out/main.ncl").code == 0


def test_files_are_only_sent_when_they_are_asked_for(prov: Prov, workspace: Path):
    done = prov("generate", WORDS, "--output", "main.ncl", "--json")
    answer = json.loads(done.out)
    assert "files" not in answer
    assert (workspace / "main.ncl").read_text() == answer["config"]


def test_split_has_one_meaning_on_the_command_line(prov: Prov):
    told = prov("generate", "--help").out
    assert told.count("--split") == 1
    assert "--no-split" not in told
