"""The table of benchmarks says what the product promises, and a benchmark really runs. No time is asserted here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# What the product promises, by row: the unit and the largest value that is still ok, or the smallest of those in AT_LEAST.
PROMISED = {
    "initialize": ("x", 1.25),
    "memory-server": ("MB", 150),
    "tokens": ("tokens", 3950),
    "tokens-judge": ("tokens", 1000),
    "tokens-vault": ("tokens", 300),
    "tokens-engine": ("tokens", 900),
    "tokens-knowledge": ("tokens", 800),
    "search-ndcg": ("", 0.88),
    "search-recall": ("", 0.93),
    "search-spanish": ("", 0.75),
    "index-1200": ("s", 90),
    "index-again": ("s", 2),
    "search-p50": ("ms", 40),
    "search-p95": ("ms", 100),
    "engine-apply": ("s", 1),
    "engine-approval": ("s", 0.5),
    "engine-plan": ("s", 3),
    "engine-refresh": ("s", 30),
    "engine-list": ("s", 0.5),
    "prices-load": ("ms", 50),
    "prices-memory": ("MB", 40),
    "estimate-1000": ("ms", 1000),
    "compliance-1000": ("ms", 1000),
    "migration-1000": ("ms", 2000),
    "review-tokens": ("tokens", 600),
    "overhead": ("ms", 2),
    "validate": ("ms", 150),
    "validate-1000": ("ms", 3000),
    "validate-1000-broken": ("ms", 3000),
    "generate": ("ms", 500),
    "form": ("ms", 1),
    "vault-kv-write": ("x", 1.5),
    "vault-kv-read": ("x", 1.5),
    "vault-encrypt": ("x", 1.5),
    "vault-sign-ecdsa": ("x", 1.5),
    "vault-sign-ed25519": ("x", 1.5),
    "vault-p99": ("x", 1.5),
    "vault-ready": ("ms", 1000),
    "vault-restart": ("s", 2),
    "vault-acl": ("us", 100),
    "vault-cedar": ("us", 100),
    "vault-growth": ("MB", 5),
    "vault-classical": ("ms", 10),
    "vault-pq-openssl": ("ms", 20),
    "vault-pq-aws-lc": ("ms", 20),
    "vault-pq-rustcrypto": ("ms", 20),
}
AT_LEAST = {
    "search-ndcg",
    "search-recall",
    "search-spanish",
    "vault-kv-write",
    "vault-kv-read",
    "vault-encrypt",
    "vault-sign-ecdsa",
    "vault-sign-ed25519",
    "vault-p99",
}


def benchmarks(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import catalogue, measure, report

    return catalogue, measure, report


def test_the_table_has_a_row_for_every_goal(modules):
    catalogue, _, _ = modules
    assert {one.name: (one.unit, one.goal) for one in catalogue.BENCHMARKS if one.goal is not None} == PROMISED
    assert {one.name for one in catalogue.BENCHMARKS if one.at_least} == AT_LEAST


def test_no_two_benchmarks_share_a_name(modules):
    catalogue, _, _ = modules
    names = [one.name for one in catalogue.BENCHMARKS]
    assert len(set(names)) == len(names)


def test_one_fast_benchmark_really_runs_and_is_printed_with_the_machine(tmp_path: Path):
    file = tmp_path / "results.json"
    done = benchmarks("form", "--json", str(file))
    assert done.returncode == 0, done.stderr
    head, _, row, *_, last = done.stdout.splitlines()
    assert head.split()[:2] == ["name", "what"]
    assert row.startswith("form ")
    assert last.startswith("machine: ")
    assert "Python 3." in last
    (result,) = json.loads(file.read_text(encoding="utf-8"))["results"]
    assert len(result["values"]) >= 5
    assert min(result["values"]) > 0
    assert result["verdict"] in {"ok", "over"}


def test_a_name_that_is_no_benchmark_is_refused_with_the_names_there_are():
    done = benchmarks("fastest")
    assert done.returncode == 2
    assert "there is no benchmark fastest" in done.stderr
    assert "validate-1000" in done.stderr


def test_what_cannot_be_measured_says_why_and_shows_no_figure(modules):
    _, measure, report = modules

    def run():
        raise measure.NotMeasuredError("no such program here")

    result = measure.measure(measure.Benchmark("absent", "something", "ms", run, 5))
    assert result.verdict == ""
    assert report.row(result)[3:] == ("-", "-", "0", "-", "not measured: no such program here")
    assert report.as_json([result], "m")["results"][0]["median"] is None


@pytest.mark.parametrize(
    ("values", "inclusive", "verdict"),
    [([1.0, 2.0, 9.0], False, "over"), ([1.0, 2.0, 9.0], True, "ok"), ([1.9, 1.0, 9.0], False, "ok"), ([2.1], True, "over")],
)
def test_the_median_is_what_a_goal_is_held_against(modules, values, inclusive, verdict):
    _, measure, _ = modules
    benchmark = measure.Benchmark("x", "x", "ms", lambda: measure.Sample(values), 2, inclusive)
    assert measure.measure(benchmark).verdict == verdict


@pytest.mark.parametrize(("value", "verdict"), [(1.6, "ok"), (1.5, "ok"), (1.4, "under")])
def test_a_goal_may_be_the_least_that_is_ok(modules, value, verdict):
    _, measure, report = modules
    benchmark = measure.Benchmark("x", "x", "x", lambda: measure.Sample([value]), 1.5, at_least=True)
    assert measure.measure(benchmark).verdict == verdict
    assert report.goal(benchmark) == ">= 1.5 x"


def test_a_load_counts_the_answers_of_a_real_vault(modules):
    from benchmarks.vault_load import Plan, run

    from vaults import running_server

    _, measure, _ = modules
    with running_server() as server:
        port = int(server.url.rpartition(":")[2])
        found = run(Plan(port, server.root, "GET", "sys/mounts", seconds=0.5, warm_up=0.1, connections=4))
        assert found.sent >= found.answers > 100
        assert 0 < found.p50 <= found.p99
        counted = run(Plan(port, server.root, "GET", "sys/mounts", connections=4, requests=500))
        assert 500 <= counted.sent < 504
        with pytest.raises(measure.NotMeasuredError, match="404 Not Found"):
            run(Plan(port, server.root, "GET", "sys/nothing/{}"))


def test_a_missed_goal_fails_only_when_the_caller_asks_for_a_check(modules, monkeypatch: pytest.MonkeyPatch, capsys):
    _, measure, _ = modules
    from benchmarks import __main__ as program

    slow = measure.Benchmark("slow", "slow", "ms", lambda: measure.Sample([5.0]), 1)
    monkeypatch.setattr(program, "BENCHMARKS", (slow,))
    assert program.main(["slow"]) == 0
    assert program.main(["slow", "--check"]) == 1
    assert "over" in capsys.readouterr().out


def test_the_page_of_results_is_a_table_with_one_row_a_benchmark(modules):
    _, measure, report = modules
    results = [
        measure.Result(measure.Benchmark(f"row-{i}", "a | b", "ms", lambda: None, 1), measure.Sample([0.5])) for i in range(3)
    ]
    lines = report.markdown(results, "a machine").splitlines()
    rows = [line for line in lines if line.startswith("| row-")]
    assert len(rows) == 3
    assert all(row.replace("\\|", "").count("|") == len(report.COLUMNS) + 1 for row in rows)
