"""The person's part of the demonstration: typed on a pseudo-terminal, because an approval is given nowhere else.

The key is a throw-away one in a temporary folder, and the viewer is told who types.
"""

import asyncio
import os
import re
import secrets
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.text import Text

from prov_server.cli.demonstration.stage import Stage
from prov_server.cli.demonstration.terminal_driver import TerminalDriver
from stratumops.errors import UnavailableError

SECONDS = 90.0
_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([a-zA-Z])|\r|\n")
_WORD = re.compile(r"Type ([0-9a-f]{4}) ")


@dataclass(frozen=True)
class Person:
    """Who types in `workspace`. `environment` has folders of their own; the passphrase is made up for this once."""

    workspace: Path
    environment: Mapping[str, str]
    passphrase: str = field(default_factory=lambda: secrets.token_hex(12), repr=False)

    @classmethod
    def beside(cls, workspace: Path) -> "Person":
        """Somebody whose home lies beside the workspace."""
        home = workspace.parent / "home"
        inner = {"XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "XDG_RUNTIME_DIR": "run"}
        folders = {"HOME": home, **{name: home / folder for name, folder in inner.items()}}
        for folder in folders.values():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(workspace, {**os.environ, **{name: str(folder) for name, folder in folders.items()}})

    async def types(self, stage: Stage, words: str, answers: list[list[str]]) -> tuple[int, str]:
        """Run a command at a terminal and answer its questions; the exit code and what was shown, colours left out.

        An answer is a question and what is typed: `{word}` is the plan's word, `{passphrase}` the passphrase. Raises
        UnavailableError when a question does not come.
        """
        is_live = stage.console.is_terminal and not stage.is_recorded
        code, shown = await asyncio.to_thread(self._typed, words, answers, stage.console.width, is_live=is_live)
        shown = shown.replace(f"{self.workspace.parent}/", "")  # the folder is a temporary one
        if not is_live:
            for line in settled(shown):
                stage.console.print(Text.from_ansi(line), soft_wrap=True)
        stage.console.print()
        return code, re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", "\n".join(settled(shown)))

    def _typed(self, words: str, answers: list[list[str]], width: int, *, is_live: bool) -> tuple[int, str]:
        environment = {**self.environment, "COLUMNS": str(width), "TERM": "xterm-256color"}
        environment.pop("NO_COLOR", None)
        command = [sys.executable, "-m", "prov_server", *shlex.split(words)]
        with TerminalDriver(command, cwd=self.workspace, env=environment, on_output=_through if is_live else None) as terminal:
            try:
                for question, said in answers:
                    terminal.wait_for(question, SECONDS)
                    found = _WORD.findall(terminal.transcript)
                    terminal.send(said.format(word=found[-1] if found else "", passphrase=self.passphrase) + "\n")
                return terminal.ended(SECONDS), terminal.transcript
            except AssertionError:
                last = settled(terminal.transcript)[-1:]
                raise UnavailableError(
                    f"prov {words} did not go on at its terminal: {''.join(last)}", hint="`prov mcp doctor` says what is missing"
                ) from None


def _through(data: bytes) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def settled(text: str) -> list[str]:
    """The lines that a terminal shows in the end: what was drawn over is gone, colours stay."""
    lines, row = [""], 0
    at = 0
    for found in _CONTROL.finditer(text):
        lines[row] += text[at : found.start()]
        at = found.end()
        numbers, letter = found.group(1), found.group(2)
        if found.group() == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif letter == "m":
            lines[row] += found.group()
        elif letter == "A":
            row = max(0, row - int(numbers or 1))
        elif letter == "K":
            lines[row] = ""
    lines[row] += text[at:]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
