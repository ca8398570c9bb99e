"""Nickel for the rest of the product: evaluate, check, and find places, all of it in sandboxed worker processes.

    nickel = Nickel()
    value = await nickel.evaluate(NickelSource("{ a = 1 }"))
    await nickel.aclose()

py-nickel holds the interpreter's lock, reads any file that it is told to import and can take the process down. So it never
runs in this one: see `sandbox/` for what a worker may do.
"""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from prov_gen.nickel import errors
from prov_gen.nickel import source as forms
from prov_gen.nickel.allowlist import AllowList, Schemas
from prov_gen.nickel.diagnostics import Diagnostic
from prov_gen.nickel.errors import NickelError, NickelUnavailableError
from prov_gen.nickel.imports import foreign_import, require_shipped_imports
from prov_gen.nickel.limits import Limits
from prov_gen.nickel.locate import Path as ValuePath
from prov_gen.nickel.locate import Position, SourceMap
from prov_gen.nickel.pool import Pool
from prov_gen.nickel.process import (
    PROGRAM_HINT,
    AnswerTooLargeError,
    ProgramUnusableError,
    SandboxRefusedError,
    WorkerEndedError,
    WorkerProcess,
)
from prov_gen.nickel.report import Reader, located_in
from prov_gen.nickel.sandbox import landlock
from prov_gen.nickel.source import Expression, NickelSource
from stratumops.workspace import Workspace

