"""From process start to the first answer: the server over stdio beside a bare SDK server, and whole commands."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.measure import Benchmark, NotMeasuredError, Sample
from benchmarks.server import environment, prov, running, workspace

PAIRS = 7
COMMANDS = 5
BARE = Path(__file__).with_name("bare_server.py")
CONFIG = '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }\n'


def seconds_to_initialize(command: list[str], folder: Path) -> float:
    """Wall time from starting the process to having read the answer of `initialize`."""
    started = time.perf_counter()
    with running(command, folder) as server:
        server.initialize()
        return time.perf_counter() - started


def initialize_ratio() -> Sample:
    """Pairs of starts, ours and the bare server's in turn, so that a busy moment of the machine meets both."""
    commands = {"ours": prov("mcp", "serve"), "bare": [sys.executable, str(BARE)]}
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    with workspace() as folder:
        for turn in range(PAIRS + 1):
            for name in ("ours", "bare") if turn % 2 else ("bare", "ours"):
                seconds = seconds_to_initialize(commands[name], folder)
                if turn:  # the first pair fills the file cache
                    taken[name].append(seconds)
    ratios = [ours / bare for ours, bare in zip(taken["ours"], taken["bare"], strict=True)]
    ours, bare = statistics.median(taken["ours"]), statistics.median(taken["bare"])
    return Sample(ratios, f"ours {ours:.2f} s, bare SDK server {bare:.2f} s")


def whole_command(*arguments: str, text: str = "") -> Sample:
    """Wall time of `prov` with these arguments in milliseconds; `text` becomes main.ncl in the workspace."""
    values = []
    with workspace() as folder:
        (folder / "main.ncl").write_text(text, encoding="utf-8")
        for turn in range(COMMANDS + 1):
            started = time.perf_counter()
            done = subprocess.run(
                prov(*arguments), cwd=folder, env=environment(folder), stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
            took = (time.perf_counter() - started) * 1000
            if done.returncode != 0:
                raise NotMeasuredError(f"prov {' '.join(arguments)} ended with exit code {done.returncode}")
            if turn:
                values.append(took)
    return Sample(values, "process start to its end")


def command_help() -> Sample:
    """`prov --help`."""
    return whole_command("--help")


def command_validate() -> Sample:
    """`prov validate main.ncl`."""
    return whole_command("validate", "main.ncl", text=CONFIG)


BENCHMARKS = (
    Benchmark(
        "initialize", "start to `initialize` over stdio, beside a bare SDK server", "x", initialize_ratio, 1.25, inclusive=True
    ),
    Benchmark("help", "`prov --help`, whole command", "ms", command_help),
    Benchmark("validate-command", "`prov validate FILE`, whole command", "ms", command_validate),
)
