"""An assessment as SARIF 2.1.0, for code hosts and editors. Source: OASIS, Static Analysis Results Interchange Format 2.1.0."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from prov_gen.findings import path_text
from prov_gen.load import Place
from prov_judge.compliance.checks import checks_of
from prov_judge.compliance.model import FRAMEWORKS, Assessment, Check, Framework, Result, Severity, Status
from prov_judge.compliance.order import NOWHERE, Judged, Places, judged
from prov_judge.compliance.summary import summarise
from stratumops import __version__

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "stratumops/v1"
MAX_RESULTS = 25_000
"""Results of one run; GitHub's code scanning refuses a file with more."""

_LEVELS: dict[Severity, str] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
# What code hosts sort by; the middle of each band of CVSS 3.1's qualitative scale.
_SCORES: dict[Severity, str] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_KINDS: dict[Status, str] = {"pass": "pass", "fail": "fail", "not_assessable": "review", "not_applicable": "notApplicable"}


def as_sarif(assessment: Assessment, places: Places = NOWHERE, *, file: str | None = None, whole: bool = False) -> dict[str, Any]:
    """The SARIF log. `file` is the configuration's, relative to the repository, for evidence whose line is not known.

    Code hosts make an open alert of every result, whatever its kind and its suppressions, so there are only the failures that
    nobody waived; the run's properties count the rest. `whole` is for readers who know the format: every result, and a waived
    failure with an accepted suppression. Fingerprints are made of check, resource and field, so that they stay when lines move
    or other resources come and go.
    """
    checks = checks_of(assessment.framework)
    index = {check.id: number for number, check in enumerate(checks)}
    driver = {
        "name": "stratumops",
        "semanticVersion": __version__,
        "rules": [_rule(check, assessment.framework) for check in checks],
    }
    told = judged(assessment.results if whole else assessment.failed, places)
    shown = told if whole else told[:MAX_RESULTS]
    cut = [f"{len(told) - len(shown):,} more failures are not in this file"] if len(told) > len(shown) else []
    summary = summarise(assessment)
    prints = _fingerprints(shown)
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"compliance/{assessment.framework}/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "note", "message": {"text": note}} for note in (*assessment.notes, *cut)
                ],
            }
        ],
        "results": [_result(one, index[one.check.id], file, mark) for one, mark in zip(shown, prints, strict=True)],
        "properties": {
            "summary": summary.text,
            "framework": FRAMEWORKS[assessment.framework],
            "checksByOutcome": dict(summary.counts),
            "resultsByOutcome": dict(summary.results),
        },
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(check: Check, framework: Framework) -> dict[str, Any]:
    controls = check.controls.get(framework, ())
    said = [check.why, f"How to mend it: {check.fix}" if check.fix else "", check.reason]
    text = " ".join(part if part.endswith(".") else f"{part}." for part in said if part)
    named = f"{FRAMEWORKS[framework]}: {', '.join(controls)}"
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "fullDescription": {"text": check.why or check.title},
        "help": {"text": f"{text} {named}".strip()},
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {
            "tags": ["compliance", "security", *(f"{framework}/{control}" for control in controls)],
            "security-severity": _SCORES[check.severity],
            "precision": "very-high" if check.is_automatable else "low",
            "severity": check.severity,
        },
    }


def _result(one: Judged, index: int, file: str | None, fingerprint: str) -> dict[str, Any]:
    result = one.result
    said = [result.message, f"Fix: {result.fix}" if result.fix else ""]
    location: dict[str, Any] = {"logicalLocations": [{"name": result.address, "fullyQualifiedName": path_text(result.path)}]}
    if physical := _physical(one.place, file):
        location["physicalLocation"] = physical
    waived = result.waived
    suppression = waived and {
        "kind": "external",
        "status": "accepted",
        "justification": waived.reason,
        "properties": {"expires": waived.expires.isoformat(), "approvedBy": waived.approved_by},
    }
    return {
        "ruleId": result.check,
        "ruleIndex": index,
        "kind": _KINDS[result.status],
        "level": _LEVELS[one.check.severity] if result.status == "fail" else "none",
        "message": {"text": " ".join(part for part in said if part) or one.check.title},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: fingerprint},
        # Said of every result, so that a reader knows that "none" means none.
        "suppressions": [suppression] if suppression else [],
    }


def _physical(place: Place | None, file: str | None) -> dict[str, Any] | None:
    name = place.file if place and place.file else file
    if name is None:
        return None
    found: dict[str, Any] = {"artifactLocation": {"uri": quote(name), "uriBaseId": "%SRCROOT%"}}
    if place is not None:
        found["region"] = {"startLine": place.line, "startColumn": place.column}
    return found


def _fingerprints(told: Sequence[Judged]) -> list[str]:
    """Of the check, the resource by its name, and the field within it: no line, and no place in a list of resources.

    Resources of one kind with one name (only a network's are unique in themselves) are counted in their order.
    """
    seen: Counter[str] = Counter()
    prints = []
    for one in told:
        words = _identity(one.result)
        seen[words] += 1
        counted = words if seen[words] == 1 else f"{words}\n{seen[words]}"
        prints.append(hashlib.sha256(counted.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return prints


def _identity(result: Result) -> str:
    inside = result.path[len(result.subject) :] if result.path[: len(result.subject)] == result.subject else result.path
    return "\n".join([result.check, result.address, path_text(inside)])
