"""Results as a table: on a terminal, as plain text, as Markdown and as JSON."""

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import Benchmark, Result

COLUMNS = ("name", "what", "goal", "median", "min - max", "runs", "", "how")
MARKS = {"ok": "green", "over": "red", "under": "red"}


def machine() -> str:
    """The machine in one line: processor, cores that this process may use, Python, date. No names of hosts or people."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    date = datetime.now(UTC).date().isoformat()
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}, {platform.system()}, {date}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def number(value: float) -> str:
    """Three digits that mean something, never in powers of ten."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 1 else f"{value:.3f}"


def goal(benchmark: Benchmark) -> str:
    """The goal as people write it."""
    if benchmark.goal is None:
        return "-"
    sign = ">=" if benchmark.at_least else "<=" if benchmark.inclusive else "<"
    return f"{sign} {benchmark.goal:,g} {benchmark.unit}"


def row(result: Result) -> tuple[str, ...]:
    """One result as texts, in the order of COLUMNS."""
    benchmark, sample = result.benchmark, result.sample
    told = (benchmark.name, benchmark.title, goal(benchmark))
    if sample is None:
        return (*told, "-", "-", "0", "-", f"not measured: {result.reason}")
    spread = f"{number(min(sample.values))} - {number(max(sample.values))}"
    return (
        *told,
        f"{number(sample.median)} {benchmark.unit}",
        spread,
        str(len(sample.values)),
        result.verdict or "-",
        sample.note,
    )


def text_table(results: Sequence[Result]) -> str:
    """The table for a pipe or a log."""
    rows = [COLUMNS, *map(row, results)]
    widths = [max(len(cells[index]) for cells in rows) for index in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def rich_table(results: Sequence[Result]) -> Any:
    """The table for a terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, title="benchmarks", title_justify="left", pad_edge=False)
    for name in COLUMNS:
        table.add_column(name, justify="right" if name in {"goal", "median", "min - max", "runs"} else "left")
    for result in results:
        cells = row(result)
        style = MARKS.get(result.verdict, "dim" if result.sample is None else "")
        table.add_row(
            *(Text(cell, style=style if column in {"", "median"} else "") for column, cell in zip(COLUMNS, cells, strict=True))
        )
    return table


def markdown(results: Sequence[Result], told_machine: str) -> str:
    """The page benchmarks/RESULTS.md."""
    titles = [name or "verdict" for name in COLUMNS]
    lines = [
        "<!-- Written by `python -m benchmarks --write`; do not edit. -->",
        "# Benchmarks",
        "",
        f"Machine: {told_machine}.",
        "",
        "Wall time; medians after a warm-up that is not counted. `make bench` measures again, on your machine.",
        "",
        f"| {' | '.join(titles)} |",
        f"|{'---|' * len(titles)}",
    ]
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row(result))} |" for result in results]
    return "\n".join(lines) + "\n"


def as_json(results: Sequence[Result], told_machine: str) -> dict[str, Any]:
    """Every value, for programs that compare runs."""
    return {
        "machine": told_machine,
        "results": [
            {
                "name": result.benchmark.name,
                "title": result.benchmark.title,
                "unit": result.benchmark.unit,
                "goal": result.benchmark.goal,
                "median": result.sample.median if result.sample else None,
                "values": list(result.sample.values) if result.sample else [],
                "verdict": result.verdict or None,
                "note": result.sample.note if result.sample else f"not measured: {result.reason}",
            }
            for result in results
        ],
    }
