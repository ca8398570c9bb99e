"""A broken prov.toml is repaired with `prov config`, and what a server would refuse is refused when it is written."""

import json
from pathlib import Path

import pytest

from .conftest import Prov

BROKEN = '[server]\nprot = 9\nport = "x"\n'


def test_a_broken_file_is_listed_and_repaired_key_by_key(prov: Prov, workspace: Path):
    file = workspace / "prov.toml"
    file.write_text(BROKEN)
    told = prov("config", "validate")
    assert told.code == 2
    assert "server.prot (line 2)" in told.err
    assert "did you mean server.port" in told.err
    rows = {row["key"]: row for row in json.loads(prov("config", "list", "--json").out)}
    assert "line 3" in rows["server.port"]["problem"]
    assert "line 2" in rows["server.prot"]["problem"]
    assert prov("config", "path").code == 0
    mended = prov("config", "set", "server.port", "8005")
    assert mended.code == 0
    assert "still wrong: server.prot" in mended.err
    assert prov("config", "unset", "server.prot").code == 0
    assert prov("config", "validate").code == 0
    assert file.read_text() == "[server]\nport = 8005\n"


@pytest.mark.parametrize(("key", "value"), [("mcp.toolsets", "nope"), ("server.host", "0.0.0.0")])
def test_what_a_server_would_refuse_is_not_written(prov: Prov, workspace: Path, key: str, value: str):
    done = prov("config", "set", key, value)
    assert done.code == 2
    assert key in done.err
    assert not (workspace / "prov.toml").exists()
    table, _, leaf = key.partition(".")
    (workspace / "prov.toml").write_text(f"[{table}]\n{leaf} = {json.dumps([value] if leaf == 'toolsets' else value)}\n")
    assert key in prov("config", "validate").err


def test_an_unknown_key_that_is_not_in_the_file_is_not_found(prov: Prov):
    assert prov("config", "unset", "server.prot").code == 3


def test_words_that_were_typed_wrongly_are_answered_with_the_right_ones(prov: Prov):
    assert "in quotes" in prov("generate", "two", "web", "servers").err
    assert "is a folder" in prov("validate", ".").err
    assert "claude-code" in prov("mcp", "install").err
    assert "running server" in prov("mcp", "toolsets", "enable", "config").err
    assert "running servers" in " ".join(prov("mcp", "toolsets", "--help").out.split())
