"""The worker: load Nickel, close the sandbox on the first job, evaluate, answer. One job at a time, no threads.

Frames on stdin and stdout (see `frames`). The worker first says `{"ready": true}`. A job is
`{"expressions": [...], "import_paths": [...], "files": [...], "confine": bool, "cpu_seconds": n, "required": n}`; the
answer is `{"refused": why}`, `{"unusable": why}` (the program cannot be run), or two frames: `{"resident_bytes": n}` and
`[{"ok": true, "value": ...} | {"ok": false, "report": text}, ...]`.
The first job's `files` are what this process can read until it ends. Until it is ready, stderr says why a start failed;
after that nothing goes there, since it could be a user's.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

from . import frames, landlock
from .evaluators import EvaluationError, Evaluator, ModuleEvaluator, ProgramEvaluator, UnusableError

OPEN_FILES = 64
# A report quotes whole lines of the source, and lines can be long; the first reports say what matters.
REPORT_CHARACTERS = 1 << 16


def set_limits(memory_bytes: int, *, may_fork: bool) -> None:
    """Hard limits for the rest of this process's life; CPU time is granted job by job."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if not may_fork:
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def grant_cpu(seconds: int) -> None:
    """Let this job use `seconds` more of CPU time; beyond it the kernel sends SIGXCPU, which ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


def memory_counter() -> Callable[[], int]:
    """What tells this process's resident bytes, also once the sandbox has closed every path.

    Not `ru_maxrss`: a process starts with the peak of the one that started it, so a large server's workers would all look large.
    """
    statm = os.open("/proc/self/statm", os.O_RDONLY)
    page = os.sysconf("SC_PAGESIZE")
    return lambda: int(os.pread(statm, 128, 0).split()[1]) * page


def evaluate(evaluator: Evaluator, expressions: Sequence[str], import_paths: Sequence[str], *, required: int) -> list[str]:
    """A JSON text per expression; nothing is evaluated after a failure among the first `required` ones."""
    results: list[str] = []
    for expression in expressions:
        try:
            # Nickel's JSON goes through as it is: decoding it here would cost memory inside the limits.
            results.append(f'{{"ok":true,"value":{evaluator.run(expression, import_paths)}}}')
        except EvaluationError as error:
            results.append(json.dumps({"ok": False, "report": str(error)[:REPORT_CHARACTERS]}))
            if len(results) <= required:
                break
    return results


def serve(evaluator: Evaluator, incoming: BinaryIO, outgoing: BinaryIO) -> None:
    """Answer jobs until the server closes its end."""
    executables = evaluator.executables()
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.close(silent)
    resident_bytes = memory_counter()
    outgoing.write(frames.encode({"ready": True}))
    outgoing.flush()
    sealed = False
    while (job := frames.read(incoming)) is not None:
        if job["confine"] and not sealed:
            try:
                landlock.restrict(job["files"], executables)
            except OSError as error:
                outgoing.write(frames.encode({"refused": str(error)}))
                outgoing.flush()
                return
            sealed = True
        grant_cpu(job["cpu_seconds"])
        # Nickel looks beside the text first, and a text from standard input lies in the current folder.
        os.chdir(job["folder"])
        try:
            results = evaluate(evaluator, job["expressions"], job["import_paths"], required=job["required"])
        except UnusableError as error:
            outgoing.write(frames.encode({"unusable": str(error)}))
            outgoing.flush()
            return
        outgoing.write(frames.encode({"resident_bytes": resident_bytes()}))
        outgoing.write(frames.pack(f"[{','.join(results)}]".encode()))
        outgoing.flush()


def main(settings: dict[str, Any]) -> None:
    """Run with `{"parent": pid, "memory_bytes": n, "program": path or null}`."""
    landlock.die_with_parent(settings["parent"], signal.SIGKILL)
    # Whatever a library prints must not land between the frames.
    outgoing = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    program = settings["program"]
    evaluator: Evaluator = ProgramEvaluator(program) if program else ModuleEvaluator()
    landlock.forbid_inspection_and_privileges()
    set_limits(settings["memory_bytes"], may_fork=program is not None)
    serve(evaluator, sys.stdin.buffer, outgoing)
