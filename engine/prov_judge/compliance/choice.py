"""Which changes a proposal takes: all together where that does no harm, else what is found by halves.

A change is taken only when the configuration stays valid, the check then passes and no other check begins to fail.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from prov_gen.edit import Edit, changed
from prov_gen.findings import Finding, Path
from prov_gen.layers.catalogue import check_catalogue
from prov_gen.layers.limits import Pricer, check_limits
from prov_gen.layers.network import check_network
from prov_gen.layers.references import check_references
from prov_gen.layers.security import check_security
from prov_gen.model.base import Record
from prov_gen.model.infrastructure import InfrastructureConfig
from prov_judge.compliance.assess import assess
from prov_judge.compliance.model import Assessment, Result
from stratumops.errors import InvalidInputError

MAX_ATTEMPTS = 60
"""Assessments that one choice may cost: each harmful change among many takes several to be found."""
MAX_FOLLOW_UPS = 3
"""How often what begins to fail is changed as well."""

UNTRIED = "not tried: too many other changes to this configuration do harm"
UNKNOWN = "no program can know the right value"
STILL_FAILS = "it still fails with the change"

Key = tuple[str, Path, str]


@dataclass(frozen=True, slots=True)
class Choice:
    """The changes to take, the failures that pass with them, the others with the reason, and the judgement then."""

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


def choose(
    config: InfrastructureConfig,
    assessment: Assessment,
    *,
    today: date,
    pricer: Pricer | None = None,
    refused: Mapping[Path, str] | None = None,
) -> Choice:
    """The largest set of changes that does no harm. `refused` are fields that cannot be changed, each with the reason.

    `pricer` says what a configuration costs, so that no change breaks a budget that the configuration states.
    """
    chooser = _Chooser(config, assessment, today, pricer, refused or {})
    attempt = chooser.choose()
    fixed = tuple(result for result in assessment.failed if _key(result) not in attempt.failing)
    left = tuple(
        (result, chooser.reasons.get(_key(result)) or f"{UNKNOWN}; {result.fix}")
        for result in assessment.failed
        if _key(result) in attempt.failing
    )
    return Choice(attempt.edits if fixed else (), fixed, left, attempt.after if fixed else assessment)


class _Chooser:
    """Finds the largest set of changes that does no harm: all together, else by halves."""

    def __init__(
        self,
        config: InfrastructureConfig,
        before: Assessment,
        today: date,
        pricer: Pricer | None,
        refused: Mapping[Path, str],
    ) -> None:
        self._config = config
        self._before = before
        self._today = today
        self._pricer = pricer
        self._refused = refused
        self._failing = frozenset(_key(result) for result in before.failed)
        self._faults = frozenset(_faults(config, today, pricer))
        self._attempts = 0
        self._unshortened: set[Key] = set()
        self.reasons: dict[Key, str] = {}

    def choose(self) -> _Attempt:
        """The changes to take. `reasons` says why others are not."""
        wanted = []
        for result in self._before.failed:
            if reason := self._refusal(result):
                self.reasons[_key(result)] = reason
            elif result.change:
                wanted.append(result)
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

    def _refusal(self, result: Result) -> str:
        """Why a field of the result's change cannot be changed; empty when all of them can."""
        return next((self._refused[path] for path in _paths(result) if path in self._refused), "")

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
            if follow_ups == MAX_FOLLOW_UPS or not all(result.change and not self._refusal(result) for result in worse):
                return replace(attempt, harm=f"with the change {worse[0].check} fails for {worse[0].address}")
            # What begins to fail may have its own remedy: a trail that is switched on must then be kept long enough.
            wanted += worse
            follow_ups += 1

    def _tried(self, edits: tuple[Edit, ...]) -> _Attempt:
        try:
            config = changed(self._config, edits)
        except InvalidInputError as error:
            return _Attempt(edits, self._before, f"the change is not valid: {error.message}")
        new = next(
            (said for fault, said in _faults(config, self._today, self._pricer).items() if fault not in self._faults), None
        )
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
            changes = zip(_paths(result), result.change.values(), strict=True)
            wanted |= {path: value for path, value in changes if not (is_shortened and _is_chosen(self._config, path))}
        return (Edit(path, value) for path, value in wanted.items())


def _key(result: Result) -> Key:
    return result.check, result.subject, result.address


def _paths(result: Result) -> list[Path]:
    """The fields that its change is about."""
    return [(*result.subject, *dotted.split(".")) for dotted in result.change]


def _is_chosen(config: InfrastructureConfig, path: Path) -> bool:
    """Whether somebody wrote a number or a word at this path."""
    parent: Any = config
    for step in path[:-1]:
        parent = parent[step] if isinstance(step, int) else getattr(parent, step, None)
    name = str(path[-1])
    return isinstance(parent, Record) and name in parent.model_fields_set and type(getattr(parent, name)) in {int, float, str}


def _faults(config: InfrastructureConfig, today: date, pricer: Pricer | None) -> dict[tuple[str, Path], str]:
    """What the layers that need no text say against a configuration, by code and place."""
    found: list[Finding] = [
        *check_catalogue(config, today),
        *check_network(config),
        *check_references(config),
        *check_security(config),
        *check_limits(config, pricer, 0.0),
    ]
    return {(one.code, one.where): f"{one.path}: {one.message}" for one in found if one.severity != "info"}
