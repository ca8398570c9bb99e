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

_WORDS: Mapping[Outcome, str] = {
    "fail": "fail",
    "waived": "waived",
    "not_assessable": "cannot be decided here",
    "not_applicable": "find nothing to look at",
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

    @property
    def short(self) -> str:
        """Such as "31 of 74 pass, 5 fail"."""
        return f"{self.counts['pass']} of {self.assessment.automatable} pass, {self.counts['fail']} fail"

    @property
    def text(self) -> str:
        """The sentence of every report. It never says "compliant": most of a framework is about people."""
        rest = [f"{self.counts[outcome]} {words}" for outcome, words in _WORDS.items() if self.counts[outcome]]
        return "; ".join([f"{self.counts['pass']} of {self.assessment.automatable} automatable checks pass", *rest])


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
