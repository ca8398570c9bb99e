"""The pipelines in examples/ci are what their hosts accept, and every `prov` command in them runs."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import peers

ROOT = Path(__file__).resolve().parent.parent
PIPELINES = {"github-actions.yml": "vendor.github-workflows", "gitlab-ci.yml": "vendor.gitlab-ci"}
COMMANDS = sorted(
    {
        re.split(r" (?:>|\|\|)", command)[0].strip()
        for name in PIPELINES
        for command in re.findall(
            r"(?m)\bprov (?:review|mcp|compliance|migrate|export)[^\n]*", (ROOT / "examples/ci" / name).read_text()
        )
    }
)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_host_of_a_pipeline_accepts_its_form(name: str):
    program = peers.environment("ci-schemas") / "venv" / "bin" / "check-jsonschema"
    command = [program, "--builtin-schema", PIPELINES[name], ROOT / "examples" / "ci" / name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_a_pipeline_answers_with_a_verdict(command: str, tmp_path: Path):
    shutil.copy(ROOT / "examples" / "web-shop.ncl", tmp_path / "main.ncl")
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "CONFIG": "main.ncl",
        "BUDGET": "2000",
        "FRAMEWORK": "gdpr",
        "against": "--against main.ncl",
    }
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout


def test_there_are_commands_to_try():
    assert len(COMMANDS) >= 4
