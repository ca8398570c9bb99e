"""Run the test suite, print coverage for every package, and close with one line that says how it went.

Without arguments the whole suite runs and every package must reach its coverage floor. Arguments go to pytest
(`make test ARGS="-k nickel"`); a part of the suite is not held to the floor. `--whole` runs the heavy tests whole,
without coverage and without the usual time limit for one test.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from terminal import paint

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / ".test-results"
HEAVY_TEST_LIMIT = 1800  # seconds for one test of `--whole`


@dataclass(frozen=True)
class Result:
    """How many tests ended in which way, and why some were skipped."""

    passed: int
    failed: int
    skipped: int
    seconds: float
    reasons: Counter[str]

    @property
    def line(self) -> str:
        """The plain closing line, in a form that CI systems read."""
        return f"tests: {self.passed} passed, {self.failed} failed, {self.skipped} skipped"

    @property
    def pytest_line(self) -> str:
        """The same in the form of pytest's own closing line."""
        counts = {"failed": self.failed, "passed": self.passed, "skipped": self.skipped}
        told = ", ".join(f"{number} {word}" for word, number in counts.items() if number) or "no tests ran"
        return f"{f' {told} in {self.seconds:.2f}s ':=^80}"


def read_result(reports: list[Path]) -> Result:
    """Read pytest's JUnit reports; errors in setting a test up count as failures."""
    suites = [suite for report in reports for suite in ET.parse(report).iter("testsuite")]  # noqa: S314 # our own test runs wrote them
    cases = [case for suite in suites for case in suite.findall("testcase")]
    skips = [skip for case in cases for skip in case.findall("skipped")]
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    return Result(
        passed=len(cases) - failed - len(skips),
        failed=failed,
        skipped=len(skips),
        seconds=sum(float(suite.get("time", "0")) for suite in suites),
        reasons=Counter(skip.get("message", "no reason given") for skip in skips),
    )


def run_pytest(arguments: list[str], *, whole: bool, name: str = "junit", goes_on: bool = False) -> int:
    """Run pytest, `goes_on` adding to the coverage of the run before; return its exit status."""
    # Many tests wait for a server: one process more than there are processors uses that time.
    command = [sys.executable, "-m", "pytest", "-q", "-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile"]
    command += ["--junitxml", str(RESULTS / f"{name}.xml"), "-o", "junit_logging=no"]
    if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        command.append("--color=yes")
    if whole:
        command += ["--timeout", str(HEAVY_TEST_LIMIT)]
    else:
        command += ["--cov", "--cov-config=pyproject.toml", "--cov-report=", *(["--cov-append"] if goes_on else [])]
    return subprocess.run([*command, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, check=False).returncode


def print_coverage(*, judged: bool) -> bool:
    """Print the table of coverage; return whether every package is at its floor."""
    report = RESULTS / "coverage.json"
    made = subprocess.run([sys.executable, "-m", "coverage", "json", "--quiet", "-o", report], cwd=ROOT, check=False, text=True)
    if made.returncode != 0:
        return False
    floor = [] if judged else ["--floor", "0"]
    table: list[str | Path] = [sys.executable, Path(__file__).with_name("coverage_table.py"), report, *floor]
    return subprocess.run(table, cwd=ROOT, check=False).returncode == 0 or not judged


def main() -> int:
    """Run what the command line asks for; return 0 when the tests passed and the floor was held."""
    arguments = sys.argv[1:]
    whole = "--whole" in arguments
    arguments = [argument for argument in arguments if argument != "--whole"]
    RESULTS.mkdir(exist_ok=True)
    for old in RESULTS.iterdir():
        old.unlink()
    (RESULTS / ".gitignore").write_text("*\n", encoding="utf-8")

    if arguments:
        status = run_pytest(arguments, whole=whole)
    else:
        status = run_pytest(["-m", "not lxd"], whole=whole)
        print("\nThe job of real containers:", flush=True)
        status = run_pytest(["-m", "lxd"], whole=whole, name="lxd", goes_on=True) or status
    reports = sorted(RESULTS.glob("*.xml"))
    if len(reports) < (1 if arguments else 2):
        print(paint(f"Tests FAILED: pytest ended with status {status} before it wrote a report", "red"))
        return status or 1
    result = read_result(reports)
    covered = whole or print_coverage(judged=not arguments)

    if result.reasons:
        print("\nSkipped:")
        for reason, times in result.reasons.most_common():
            print(f"  {times} x {reason}")
    print(f"\n{result.line}")
    (RESULTS / "summary.txt").write_text(f"{result.line}\n{result.pytest_line}\n", encoding="utf-8")
    if status != 0:
        what = "no test was run" if result.passed + result.failed == 0 else f"{result.failed} of the tests failed"
        print(paint(f"Tests FAILED: {what} (pytest's status {status})", "red"))
        return status
    if not covered:
        print(paint("Tests FAILED: all tests passed, but a package is under its coverage floor", "red"))
        return 1
    skipped = f", {result.skipped} skipped" if result.skipped else ""
    print(paint(f"Tests OK: {result.passed} passed{skipped}", "green"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
