"""Compliance checks with examples, and the controls of each framework with the checks that serve them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from prov_corpus.frameworks import frameworks
from prov_judge.compliance.checks import checks
from prov_judge.compliance.markdown import check_as_markdown
from prov_judge.compliance.model import Check, Framework
from prov_server.derived.documents.sheet import file_name, sheet
from prov_server.derived.page import block, cell, code, table

_SOURCE = "the tables of `prov_corpus.frameworks`"


def pages() -> Iterator[tuple[str, str]]:
    """A page for every check, and for every group of controls that a check serves."""
    by_control: dict[tuple[Framework, str], list[Check]] = defaultdict(list)
    for one in checks():
        _, _, body = check_as_markdown(one).partition("\n")
        again = block("sh", f"prov compliance explain {one.id}")
        tags = ["check", one.severity, *sorted(one.controls)][:6]
        yield (
            f"checks/{file_name(one.id)}.md",
            sheet(f"{one.id}: {one.title}", body, again, source=_SOURCE, service="compliance", tags=tags),
        )
        for framework, ids in one.controls.items():
            for control in ids:
                by_control[framework, control].append(one)
    groups: dict[tuple[Framework, str], dict[str, list[Check]]] = defaultdict(dict)
    for (framework, control), served in sorted(by_control.items()):
        groups[framework, _group(framework, control)][control] = served
    for (framework, group), controls in groups.items():
        yield f"controls/{framework}/{file_name(group)}.md", _controls(framework, group, controls)


def _group(framework: Framework, control: str) -> str:
    """What a control belongs to: PCI's 8.3.4 to 8.3, HIPAA's 164.312(a)(2)(iv) to 164.312(a), a letter to its article."""
    if framework == "pci":
        return ".".join(control.split(".")[:2])
    if framework == "hipaa":
        return control[: control.index(")") + 1]
    return control.partition("(")[0]


def _controls(framework: Framework, group: str, controls: Mapping[str, Sequence[Check]]) -> str:
    facts = frameworks()[framework]
    served = list({one.id: one for those in controls.values() for one in those}.values())
    decided = sum(one.is_automatable for one in served)
    rows = [
        (cell(control), code(one.id), one.severity, one.kind, cell(one.title))
        for control, those in controls.items()
        for one in those
    ]
    which = "all" if decided == len(served) else str(decided)
    return sheet(
        f"{facts.name} {group}: {served[0].title[:1].lower()}{served[0].title[1:]}"
        + (f", and {len(served) - 1} more checks" if len(served) > 1 else ""),
        f"{facts.name} {facts.version}, text: {facts.page}. Checks that serve it: {len(served)}; "
        f"a configuration alone decides {which} of them.",
        table(("control", "check", "severity", "looks at", "asks"), rows),
        *(f"**{one.id}**: {one.why}" for one in served[:3]),
        block("sh", f"prov compliance check main.ncl --framework {framework}"),
        source=_SOURCE,
        service="compliance",
        tags=["control", framework],
    )
