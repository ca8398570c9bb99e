"""Whole sessions at a shell, as files: what is typed, what comes back, and the exit code.

A line `$ command` is run in a fresh workspace that keeps its files from one command to the next; what follows is what it
prints to stdout and stderr together. `[3]` alone on a line is an exit code other than 0, `...` stands for any lines.
"""

import os
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

import pytest

from warm import PROV, WarmProcess

SECONDS = 60
SHELL = frozenset("|&;<>$`*?{}()\n")
"""A line with one of these is a shell's; every other one is a command and its words."""

TRANSCRIPTS = sorted((Path(__file__).parent / "transcripts").glob("*.txt"))


def steps(text: str) -> list[tuple[str, str, int]]:
    """Command, expected output and exit code of each step."""
    found = []
    for part in re.split(r"(?m)^\$ ", text)[1:]:
        command, _, expected = part.partition("\n")
        lines = [line for line in expected.splitlines() if not line.startswith("## ")]
        while lines and not lines[-1]:
            lines.pop()
        code = 0
        if lines and (status := re.fullmatch(r"\[(\d+)\]", lines[-1])):
            code = int(status[1])
            lines.pop()
        found.append((command, "\n".join(lines), code))
    return found


def matches(expected: str, actual: str) -> bool:
    """Whether the output is as written, `...` lines standing for anything."""
    pattern = "".join(r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + "\n" for line in expected.splitlines())
    said = "\n".join(line.rstrip() for line in actual.rstrip("\n").splitlines())
    return re.fullmatch(pattern, said + "\n" if said else "") is not None


def run_line(command: str, workspace: Path, environment: dict[str, str]) -> tuple[str, int]:
    """Run a line as a shell does: what is printed on both channels, and the exit code."""
    if command.startswith("prov ") and not SHELL.intersection(command):
        with tempfile.TemporaryFile() as printed, Path(os.devnull).open("rb") as nothing:
            streams = (nothing.fileno(), printed.fileno(), printed.fileno())
            ended = WarmProcess(PROV, shlex.split(command)[1:], cwd=workspace, env=environment, streams=streams).wait(SECONDS)
            printed.seek(0)
            return printed.read().decode(), ended
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=workspace,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return done.stdout, done.returncode


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_session_reads_as_written(path: Path, workspace: Path, environment: dict[str, str]):
    for command, expected, code in steps(path.read_text(encoding="utf-8")):
        said, ended = run_line(command, workspace, environment)
        said = said.replace(str(workspace), "WORKSPACE").replace(str(workspace.parent), "PARENT")
        assert matches(expected, said), f"$ {command}\n--- expected\n{expected}\n--- got\n{said}"
        assert ended == code, f"$ {command}\n{said}"


def test_there_are_transcripts():
    assert len(TRANSCRIPTS) >= 5
