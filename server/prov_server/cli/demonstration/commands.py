"""Scenes that a person types: each runs `prov` itself, in the demonstration's workspace, and shows what it prints."""

import asyncio
import os
import re
import shlex
import sys
from pathlib import Path
from typing import Any

from rich.text import Text

from prov_server.cli.demonstration.stage import Stage
from stratumops.errors import UnavailableError

LIMIT_SECONDS = 60

# What a progress bar leaves behind on a terminal.
_PROGRESS = re.compile("^(?:\x1b\\[[0-9;?]*[a-zA-Z]|\r)*[\u2801-\u28ff]")


async def run_commands(stage: Stage, scene: dict[str, Any], workspace: Path) -> None:
    """One scene of scenes.toml: its title, its commands, what each must end with, and what it shows."""
    stage.scene(scene["title"])
    for command in scene["run"]:
        stage.say(("$ ", "quiet"), (f"prov {command['words']}", "heading"))
        stage.console.print()
        code, printed = await _run(shlex.split(command["words"]), workspace, stage.console.width)
        lines = [line for line in printed.rstrip("\n").split("\n") if not _PROGRESS.match(line)]
        _show(stage, lines, command.get("first", len(lines)), command.get("last", 0))
        holds = code == command.get("status", 0) and all(words in printed for words in command["holds"])
        stage.expect(holds, command["shows"])
        stage.console.print()


def _show(stage: Stage, lines: list[str], first: int, last: int) -> None:
    """Some lines from the beginning, and some from the end."""
    left_out = max(0, len(lines) - first - last)
    for line in lines[: first if left_out else None]:
        stage.console.print(Text.from_ansi(line))
    if left_out:
        stage.say((f"... {left_out} more lines", "quiet"))
        for line in lines[len(lines) - last :]:
            stage.console.print(Text.from_ansi(line))
    stage.console.print()


async def _run(words: list[str], workspace: Path, width: int) -> tuple[int, str]:
    # As on a terminal of this width; where this output goes to a pipe the colours are dropped again.
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(width), "TERM": "xterm-256color"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prov_server", *words,
        cwd=workspace, env=environment,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            printed, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise UnavailableError(f"prov {shlex.join(words)} did not end in time", hint="`prov mcp doctor` says why") from None
    return process.returncode or 0, printed.decode("utf-8", "replace")
