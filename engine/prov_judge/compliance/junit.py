"""An assessment as a JUnit report, for whatever shows test results. Source: the schema of Jenkins' JUnit reader."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

from prov_gen.findings import path_text
from prov_judge.compliance.model import Assessment
from prov_judge.compliance.order import NOWHERE, Judged, Places, judged
from prov_judge.compliance.summary import summarise

# What XML 1.0 cannot carry, not even as a character reference (section 2.2).
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_junit(assessment: Assessment, places: Places = NOWHERE) -> str:
    """The XML text: a suite for each kind of resource, a case for each check and resource.

    Failures are failures; what is waived, cannot be decided or does not apply is skipped, with the reason.
    """
    every = judged(assessment.results, places)
    root = ET.Element("testsuites", {"name": _text(f"{assessment.framework}: {summarise(assessment).text}")})
    for attribute, number in _counts(every, with_skipped=False).items():
        root.set(attribute, str(number))
    for kind in sorted({_kind(one) for one in every}):
        own = [one for one in every if _kind(one) == kind]
        suite = ET.SubElement(root, "testsuite", {"name": f"{assessment.framework}.{kind}"})
        for attribute, number in _counts(own, with_skipped=True).items():
            suite.set(attribute, str(number))
        for one in own:
            _case(suite, one, assessment)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _kind(one: Judged) -> str:
    """The kind of resource that the result is about; a check may look at several."""
    return one.result.address.partition(".")[0]


def _counts(every: "list[Judged] | tuple[Judged, ...]", *, with_skipped: bool) -> dict[str, int]:
    counted = Counter(_outcome(one) for one in every)
    counts = {"tests": len(every), "failures": counted["failure"], "errors": 0}
    return counts | ({"skipped": counted["skipped"]} if with_skipped else {})


def _outcome(one: Judged) -> str:
    if one.result.status == "pass":
        return "passed"
    return "failure" if one.result.status == "fail" and one.result.waived is None else "skipped"


def _case(suite: ET.Element, one: Judged, assessment: Assessment) -> None:
    result, check = one.result, one.check
    # Two results of one check and resource differ in their evidence; a report's reader tells cases apart by name.
    name = f"{check.id} {result.address}" + (f" {path_text(result.path)}" if result.path else "") + f": {check.title}"
    case = ET.SubElement(suite, "testcase", {"classname": f"{assessment.framework}.{_kind(one)}", "name": _text(name)})
    outcome = _outcome(one)
    if outcome == "failure":
        lines = [result.message, f"fix: {result.fix}" if result.fix else "", f"why: {check.why}" if check.why else ""]
        if one.place:
            lines.append(f"at: {one.place.file or 'line'}:{one.place.line}:{one.place.column}")
        controls = check.controls.get(assessment.framework, ())
        lines.append(f"controls: {', '.join(controls)}" if controls else "")
        failure = ET.SubElement(case, "failure", {"type": check.severity, "message": _text(result.message)})
        failure.text = _text("\n".join(line for line in lines if line))
    elif outcome == "skipped":
        waived = result.waived
        words = f"waived until {waived.expires.isoformat()}: {waived.reason}" if waived else result.message
        ET.SubElement(case, "skipped").text = _text(f"{result.status.replace('_', ' ')}: {words}" if not waived else words)


def _text(text: str) -> str:
    """Text that XML can carry: any other character is spelled out."""
    return _NOT_XML.sub(lambda match: f"\\u{{{ord(match.group()):x}}}", text)
