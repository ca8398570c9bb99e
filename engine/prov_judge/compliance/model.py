"""The words of an assessment: check, result, waiver, assessment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

from prov_corpus.frameworks import frameworks

Path = tuple[str | int, ...]
Framework = Literal["soc2", "hipaa", "gdpr", "pci"]
FRAMEWORKS: Mapping[Framework, str] = {name: frameworks()[name].name for name in get_args(Framework)}
Status = Literal["pass", "fail", "not_assessable", "not_applicable"]
Severity = Literal["critical", "high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = ("critical", "high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `kind` is the kind of resource it looks at first (`also` are further ones), `infrastructure` for the
    configuration as a whole, or `any`.

    `fix` says in words what to do; `change` are dotted fields of a resource of `kind` and the values that make it pass, where a
    program may propose them (a result brings its own, as kinds differ). `controls` are the ids of each framework's requirements,
    and `control_note` says why they differ from another tool's. `reason` says why a configuration alone cannot decide it; it is
    empty for a check that can pass and fail. `checkov` and `prowler` are the checks of other tools that ask the same.
    """

    id: str
    title: str
    severity: Severity
    kind: str
    why: str
    fix: str
    controls: Mapping[Framework, tuple[str, ...]]
    change: Mapping[str, Any]
    checkov: tuple[str, ...] = ()
    prowler: tuple[str, ...] = ()
    reason: str = ""
    also: tuple[str, ...] = ()
    control_note: str = ""

    @property
    def is_automatable(self) -> bool:
        """Whether a configuration can pass and fail it."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Result:
    """What one check said of one resource. `path` is the value that it judged (the evidence), `value` that value in words.

    `subject` is where the resource stands (() for the configuration as a whole); `change` are dotted fields of the subject and
    the values that make it pass, empty where no program can know them. A failed result that is waived has `waived` (the reason
    and the last day); it counts neither as passed nor as failed.
    """

    check: str
    status: Status
    path: Path
    address: str
    message: str
    fix: str = ""
    value: str = ""
    waived: "Waived | None" = None
    subject: Path = ()
    change: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Waived:
    """Why a failed result was accepted, and until when."""

    reason: str
    expires: date
    approved_by: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What all checks of a framework said. `automatable` of `total` checks can be decided from a configuration at all.

    `notes` are about waivers: unknown check, expired, matched nothing, too long, a name that several resources bear.
    """

    framework: Framework
    results: tuple[Result, ...]
    automatable: int
    total: int
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Result, ...]:
        """The results that fail and are not waived."""
        return tuple(result for result in self.results if result.status == "fail" and result.waived is None)

    @property
    def is_passed(self) -> bool:
        """Whether nothing fails. It never means "compliant": most of a framework is about people."""
        return not self.failed
