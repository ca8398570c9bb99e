"""Whole sessions at a shell, as files: what is typed, what comes back, and the exit code.

A line `$ command` is run in a fresh workspace that keeps its files from one command to the next; what follows is what it
prints to stdout and stderr together. `[3]` alone on a line is an exit code other than 0, `...` stands for any lines.
"""

import re
import subprocess
from pathlib import Path

import pytest

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


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: path.stem)
def test_a_session_reads_as_written(path: Path, workspace: Path, environment: dict[str, str]):
    for command, expected, code in steps(path.read_text(encoding="utf-8")):
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=workspace,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout.replace(str(workspace), "WORKSPACE").replace(str(workspace.parent), "PARENT")
        assert matches(expected, said), f"$ {command}\n--- expected\n{expected}\n--- got\n{said}"
        assert done.returncode == code, f"$ {command}\n{said}"


def test_there_are_transcripts():
    assert len(TRANSCRIPTS) >= 5