# Each asks Nickel once more (12 ms for a small file): what a person reads first, not every finding of a long list.
MAX_PRECISE = 16
_LARGE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one expression: a JSON value, or what Nickel says is wrong with it."""

    value: Any = None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def is_ok(self) -> bool:
        """Whether there is a value."""
        return not self.diagnostics

    def unwrap(self) -> Any:
        """The value; raises NickelError when there is none."""
        if self.diagnostics:
            raise NickelError(self.diagnostics)
        return self.value


def _find_in_text(source: NickelSource, paths: Sequence[ValuePath]) -> tuple[list[Position | None], list[int]]:
    """What the text tells, and the indices of paths of which only Nickel could tell more."""
    places = SourceMap(source.text, source.name)
    found = [places.find(path) for path in paths]
    return found, [index for index, path in enumerate(paths) if places.has_unknown(path)][:MAX_PRECISE]


def _outcomes(body: bytes, expressions: Sequence[Expression], reader: Reader) -> list[Outcome]:
    """What a worker answered, read in a thread: values and reports can be large."""
    # A hook in Python lets other threads run between two records; json alone would hold all of them up to its end.
    results = json.loads(body, object_hook=(lambda record: record) if len(body) >= _LARGE_BYTES else None)
    return [
        Outcome(result["value"]) if result["ok"] else Outcome(diagnostics=reader.diagnostics(result["report"], expression))
        for expression, result in zip(expressions, results, strict=False)
    ]


class Nickel:
    """A sandboxed Nickel. Starts no process until the first call or `warm`. Belongs to one event loop; close it.

    `size` workers run at a time; further calls wait. `program` is the absolute path of a `nickel` binary to
    use in place of py-nickel, under the same sandbox. `schemas` is the folder whose `schemas/` may be imported (default:
    the shipped ones). `confine=False` is what a kernel without Landlock gets: texts that could import anything else are refused.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        size: int = 2,
        program: Path | None = None,
        schemas: Path | None = None,
        confine: bool | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self._program = program
        self._schemas = Schemas.at(schemas) if schemas else None
        self._confine = confine
        self._size = size
        self._pool: Pool | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def warm(self, *, wait: bool = False) -> None:
        """Start the workers in the background; with `wait`, until they are ready."""
        starting = self._workers().warm()
        if wait and starting:
            await asyncio.wait(starting)

    async def ready(self) -> None:
        """Return at once when a worker lives, even one that is at work; otherwise start one.

        Raises NickelUnavailableError, which says why no worker can start.
        """
        await self._workers().ready()

    async def aclose(self) -> None:
        """End all workers and wait until none is left. The object cannot be used again."""
        await self._workers().aclose()

    async def evaluate(self, source: NickelSource, *, contract: str | None = None, workspace: Workspace | None = None) -> Any:
        """The text's JSON value, checked against `contract` when there is one.

        `contract` is Nickel of ours, never a caller's: `(import "schemas/server.ncl").Server`. With a workspace, its readable
        configuration files can be imported.

        Raises NickelError (the text is wrong), NickelRunawayError (it uses too much), InvalidInputError (too large, NUL bytes,
        no Unicode), NickelUnavailableError.
        """
        if contract is None:
            return (await self.run_many(source, [forms.value_of(source)], workspace=workspace))[0].unwrap()
        expressions = [forms.checked_syntax(source), forms.under_contract(source, contract)]
        return (await self.run_many(source, expressions, workspace=workspace, required=1))[-1].unwrap()

    async def typecheck(self, source: NickelSource, *, workspace: Workspace | None = None) -> None:
        """Parse the text and check its names and static types, without evaluating it. Raises as `evaluate`."""
        (await self.run_many(source, [forms.checked_syntax(source)], workspace=workspace))[0].unwrap()

    async def checked_value(self, source: NickelSource, *, workspace: Workspace | None = None) -> Outcome:
        """Typecheck the text and evaluate it, in one visit; what Nickel says against it is returned, not raised.

        The shipped contracts let everything through here: a contract stops at the first fault, and whoever judges the value
        wants to tell all of them. A text that needs what the contracts fill in is read under them after all.

        Raises what is no finding of Nickel's: as `evaluate`, without NickelError itself.
        """
        expressions = [forms.checked_syntax(source), forms.value_of(source)]
        open_ = (await self.run_many(source, expressions, workspace=workspace, required=1, rules=False))[-1]
        if open_.is_ok or "schemas/" not in source.text:
            return open_
        return (await self.run_many(source, expressions, workspace=workspace, required=1))[-1]

    async def contracted(self, source: NickelSource, contract: str, *, workspace: Workspace | None = None) -> Outcome:
        """A text that `checked_value` has a value for, evaluated under a contract of ours. Raises as `checked_value`."""
        return (await self.run_many(source, [forms.under_contract(source, contract)], workspace=workspace))[0]

    async def locate(self, source: NickelSource, path: ValuePath, *, workspace: Workspace | None = None) -> Position | None:
        """Where the value of a path is written; see `locate_many`."""
        return (await self.locate_many(source, [path], workspace=workspace))[0]

    async def locate_many(
        self, source: NickelSource, paths: Sequence[ValuePath], *, workspace: Workspace | None = None
    ) -> list[Position | None]:
        """A place for each path: from the text, and for the first `MAX_PRECISE` that the text does not tell, from Nickel.

        A path that does not exist is answered with its nearest ancestor; None when the text cannot be followed at all.
        Texts that crash the evaluator are answered from the text alone. Raises InvalidInputError and
        NickelUnavailableError.
        """
        source.require_usable(self.limits.max_source_bytes)
        # A large text takes a while; in a thread, others are served between.
        found, unknown = await asyncio.to_thread(_find_in_text, source, paths)
        if not unknown:
            return found
        asked = [forms.failing_at(source, paths[index]) for index in unknown]
        try:
            outcomes = await self.run_many(source, asked, workspace=workspace, rules=False)
        except NickelError:
            return found
        for index, outcome in zip(unknown, outcomes, strict=True):
            found[index] = located_in(outcome.diagnostics) or found[index]
        return found

    async def shadowed(self, workspace: Workspace) -> tuple[str, ...]:
        """The workspace's own files, by relative path, that bear the name of a shipped schema and are never read."""
        return (await asyncio.to_thread(AllowList.of, self._shipped(), workspace)).shadowed

    async def run_many(
        self,
        source: NickelSource,
        expressions: Sequence[Expression],
        *,
        workspace: Workspace | None = None,
        required: int = 0,
        rules: bool = True,
    ) -> list[Outcome]:
        """Expressions made from one source (see `source`), in one visit to a worker.

        When one of the first `required` fails, nothing after it is evaluated and the answer is that much shorter. The
        deadline is for all of them together. Without `rules` the shipped contracts let everything through. Raises as
        `evaluate`, without NickelError itself.
        """
        source.require_usable(self.limits.max_source_bytes)
        schemas = self._shipped()
        shipped = schemas.folder if rules else schemas.open_folder
        confine = landlock.abi() > 0 if self._confine is None else self._confine
        if not confine:
            require_shipped_imports(source, schemas)
        # A text that imports nothing of the workspace is not let near it.
        readable = workspace if confine and foreign_import(source.text, schemas) is not None else None
        allow = await asyncio.to_thread(AllowList.of, schemas, readable, source)
        folder = source.folder or (workspace.root if workspace else None)
        job = {
            "expressions": [expression.text for expression in expressions],
            "folder": os.fspath(shipped),
            "import_paths": [os.fspath(shipped), *([os.fspath(folder)] if folder else [])],
            "files": allow.files,
            "confine": confine,
            "cpu_seconds": self.limits.granted_cpu_seconds,
            "required": required,
        }
        reader = Reader(source, root=workspace.root if workspace else None, schemas=shipped)
        return await self._ask(job, allow, source, lambda body: _outcomes(body, expressions, reader))

    async def _ask(
        self, job: dict[str, Any], allow: AllowList, source: NickelSource, read: Callable[[bytes], list[Outcome]]
    ) -> list[Outcome]:
        waiting = True
        limits = self.limits
        try:
            async with asyncio.timeout(limits.deadline_seconds) as clock, self._workers().lease(allow) as worker:
                waiting = False
                clock.reschedule(asyncio.get_running_loop().time() + limits.deadline_seconds)
                body = await worker.ask(job, limits.max_result_bytes)
                clock.reschedule(None)
                # Before the worker is free again: one that answers nonsense is replaced.
                return await asyncio.to_thread(read, body)
        except ProgramUnusableError as error:
            message = f"the nickel program cannot be used: {error}"
            raise NickelUnavailableError("nickel_start", message, hint=PROGRAM_HINT) from None
        except SandboxRefusedError as error:
            raise NickelUnavailableError(
                "nickel_sandbox",
                f"the sandbox could not be closed, so nothing was evaluated: {error}",
                hint="run `prov mcp doctor`",
            ) from None
        except TimeoutError:
            if waiting:
                raise NickelUnavailableError(
                    "nickel_busy", "all Nickel workers are busy", hint="try again, or set more workers"
                ) from None
            raise errors.deadline(source.name) from None
        except WorkerEndedError as error:
            if self._workers().is_closed:
                raise NickelUnavailableError("nickel_closed", "the Nickel evaluator was shut down", hint="") from None
            raise errors.crash(error.returncode, source.name) from None
        except AnswerTooLargeError:
            raise errors.too_large(limits.max_result_bytes, source.name) from None
        except ValueError:
            # A worker that answers no JSON is broken, by whatever the text did to it.
            raise errors.crash(None, source.name) from None
        except RecursionError:
            raise errors.too_deep(source.name) from None

    def _shipped(self) -> Schemas:
        if self._schemas is None:
            self._schemas = Schemas.shipped()
        return self._schemas

    def _workers(self) -> Pool:
        if self._pool is None:
            self._pool = Pool(
                self._start,
                size=self._size,
                jobs_per_worker=self.limits.jobs_per_worker,
                retire_bytes=self.limits.memory_bytes // 2,
            )
        return self._pool

    async def _start(self) -> WorkerProcess:
        return await WorkerProcess.start(self.limits, self._program, self._shipped().folder)
