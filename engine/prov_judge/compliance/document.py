"""An assessment as JSON values, whole: what programs read."""

from typing import Any

from prov_gen.findings import path_text
from prov_judge.compliance.model import FRAMEWORKS, Assessment
from prov_judge.compliance.order import NOWHERE, Judged, Places, judged
from prov_judge.compliance.summary import summarise


def as_dict(assessment: Assessment, places: Places = NOWHERE) -> dict[str, Any]:
    """Every result with its evidence, and the checks that were asked, by id. Fields without a value are left out.

    `nothing_fails` says that no failure is left that nobody waived; it is no word about what finds nothing to look at.
    """
    every = judged(assessment.results, places)
    summary = summarise(assessment)
    checks = {one.check.id: one.check for one in every}
    return {
        "framework": assessment.framework,
        "title": FRAMEWORKS[assessment.framework],
        "summary": summary.text,
        "nothing_fails": assessment.is_passed,
        "automatable": assessment.automatable,
        "total": assessment.total,
        "checks_by_outcome": dict(summary.counts),
        "results": [_result(one) for one in every],
        "checks": {
            check.id: _stated(
                {
                    "title": check.title,
                    "severity": check.severity,
                    "kind": check.kind,
                    "why": check.why,
                    "fix": check.fix,
                    "controls": list(check.controls.get(assessment.framework, ())),
                    "not_automatable_because": check.reason,
                }
            )
            for check in sorted(checks.values(), key=lambda check: check.id)
        },
        "notes": list(assessment.notes),
    }


def _result(one: Judged) -> dict[str, Any]:
    result, place = one.result, one.place
    waived = result.waived
    return _stated(
        {
            "check": result.check,
            "status": result.status,
            "severity": one.check.severity,
            "resource": result.address,
            "path": path_text(result.path),
            "message": result.message,
            "value": result.value,
            "fix": result.fix,
            "file": place.file if place else None,
            "line": place.line if place else None,
            "column": place.column if place else None,
            "waived": waived
            and _stated({"reason": waived.reason, "expires": waived.expires.isoformat(), "approved_by": waived.approved_by}),
        }
    )


def _stated(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if value not in (None, "", [])}
