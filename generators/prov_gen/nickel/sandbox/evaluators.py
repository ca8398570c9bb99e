"""Two ways to evaluate Nickel inside the sandbox: the `nickel` module, or a `nickel` program.

Each answers with JSON text or raises EvaluationError with Nickel's own report.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Protocol

from .landlock import die_with_parent

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
# `ldd` does the same: the dynamic loader lists what it would load and ends.
_LIBRARY = re.compile(r"(/[^\s()]+) \(0x[0-9a-f]+\)")


class EvaluationError(Exception):
    """Nickel's report, without colours."""


class UnusableError(Exception):
    """The program cannot be run, or is no Nickel; the operator's affair, not that of the text."""


class Evaluator(Protocol):
    """What the worker needs of a Nickel."""

    def executables(self) -> list[str]:
        """Real paths of what must stay executable inside the sandbox; called before it closes."""
        ...

    def run(self, expression: str, import_paths: Sequence[str]) -> str:
        """The value of the expression as JSON text."""
        ...


class ModuleEvaluator:
    """py-nickel in this process (the worker, never the server)."""

    def __init__(self) -> None:
        # 16 MB of native code without types, which only the worker loads.
        nickel: Any = import_module("nickel")
        self._run = nickel.run
        self._error: type[Exception] = nickel.NickelException
        # Reads and parses the standard library once, so that nothing is loaded lazily after the sandbox closes.
        self._run("1")

    def executables(self) -> list[str]:
        """Nothing: the library is loaded."""
        return []

    def run(self, expression: str, import_paths: Sequence[str]) -> str:
        """See Evaluator."""
        try:
            return str(self._run(expression, list(import_paths)))
        except self._error as error:
            raise EvaluationError(_ESCAPES.sub("", str(error))) from None


class ProgramEvaluator:
    """A `nickel` program (1.10 or newer), started once per expression under the same Landlock domain and limits."""

    def __init__(self, program: str) -> None:
        self._program = os.path.realpath(program)

    def executables(self) -> list[str]:
        """The program, the dynamic loader and the shared libraries that it names.

        Raises UnusableError when the program cannot be run or does not evaluate the simplest of texts.
        """
        try:
            listed = subprocess.run(  # noqa: S603 - the program is the operator's own setting, never a caller's text
                [self._program, "--version"],
                env={"LD_TRACE_LOADED_OBJECTS": "1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=10,
                check=False,
            )
            json.loads(self.run("1", []))
        except (OSError, subprocess.SubprocessError) as error:
            raise UnusableError(f"{self._program} cannot be run: {error}") from None
        except (EvaluationError, ValueError):
            raise UnusableError(f"{self._program} is no nickel: it did not answer with JSON") from None
        libraries = _LIBRARY.findall(listed.stdout.decode(errors="replace"))
        return [self._program, *(os.path.realpath(library) for library in libraries)]

    def run(self, expression: str, import_paths: Sequence[str]) -> str:
        """See Evaluator. Raises UnusableError when the program cannot be started."""
        command = [self._program, "export", "--format", "json", "--color", "never"]
        for path in import_paths:
            command += ["--import-path", path]
        parent = os.getpid()
        try:
            process = subprocess.Popen(  # noqa: S603 - as above; the expression goes through stdin
                command,
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                # This process has one thread, so code between fork and exec is safe.
                preexec_fn=lambda: die_with_parent(parent, signal.SIGKILL),  # noqa: PLW1509 - see the line above
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UnusableError(f"{self._program} cannot be run: {error}") from None
        with process:
            output, report = process.communicate(expression.encode())
        if process.returncode < 0:
            # The program crashed: so does the worker, and the server reports it the same way for both evaluators.
            os.kill(os.getpid(), -process.returncode)
        if process.returncode != 0:
            raise EvaluationError(_ESCAPES.sub("", report.decode(errors="replace")))
        return output.decode()
