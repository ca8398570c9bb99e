"""The driver program from a test: asks for lives and gets how they ended."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]


class Lives:
    """One driver at work."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def begin(self, life: str, folder: Path, **asked: Any) -> None:
        """Ask for a life without waiting for its end."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"life": life, "folder": str(folder), **asked}) + "\n")
        self.process.stdin.flush()

    def ended(self) -> dict[str, Any]:
        """How the life that was asked for ended."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the driver ended"
        answer = json.loads(line)
        assert not answer["failed"], answer
        return dict(answer)

    def live(self, life: str, folder: Path, **asked: Any) -> dict[str, Any]:
        """A life to its end."""
        self.begin(life, folder, **asked)
        return self.ended()


@contextmanager
def lives() -> Iterator[Lives]:
    """A driver in a process of its own."""
    command = [sys.executable, "-W", "error", "-m", "tests.provisioning.workflow.driver"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Lives(process)
    finally:
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.wait(timeout=60)
        process.stdout.close()
