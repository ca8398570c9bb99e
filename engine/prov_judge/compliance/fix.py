"""A changed configuration that passes more checks: chosen by trying, written into the user's text, judged again.

A change is taken only when the configuration stays valid, the check then passes and no other check begins to fail.
"""

import asyncio
import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from prov_gen.edit import Edit, changed, edit_config
from prov_gen.findings import Finding, Path
from prov_gen.layers.catalogue import check_catalogue
from prov_gen.layers.limits import check_limits
from prov_gen.layers.network import check_network
from prov_gen.layers.references import check_references
from prov_gen.layers.security import check_security
from prov_gen.load import Loaded
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_gen.nickel import Nickel
from prov_gen.source import PASTED
from prov_judge.compliance.assess import assess
from prov_judge.compliance.model import Assessment, Result
from stratumops.errors import InvalidInputError
from stratumops.workspace import Workspace

MAX_ATTEMPTS = 60
"""Assessments that one proposal may cost: each harmful change among many takes several to be found."""
MAX_FOLLOW_UPS = 3
"""How often what begins to fail is changed as well."""

UNTRIED = "not tried: too many other changes to this configuration do harm"
UNKNOWN = "no program can know the right value"
STILL_FAILS = "it still fails with the change"

Key = tuple[str, Path, str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """The changed configuration as `text` of the file `name` (None when nothing can be changed), and a unified diff to it.

    `fixed` are the failures that pass then, `left` the others with the reason; `after` is the judgement on the changed text.
    `rewritten` says why the text was written anew instead of in place; empty when it was not.
    """

    text: str | None
    diff: str
    fixed: tuple[Result, ...]
    left: tuple[tuple[Result, str], ...]
    after: Assessment
    name: str = ""
    rewritten: str = ""


async def propose(
    loaded: Loaded, assessment: Assessment, *, nickel: Nickel, workspace: Workspace | None, today: date
) -> Proposal:
    """A proposal for what fails in `assessment`, the judgement on `loaded`. Raises UnavailableError (no evaluator)."""
    choice = await asyncio.to_thread(_choose, loaded.config, assessment, today)
    if not choice.edits:
        return Proposal(None, "", (), choice.left, assessment)
    edited = await edit_config(loaded, choice.edits, nickel=nickel, workspace=workspace)
    name = loaded.source.name if loaded.source.name != PASTED else "main.ncl"
    to = edited.name if edited.name != PASTED else "main.ncl"
    before = loaded.source.text if to == name else None
    diff = await asyncio.to_thread(unified_diff, before, edited.text, to)
    return Proposal(edited.text, diff, choice.fixed, choice.left, choice.after, to, edited.rewritten)


def unified_diff(before: str | None, after: str, name: str) -> str:
    """The difference as `patch` and `git apply` take it; `before` is None for a file that is new."""
    shown = "".join(char if char.isprintable() else "?" for char in name)
    old = f"a/{shown}" if before is not None else "/dev/null"
    lines = difflib.unified_diff(_lines(before or ""), _lines(after), old, f"b/{shown}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    """Lines with their ends. Only a line feed ends one: `str.splitlines` knows more, `patch` does not."""
    *whole, rest = text.split("\n")
    return [*(f"{line}\n" for line in whole), *([rest] if rest else [])]


@dataclass(frozen=True, slots=True)
class _Choice:
    edits: tuple[Edit, ...]
    fixed: tuple[Result, ...]
    left: tuple[tuple[Result, str], ...]
    after: Assessment


@dataclass(frozen=True)
class _Attempt:
    """What a set of changes leads to; `harm` says why they cannot be taken."""

    edits: tuple[Edit, ...]
    after: Assessment
    harm: str = ""

    @cached_property
    def failing(self) -> frozenset[Key]:
        return frozenset(_key(result) for result in self.after.failed)


def _choose(config: InfrastructureConfig, assessment: Assessment, today: date) -> _Choice:
    chooser = _Chooser(config, assessment, today)
    attempt = chooser.choose()
    fixed = tuple(result for result in assessment.failed if _key(result) not in attempt.failing)
    left = tuple(
        (result, chooser.reasons.get(_key(result)) or f"{UNKNOWN}; {result.fix}")
        for result in assessment.failed
        if _key(result) in attempt.failing
    )
    return _Choice(attempt.edits if fixed else (), fixed, left, attempt.after if fixed else assessment)


class _Chooser:
    """Finds the largest set of changes that does no harm: all together, else by halves."""

    def __init__(self, config: InfrastructureConfig, before: Assessment, today: date) -> None:
        self._config = config
        self._before = before
        self._today = today
        self._failing = frozenset(_key(result) for result in before.failed)
        self._faults = frozenset(_faults(config, today))
        self._attempts = 0
        self._unshortened: set[Key] = set()
        self.reasons: dict[Key, str] = {}

    def choose(self) -> _Attempt:
        """The changes to take. `reasons` says why others are not."""
        wanted = [result for result in self._before.failed if result.change]
        while True:
            taken = self._take([], wanted)
            attempt = self._attempt(taken)
            useless = {_key(result) for result in taken} & attempt.failing
            if not useless:
                return attempt
            hopeless = useless & self._unshortened
            self._unshortened |= useless
            self.reasons |= dict.fromkeys(hopeless, STILL_FAILS)
            wanted = [result for result in taken if _key(result) not in hopeless]

    def _take(self, taken: list[Result], more: list[Result]) -> list[Result]:
        """What can be taken of `more` beside what was taken."""
        if not more:
            return taken
        harm = self._attempt([*taken, *more]).harm if self._attempts < MAX_ATTEMPTS else UNTRIED
        if not harm:
            return [*taken, *more]
        if len(more) == 1 or harm == UNTRIED:
            self.reasons |= {_key(result): harm for result in more}
            return taken
        middle = len(more) // 2
        return self._take(self._take(taken, more[:middle]), more[middle:])

    def _attempt(self, results: list[Result]) -> _Attempt:
        if not results:
            return _Attempt((), self._before)
        wanted = list(results)
        follow_ups = 0
        while True:
            self._attempts += 1
            attempt = self._tried(tuple(self._edits(wanted)))
            worse = [result for result in attempt.after.failed if _key(result) not in self._failing]
            if attempt.harm or not worse:
                return attempt
            if follow_ups == MAX_FOLLOW_UPS or not all(result.change for result in worse):
                return replace(attempt, harm=f"with the change {worse[0].check} fails for {worse[0].address}")
            # What begins to fail may have its own remedy: a trail that is switched on must then be kept long enough.
            wanted += worse
            follow_ups += 1

    def _tried(self, edits: tuple[Edit, ...]) -> _Attempt:
        try:
            config = changed(self._config, edits)
        except InvalidInputError as error:
            return _Attempt(edits, self._before, f"the change is not valid: {error.message}")
        new = next((said for fault, said in _faults(config, self._today).items() if fault not in self._faults), None)
        if new is not None:
            return _Attempt(edits, self._before, f"with the change: {new}")
        return _Attempt(edits, assess(config, self._before.framework, today=self._today))

    def _edits(self, results: Sequence[Result]) -> Iterator[Edit]:
        """The changes of these results, one for each field.

        Of a change to several fields, the numbers and words that somebody wrote stay at first: backups that were kept for 30
        days and are switched on again need not be kept for 7.
        """
        wanted: dict[Path, Any] = {}
        for result in results:
            is_shortened = len(result.change) > 1 and _key(result) not in self._unshortened
            for dotted, value in result.change.items():
                path = (*result.subject, *dotted.split("."))
                if not (is_shortened and _is_chosen(self._config, path)):
                    wanted[path] = value
        return (Edit(path, value) for path, value in wanted.items())


def _key(result: Result) -> Key:
    return result.check, result.subject, result.address


def _is_chosen(config: InfrastructureConfig, path: Path) -> bool:
    """Whether somebody wrote a number or a word at this path."""
    parent: Any = config
    for step in path[:-1]:
        parent = parent[step] if isinstance(step, int) else getattr(parent, step, None)
    name = str(path[-1])
    return isinstance(parent, Record) and name in parent.model_fields_set and type(getattr(parent, name)) in {int, float, str}


def _faults(config: InfrastructureConfig, today: date) -> dict[tuple[str, Path], str]:
    """What the layers that need no text say against a configuration, by code and place."""
    found: list[Finding] = [
        *check_catalogue(config, today),
        *check_network(config),
        *check_references(config),
        *check_security(config),
        *check_limits(config, None, 0.0),
    ]
    return {(one.code, one.where): f"{one.path}: {one.message}" for one in found if one.severity != "info"}
