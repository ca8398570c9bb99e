"""Print how much of every package the tests run, and hold each package to a floor.

Lines and branches count alike. Child processes are measured too, through coverage's `subprocess` patch; the sandboxed
workers are not: their environment is empty and their file system is closed, so that no measurement can leave them.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from terminal import paint

ROOT = Path(__file__).resolve().parent.parent
FLOOR = 85.0


@dataclass
class Covered:
    """Counts of one package: statements and branches that exist, and those that ran."""

    existing: int = 0
    ran: int = 0

    @property
    def percent(self) -> float:
        """The part that ran, in per cent; 0 when nothing was measured."""
        return 100.0 * self.ran / self.existing if self.existing else 0.0


def packages() -> list[str]:
    """Return the packages that pyproject.toml names for measuring."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        names: list[str] = tomllib.load(file)["tool"]["coverage"]["run"]["source_pkgs"]
    return names


def count(report: Mapping[str, Any], names: list[str]) -> dict[str, Covered]:
    """Add up the files of a coverage JSON report by the package that their path goes through."""
    table = {name: Covered() for name in names}
    for path, entry in report["files"].items():
        name = next((part for part in PurePath(path).parts if part in table), None)
        if name is None:
            continue
        summary = entry["summary"]
        table[name].existing += summary["num_statements"] + summary.get("num_branches", 0)
        table[name].ran += summary["covered_lines"] + summary.get("covered_branches", 0)
    return table


def below(table: Mapping[str, Covered], floor: float) -> list[str]:
    """Return the packages under the floor; one of which nothing was measured is under every floor."""
    return [name for name, covered in table.items() if not covered.existing or covered.percent < floor]


def main() -> int:
    """Print the table of one report; return 1 when a package is under the floor."""
    parser = argparse.ArgumentParser(description="Coverage of every package.")
    parser.add_argument("report", type=Path, help="the JSON report that coverage wrote")
    parser.add_argument("--floor", type=float, default=FLOOR, help=f"per cent that every package needs ({FLOOR:.0f})")
    options = parser.parse_args()
    table = count(json.loads(options.report.read_text(encoding="utf-8")), packages())
    low = below(table, options.floor)
    print(f"\n{'package':<16} {'lines and branches':>18} {'covered':>9}")
    for name, covered in table.items():
        figure = f"{covered.percent:.1f} %" if covered.existing else "nothing"
        print(f"{name:<16} {covered.existing:>18} {paint(f'{figure:>9}', 'red' if name in low else 'green')}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
