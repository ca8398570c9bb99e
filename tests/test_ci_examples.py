"""The pipelines in examples/ci are what their hosts accept, and their scripts do what they say, in a real git checkout."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import peers

ROOT = Path(__file__).resolve().parent.parent
PIPELINES = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}
READ = "import json, sys\nfrom ruamel.yaml import YAML\njson.dump(YAML(typ='safe').load(sys.stdin), sys.stdout)\n"
BROKEN = "{ servers = [{ name = "


def read(name: str) -> Any:
    """A pipeline as values; the peer that knows the hosts' schemas reads YAML too."""
    import json

    python = peers.environment("ci-schemas") / "venv" / "bin" / "python"
    text = (ROOT / "examples" / "ci" / name).read_text(encoding="utf-8")
    done = subprocess.run([python, "-c", READ], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_host_of_a_pipeline_accepts_its_form(name: str):
    program = peers.environment("ci-schemas") / "venv" / "bin" / "check-jsonschema"
    command = [program, "--builtin-schema", PIPELINES[name], ROOT / "examples" / "ci" / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of a pull request: the target branch has the shop, the branch has another size of it."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"

    def git(folder: Path, *words: str) -> None:
        subprocess.run(["git", "-C", folder, "-c", "user.name=x", "-c", "user.email=x@example.com", *words], check=True)

    (origin / "infra").mkdir(parents=True)
    git(origin, "init", "--quiet", "--initial-branch=main")
    shop = (ROOT / "examples" / "web-shop.ncl").read_text(encoding="utf-8")
    (origin / "infra" / "main.ncl").write_text(shop, encoding="utf-8")
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "--message=shop")
    subprocess.run(["git", "clone", "--quiet", origin, clone], check=True)
    (clone / "infra" / "main.ncl").write_text(shop.replace("t3.medium", "t3.large"), encoding="utf-8")
    return clone


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONFIG": "infra/main.ncl", "BUDGET": "5000", "FRAMEWORK": "gdpr", "BASE": "origin/main",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), "GITHUB_OUTPUT": str(folder / "output"),
    }  # fmt: skip


def github_steps(*wanted: str) -> Iterator[str]:
    for step in read("github-actions.yml")["jobs"]["review"]["steps"]:
        if step.get("name") in wanted:
            yield step["run"]


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As the hosts run a step: stop at the first command that fails."""
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def test_a_pull_request_on_github_gets_a_comment_that_tells_what_changes(checkout: Path):
    for script in github_steps("Check the target branch out", "Review", "Compliance"):
        done = run(script, checkout)
        assert done.returncode == 0, done.stderr
    review = (checkout / "review.md").read_text(encoding="utf-8")
    assert "### What changes" in review
    assert "2 to change" in review
    assert (checkout / "summary.md").read_text(encoding="utf-8") == review
    assert "status=1" in (checkout / "output").read_text(encoding="utf-8")
    assert "found=yes" in (checkout / "output").read_text(encoding="utf-8")
    assert '"version": "2.1.0"' in (checkout / "compliance.sarif").read_text(encoding="utf-8")
    (budget,) = github_steps("Budget")
    assert run(budget, checkout).returncode == 0
    assert run(budget.replace("$BUDGET", "10"), checkout).returncode == 1


def test_a_configuration_that_cannot_be_read_is_told_in_the_comment_too(checkout: Path):
    (checkout / "infra" / "main.ncl").write_text(BROKEN, encoding="utf-8")
    for script in github_steps("Check the target branch out", "Review", "Compliance"):
        assert run(script, checkout).returncode == 0
    assert "not valid" in (checkout / "review.md").read_text(encoding="utf-8")
    assert "status=1" in (checkout / "output").read_text(encoding="utf-8")
    assert "found=yes" not in (checkout / "output").read_text(encoding="utf-8")


def test_a_pull_request_that_adds_the_configuration_is_reviewed_without_a_base(checkout: Path):
    shutil.move(checkout / "infra", checkout / "other")
    scripts = [one.replace("$CONFIG", "other/main.ncl") for one in github_steps("Check the target branch out", "Review")]
    for script in scripts:
        assert run(script, checkout).returncode == 0
    assert "### What changes" not in (checkout / "review.md").read_text(encoding="utf-8")


def test_a_merge_request_on_gitlab_gets_the_same_review_and_a_test_report(checkout: Path):
    pipeline = read("gitlab-ci.yml")
    fetch, review, _comment, verdict = pipeline["infrastructure-review"]["script"]
    done = run("\n".join((fetch, review, verdict)), checkout)
    assert done.returncode == 1, done.stderr
    assert "### What changes" in (checkout / "review.md").read_text(encoding="utf-8")
    (check,) = pipeline["infrastructure-compliance"]["script"]
    assert run(check, checkout).returncode == 1
    assert "<testsuites" in (checkout / "compliance.xml").read_text(encoding="utf-8")
