"""`python -m benchmarks [NAME ...]`: measure, print the table of goals, and answer exit code 0 unless --check is given.

With --check the exit code is 1 when a goal is missed. A row that could not be measured is no failure; it says why.
"""

import argparse
import json
import sys
from pathlib import Path

from benchmarks.catalogue import BENCHMARKS
from benchmarks.measure import Result, measure
from benchmarks.report import as_json, machine, markdown, rich_table, text_table

RESULTS = Path(__file__).with_name("RESULTS.md")


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure against the goals.")
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(names)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value as JSON too")
    parser.add_argument("--write", action="store_true", help=f"write the table into {RESULTS.parent.name}/{RESULTS.name}")
    parser.add_argument("--check", action="store_true", help="exit with 1 when a goal is missed")
    options = parser.parse_args(argv)
    unknown = sorted(set(options.names) - set(names))
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are: {', '.join(names)}")
    if options.write and options.names:
        parser.error("--write writes the whole table: leave the names out")
    return options


def run(names: list[str]) -> list[Result]:
    """Measure these benchmarks, or all of them, one after the other."""
    results = []
    for benchmark in BENCHMARKS:
        if names and benchmark.name not in names:
            continue
        if sys.stderr.isatty():
            print(f"\r\033[Kmeasuring: {benchmark.title}", end="", file=sys.stderr, flush=True)
        results.append(measure(benchmark))
    if sys.stderr.isatty():
        print("\r\033[K", end="", file=sys.stderr, flush=True)
    return results


def main(argv: list[str]) -> int:
    """Measure and print; answers the exit code."""
    options = parse(argv)
    results, told_machine = run(options.names), machine()
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print(rich_table(results))
    else:
        print(text_table(results))
    print(f"\nmachine: {told_machine}")
    if options.json:
        options.json.write_text(json.dumps(as_json(results, told_machine), indent=2) + "\n", encoding="utf-8")
    if options.write:
        RESULTS.write_text(markdown(results, told_machine), encoding="utf-8")
    return int(options.check and any(result.verdict in {"over", "under"} for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
