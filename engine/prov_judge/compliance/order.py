"""The order in which every report tells results: the worst first, then by check and resource."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prov_gen.load import Place
from prov_judge.compliance.checks import find_check
from prov_judge.compliance.model import SEVERITIES, Assessment, Check, Path, Result, Severity

Places = Mapping[Path, Place]
NOWHERE: Places = {}


@dataclass(frozen=True, slots=True)
class Judged:
    """A result beside its check, and where its evidence stands: the value's own place, else its resource's."""

    check: Check
    result: Result
    place: Place | None


@dataclass(frozen=True, slots=True)
class Sorted:
    """The results of an assessment by what they mean for the reader."""

    failed: tuple[Judged, ...]
    waived: tuple[Judged, ...]
    not_assessable: tuple[Judged, ...]
    not_applicable: tuple[Judged, ...]
    passed: tuple[Judged, ...]

    def failed_by_severity(self) -> dict[Severity, tuple[Judged, ...]]:
        """The failures by severity, the worst first, without severities that have none."""
        found: dict[Severity, tuple[Judged, ...]] = {
            severity: tuple(one for one in self.failed if one.check.severity == severity) for severity in SEVERITIES
        }
        return {severity: judged for severity, judged in found.items() if judged}


def paths_of(assessment: Assessment) -> tuple[Path, ...]:
    """The paths whose places (`prov_gen.load.places`) a report wants: of every evidence and every resource, each once."""
    return tuple(dict.fromkeys(path for result in assessment.results for path in (result.path, result.subject) if path))


def judged(results: Iterable[Result], places: Places) -> tuple[Judged, ...]:
    """Results beside their checks, in order."""
    found = [Judged(find_check(one.check), one, places.get(one.path) or places.get(one.subject)) for one in results]
    return tuple(sorted(found, key=_order))


def _order(one: Judged) -> tuple[int, str, Path, str]:
    # Indices are numbers, so that the tenth server does not come before the second; strings and numbers do not compare.
    path = tuple(f"{step:09}" if isinstance(step, int) else step for step in one.result.path)
    return (SEVERITIES.index(one.check.severity), one.check.id, path, one.result.address)


def in_order(assessment: Assessment, places: Places) -> Sorted:
    """All results, sorted and told apart."""
    every = judged(assessment.results, places)
    return Sorted(
        failed=tuple(one for one in every if one.result.status == "fail" and one.result.waived is None),
        waived=tuple(one for one in every if one.result.status == "fail" and one.result.waived is not None),
        not_assessable=tuple(one for one in every if one.result.status == "not_assessable"),
        not_applicable=tuple(one for one in every if one.result.status == "not_applicable"),
        passed=tuple(one for one in every if one.result.status == "pass"),
    )
