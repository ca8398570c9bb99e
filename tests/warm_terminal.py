"""A pseudo-terminal on which `prov` starts at once, where it can."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prov_server.cli.demonstration.terminal_driver import Process, TerminalDriver
from warm import PROV, WarmProcess, can_be_warm


class WarmTerminal(TerminalDriver):
    """A terminal for any program; `prov` is forked."""

    @property
    def raw(self) -> bytes:
        """What the terminal has shown so far, with its own ends of lines."""
        return bytes(self._text)

    def start(
        self, command: Sequence[str | Path], terminal: str, streams: tuple[Any, ...], *, cwd: Path, env: Mapping[str, str]
    ) -> Process:
        program, *words = (os.fspath(word) for word in command)
        if program == PROV.path and can_be_warm(env) and all(isinstance(stream, int) and stream >= 0 for stream in streams):
            stdin, stdout, stderr = streams
            return WarmProcess(PROV, words, cwd=cwd, env=env, streams=(stdin, stdout, stderr), terminal=terminal)
        return super().start(command, terminal, streams, cwd=cwd, env=env)
