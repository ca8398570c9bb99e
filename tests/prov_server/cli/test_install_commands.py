"""Putting the server into a client and taking it out again, from the command line."""

import json
from pathlib import Path


def test_a_client_is_set_up_and_undone(prov, environment, workspace):
    done = prov("mcp", "install", "--client", "cursor", "--scope", "project")
    assert done.code == 0, done.err
    file = workspace / ".cursor" / "mcp.json"
    (entry,) = json.loads(file.read_text())["mcpServers"].values()
    assert Path(entry["command"]).name == "prov"
    assert entry["args"][:2] == ["mcp", "serve"]
    assert prov("mcp", "uninstall", "--client", "cursor", "--scope", "project").code == 0
    assert not file.exists()


def test_a_dry_run_writes_nothing(prov, workspace):
    done = prov("mcp", "install", "--client", "cursor", "--scope", "project", "--dry-run", "--json")
    assert json.loads(done.out)["changed"] is True
    assert list(workspace.iterdir()) == []


def test_a_client_that_starts_servers_anywhere_is_told_the_workspace(prov, workspace):
    done = prov("mcp", "install", "--client", "claude-desktop", "--json")
    assert json.loads(done.out)["entry"]["args"] == ["mcp", "serve", "--workspace", str(workspace)]


def test_an_unknown_client_is_answered_with_the_nearest(prov):
    done = prov("mcp", "install", "--client", "claude-dekstop")
    assert done.code == 3
    assert "claude-desktop" in done.err


def test_the_clients_are_listed_with_what_is_installed(prov):
    prov("mcp", "install", "--client", "claude-code")
    rows = {row["name"]: row["installed"] for row in json.loads(prov("mcp", "clients", "--json").out)}
    assert rows["claude-code"] is True
    assert rows["cursor"] is False


def test_the_doctor_says_what_works(prov):
    done = prov("mcp", "doctor", "--json")
    checks = {check["name"]: check["status"] for check in json.loads(done.out)["checks"]}
    assert checks["nickel"] == "ok"
    assert done.code == int("fail" in checks.values())
