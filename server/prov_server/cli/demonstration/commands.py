"""Scenes of scenes.toml: commands that a person types and tools that an assistant calls, in the demonstration's workspace."""

import asyncio
import json
import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from prov_server.cli.demonstration.byhand import DEEDS
from prov_server.cli.demonstration.person import Person
from prov_server.cli.demonstration.stage import Stage
from stratumops.errors import UnavailableError

if TYPE_CHECKING:
    from mcp import Client

LIMIT_SECONDS = 60
SANDBOX = ".prov/sandbox"
"""Where a workspace keeps its sandbox."""
KEPT = "{kept}"
"""In a command or an argument: what the step before it answered where its `keep` says."""

# What a progress bar leaves behind on a terminal.
_PROGRESS = re.compile("^(?:\x1b\\[[0-9;?]*[a-zA-Z]|\r)*[\u2801-\u28ff]")
# A signature is thousands of characters without a space: nobody reads them.
_LONG_WORD = re.compile(r"(\S{40})[^\s\",]{160,}")


async def play_scene(stage: Stage, client: "Client", scene: dict[str, Any], person: Person) -> None:
    """One scene: its title, what it needs, its commands and calls, what each must answer, and what it shows."""
    stage.scene(scene["title"])
    workspace = person.workspace
    for line in scene.get("notes", []):
        stage.say((line, "quiet"))
    if "notes" in scene:
        stage.console.print()
    needed = scene.get("needs")
    if needed and not (workspace / needed["path"]).exists():
        await _run(shlex.split(needed["words"]), person, stage.console.width)
    kept = ""
    for step in scene["run"]:
        if "tool" in step:
            is_well, printed = await _call(stage, client, step, kept)
        elif "by_hand" in step:
            is_well, printed = await _by_hand(stage, step, workspace)
        elif "answers" in step:
            is_well, printed = await _at_terminal(stage, step, kept, person)
        else:
            is_well, printed = await _type(stage, step, kept, person)
        holds = is_well and all(words in printed for words in step.get("holds", []))
        lacks = "lacks" not in step or not re.search(step["lacks"], printed)
        stage.expect(holds and lacks, step["shows"])
        stage.console.print()
        found = re.search(step["keep"], printed) if "keep" in step else None
        kept = found.group() if found else kept


async def _call(stage: Stage, client: "Client", step: dict[str, Any], kept: str) -> tuple[bool, str]:
    arguments = {name: kept if value == KEPT else value for name, value in step["arguments"].items()}
    words = ", ".join(", ".join(value) if isinstance(value, list) else str(value) for value in arguments.values())
    stage.asked(step["tool"], _shortened(words))
    answer = await client.call_tool(step["tool"], arguments)
    text = "".join(getattr(block, "text", "") for block in answer.content)
    shown = {name: value for name, value in json.loads(text).items() if name in step.get("fields", [name])}
    stage.console.print_json(_shortened(json.dumps(shown, ensure_ascii=False, indent=2)), indent=2)
    stage.console.print()
    return not answer.is_error, text


async def _type(stage: Stage, step: dict[str, Any], kept: str, person: Person) -> tuple[bool, str]:
    words = step["words"].replace(KEPT, kept)
    stage.say(("$ ", "quiet"), (f"prov {_shortened(words)}", "heading"))
    stage.console.print()
    code, printed = await _run(shlex.split(words), person, stage.console.width)
    # The folder is a temporary one; names in it say as much.
    lines = [line for line in printed.replace(f"{person.workspace}/", "").rstrip("\n").split("\n") if not _PROGRESS.match(line)]
    _show(stage, lines, step.get("first", len(lines)), step.get("last", 0))
    return code == step.get("status", 0), re.sub("\x1b\\[[0-9;]*m", "", printed)


async def _at_terminal(stage: Stage, step: dict[str, Any], kept: str, person: Person) -> tuple[bool, str]:
    words = step["words"].replace(KEPT, kept)
    stage.say(("$ ", "quiet"), (f"prov {words}", "heading"))
    code, shown = await person.types(stage, words, step["answers"])
    return code == step.get("status", 0), shown


async def _by_hand(stage: Stage, step: dict[str, Any], workspace: Path) -> tuple[bool, str]:
    from provisioning.providers.sandbox.process import Sandbox

    stage.say(("$ ", "quiet"), (step["words"], "heading"))
    stage.console.print()
    running = await asyncio.to_thread(Sandbox(workspace / SANDBOX).status)
    if running is None:
        return False, ""
    await asyncio.to_thread(DEEDS[step["by_hand"]], running.url)
    return True, ""


def _shortened(text: str) -> str:
    return _LONG_WORD.sub(r"\1...", text)


def _show(stage: Stage, lines: list[str], first: int, last: int) -> None:
    """Some lines from the beginning, and some from the end."""
    left_out = max(0, len(lines) - first - last)
    for line in lines[: first if left_out else None]:
        stage.console.print(Text.from_ansi(_shortened(line)))
    if left_out:
        stage.say((f"... {left_out} more lines", "quiet"))
        for line in lines[len(lines) - last :]:
            stage.console.print(Text.from_ansi(line))
    stage.console.print()


async def _run(words: list[str], person: Person, width: int) -> tuple[int, str]:
    # As on a terminal of this width; where this output goes to a pipe the colours are dropped again.
    environment = {**person.environment, "FORCE_COLOR": "1", "COLUMNS": str(width), "TERM": "xterm-256color"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "prov_server", *words,
        cwd=person.workspace, env=environment,
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
