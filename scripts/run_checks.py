"""Run every check that needs no test: lint, format, both type checkers, the layers of the house.

They run side by side. The output of a check is shown only when it fails.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from terminal import paint

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CHECKS = {
    "pyright": ["pyright"],
    "mypy": ["mypy"],
    "ruff check": ["ruff", "check", "--quiet", "."],
    "ruff format": ["ruff", "format", "--check", "--quiet", "."],
    "import-linter": ["lint-imports"],
}
MEND = {"ruff check": "make format", "ruff format": "make format"}


@dataclass(frozen=True)
class Outcome:
    """One finished check: its exit status, what it printed, and how many seconds it took."""

    name: str
    status: int
    output: str
    seconds: float


def run(name: str) -> Outcome:
    """Run one check from the project's root."""
    started = time.monotonic()
    program, *arguments = CHECKS[name]
    done = subprocess.run(
        [BIN / program, *arguments],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Outcome(name, done.returncode, done.stdout, time.monotonic() - started)


def main() -> int:
    """Run all checks and print one line for each; return 0 when all of them passed."""
    started = time.monotonic()
    failed: list[str] = []
    with ThreadPoolExecutor(max_workers=3) as pool:
        for outcome in pool.map(run, CHECKS):
            mark = paint("ok    ", "green") if outcome.status == 0 else paint("FAILED", "red")
            print(f"  {mark} {outcome.name:<14} {paint(f'{outcome.seconds:4.1f} s', 'dim')}", flush=True)
            if outcome.status != 0:
                failed.append(outcome.name)
                print(outcome.output.rstrip())
                if outcome.name in MEND:
                    print(f"  {MEND[outcome.name]} mends most of these.")
    took = time.monotonic() - started
    if failed:
        print(paint(f"Checks FAILED: {', '.join(failed)}", "red"))
        return 1
    print(paint(f"Checks OK: {len(CHECKS)} of {len(CHECKS)} in {took:.0f} s", "green"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
