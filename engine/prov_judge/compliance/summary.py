"""An assessment in numbers: how many checks pass, fail, were waived, cannot be decided, or find nothing to look at."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from prov_judge.compliance.model import Assessment, Result, Status

Outcome = Literal["fail", "waived", "not_assessable", "pass", "not_applicable"]
OUTCOMES: tuple[Outcome, ...] = ("fail", "waived", "not_assessable", "pass", "not_applicable")
"""What a check comes to over all its resources: the first of these that one of its results has."""

# What is said of one check, and of several.
_WORDS: Mapping[Outcome, tuple[str, str]] = {
    "fail": ("fails", "fail"),
    "waived": ("waived", "waived"),
    "not_assessable": ("cannot be decided here", "cannot be decided here"),
    "not_applicable": ("finds nothing to look at", "find nothing to look at"),
}


@dataclass(frozen=True)
class Summary:
    """Checks (not results) by outcome."""

    assessment: Assessment
    outcomes: Mapping[str, Outcome]

    @cached_property
    def counts(self) -> Mapping[Outcome, int]:
        """How many checks came to what."""
        counted = Counter(self.outcomes.values())
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @cached_property
    def results(self) -> Mapping[Outcome, int]:
        """How many results came to what; a check has one for each resource that it looks at."""
        counted = Counter(_outcome(result) for result in self.assessment.results)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    @property
    def short(self) -> str:
        """Such as "31 of 74 pass, 5 fail"."""
        return f"{self._passing('')}, {self._told('fail')}"

    @property
    def text(self) -> str:
        """The sentence of every report. It never says "compliant": most of a framework is about people."""
        rest = [self._told(outcome) for outcome in _WORDS if self.counts[outcome]]
        return "; ".join([self._passing("automatable checks "), *rest])

    def _told(self, outcome: Outcome) -> str:
        one, several = _WORDS[outcome]
        return f"{self.counts[outcome]} {one if self.counts[outcome] == 1 else several}"

    def _passing(self, what: str) -> str:
        passing = self.counts["pass"]
        return f"{passing} of {self.assessment.automatable} {what}{'passes' if passing == 1 else 'pass'}"


def summarise(assessment: Assessment) -> Summary:
    """Count the checks of an assessment."""
    found: dict[str, Outcome] = {}
    for result in assessment.results:
        outcome = _outcome(result)
        known = found.get(result.check)
        if known is None or OUTCOMES.index(outcome) < OUTCOMES.index(known):
            found[result.check] = outcome
    return Summary(assessment, found)


def _outcome(result: Result) -> Outcome:
    status: Status = result.status
    return "waived" if status == "fail" and result.waived else status
