"""A review: the parts that the judges said, side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from prov_gen.findings import Finding
from prov_judge.compliance.model import SEVERITIES, Assessment, Check, Framework, Result
from prov_judge.cost.model import Estimate
from prov_judge.migration.model import Migration


@dataclass(frozen=True, slots=True)
class Failure:
    """A check that fails for one resource, and the frameworks that ask for it."""

    check: Check
    result: Result
    frameworks: tuple[Framework, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What validation, the estimate, the frameworks and (with a configuration to compare) the migration said.

    Without a readable configuration there are findings only. `checks` are the checks that results speak of, by id.
    """

    name: str
    is_valid: bool
    findings: tuple[Finding, ...]
    resources: Mapping[str, int]
    estimate: Estimate | None = None
    assessments: tuple[Assessment, ...] = ()
    checks: Mapping[str, Check] = field(default_factory=dict)
    migration: Migration | None = None
    notes: tuple[str, ...] = ()

    @property
    def is_passed(self) -> bool:
        """Whether it is valid and no check fails."""
        return self.is_valid and all(assessment.is_passed for assessment in self.assessments)

    def failures(self) -> list[Failure]:
        """Every failure once, whichever frameworks ask for it; the worst first, then as the configuration has them."""
        asked: dict[tuple[str, str, tuple[str | int, ...]], list[tuple[Framework, Result]]] = {}
        for framework, result in self._failed():
            asked.setdefault((result.check, result.address, result.path), []).append((framework, result))
        found = [
            Failure(self.checks[check], group[0][1], tuple(framework for framework, _ in group))
            for (check, _, _), group in asked.items()
        ]
        return sorted(found, key=lambda one: SEVERITIES.index(one.check.severity))

    def _failed(self) -> Iterator[tuple[Framework, Result]]:
        for assessment in self.assessments:
            for result in assessment.failed:
                yield assessment.framework, result
