"""`kogral` and `kogral-mcp` as people and scripts use them, with the original's flags."""

import json
from pathlib import Path

import pytest

from kogral.cli.entry import run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KOGRAL_SHARED", raising=False)
    return tmp_path


def answer(capsys, *words: str):
    assert run([*words, "--json"], "kogral") == 0
    return json.loads(capsys.readouterr().out)


def test_the_originals_commands_work_as_they_stand(here: Path, capsys):
    said = answer(
        capsys, "add-execution", "--title", "2026-01-22 PostgreSQL Connection Pool Exhaustion",
        "--context", "Production database connections maxed out at 100/100", "--root-cause", "Connection leak",
        "--resolution", "Added PgBouncer pooler, fixed connection leak",
        "--action-items", "Implement connection pool monitoring, add alerts at 80% utilization",
        "--tags", "database,incident,postgresql,production",
    )  # fmt: skip
    assert said["tags"] == ["database", "incident", "postgresql", "production"]
    assert "- [ ] Implement connection pool monitoring\n- [ ] add alerts at 80% utilization\n" in said["content"]
    said = answer(
        capsys, "add-decision", "--title", "Choose Cilium over Calico for CNI", "--context", "Need eBPF", "--decision", "Cilium",
        "--consequences", "Requires Linux kernel 4.9+",
    )  # fmt: skip
    assert said["id"] == "choose-cilium-over-calico-for-cni"
    assert run(["search", "connection pool", "--type", "execution", "--semantic", "false"], "kogral-mcp") == 0
    assert "PostgreSQL Connection Pool Exhaustion" in capsys.readouterr().out
    assert run(["get-guidelines", "kubernetes deployment", "--include-shared", "true"], "kogral-mcp") == 0
    assert run(["list", "--type", "execution", "--tags", "incident"], "kogral-mcp") == 0
    assert "2026-01-22-postgresql" in capsys.readouterr().out
    assert run(["export", "--format", "markdown", "--output", str(here / "out")], "kogral-mcp") == 0
    assert (here / "out" / "index.md").is_file()


def test_times_related_and_metadata_are_taken(here: Path, capsys):
    answer(capsys, "add", "note", "Runbook")
    said = answer(
        capsys, "add-execution", "--title", "Deploy", "--started", "2026-01-22T10:00", "--detected", "2026-01-22 10:00:30",
        "--resolved", "2026-01-22T12:00:00+01:00", "--related", "runbook, https://example.org/t/1", "--metadata", "service=api",
        "--metadata", "version=1=2",
    )  # fmt: skip
    assert "- **Duration**: 1 h\n" in said["content"]
    assert "- [[runbook]]\n- https://example.org/t/1" in said["content"]
    assert said["relations"] == {"relates_to": ["runbook"]}
    assert said["metadata"] == {"service": "api", "version": "1=2"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add-execution", "--title", "x", "--started", "yesterday"], 2, "is no time"),
        (["add-execution", "--title", "x", "--metadata", "novalue"], 2, "KEY=VALUE"),
        (["add-execution"], 2, "--title"),
        (["get", "nothing"], 3, "there is no node 'nothing'"),
        (["add", "note", "x", "--body", "@/nowhere/at/all"], 2, "cannot be read"),
        (["import", "/nowhere/at/all"], 3, "there is no folder"),
        (["frobnicate"], 2, "frobnicate"),
        (["list", "--type", "memo"], 2, "no type 'memo'"),
        (["serve", "--host", "0.0.0.0", "--port", "0"], 2, "not loopback"),
    ],
)
def test_wrong_use_is_an_error_with_a_hint_and_never_a_traceback(here: Path, capsys, words: list[str], code: int, said: str):
    assert run(words, "kogral") == code
    told = capsys.readouterr().err
    assert said in told
    assert "hint: " in told
    assert run([*words, "--json"], "kogral") == code
    assert said in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_node_is_shown_linked_superseded_and_walked(here: Path, capsys, monkeypatch):
    run(["init"], "kogral")
    run(["add", "guideline", "Old", "--body", "Text."], "kogral")
    (here / "body.md").write_text("From a file.")
    run(["add", "guideline", "New", "--body", f"@{here / 'body.md'}"], "kogral")
    run(["link", "new", "explains", "old"], "kogral")
    run(["supersede", "old", "new"], "kogral")
    capsys.readouterr()
    run(["get", "old"], "kogral")
    shown = capsys.readouterr().out
    assert "status: superseded" in shown
    assert "<- new (explains)" in shown
    run(["graph"], "kogral")
    assert "2 nodes, 2 edges" in capsys.readouterr().out
    assert {one["relation"] for one in answer(capsys, "graph", "new")["edges"]} == {"explains", "supersedes"}
    run(["get-guidelines"], "kogral")
    assert "From a file." in capsys.readouterr().out
    assert answer(capsys, "get-guidelines", "file")[0]["title"] == "New"
    assert answer(capsys, "list", "--limit", "1")[0]["type"] == "guideline"
    assert answer(capsys, "search", "file", "--semantic", "false")["hits"][0]["title"] == "New"


def test_the_doctor_exits_with_one_when_something_is_wrong(here: Path, capsys):
    assert run(["doctor"], "kogral") == 0
    assert "nothing is wrong" in capsys.readouterr().out
    run(["add", "note", "x", "--body", "[[nowhere]]"], "kogral")
    capsys.readouterr()
    assert run(["doctor"], "kogral") == 1
    assert "broken_link" in capsys.readouterr().out


def test_the_graph_is_that_of_the_nearest_folder_above_and_shared_ones_come_from_the_environment(here: Path, capsys, monkeypatch):
    run(["add", "note", "here"], "kogral")
    (here / "org").mkdir()
    run(["add", "guideline", "Shared rule", "--project", str(here / "org")], "kogral")
    (here / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(here / "deep" / "er")
    monkeypatch.setenv("KOGRAL_SHARED", str(here / "org"))
    capsys.readouterr()
    assert {one["id"] for one in answer(capsys, "list")} == {"here", "shared-rule"}
    assert [one["graph"] for one in answer(capsys, "get-guidelines", "shared")] == ["org"]


def test_an_import_says_what_it_did(here: Path, capsys):
    (here / "books").mkdir()
    (here / "books" / "a.md").write_text("Text.")
    assert run(["import", "books"], "kogral") == 0
    assert "1 added" in capsys.readouterr().out
    assert answer(capsys, "import", "books")["unchanged"] == 1


def test_an_empty_search_and_a_broken_file_are_said_on_stderr(here: Path, capsys):
    run(["init"], "kogral")
    (here / ".kogral" / "notes" / "x.md").write_text("---\nno end\n")
    capsys.readouterr()
    assert run(["search", "zorbulator", "--semantic", "false"], "kogral") == 0
    told = capsys.readouterr()
    assert "nothing was found" in told.err
    assert "no end" in told.err
