"""The toolset `compliance`: whether a configuration meets what auditors ask for."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.cost import omitted
from prov_tools.loading import loaded
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from prov_gen.load import Place
    from prov_judge.compliance.model import Path, Result


class CheckComplianceInput(ToolInput):
    """What to judge by which framework."""

    config: ConfigText
    framework: Annotated[Literal["soc2", "hipaa", "gdpr", "pci"], Field(description="Framework")]
    fix: Annotated[bool, Field(description="Propose a diff that passes")] = False


class FailureRow(BaseModel):
    """A check that failed: `path` is its evidence."""

    check: str
    severity: str
    path: str
    message: str
    fix: str
    line: int | None = None


class CheckComplianceOutput(ToolOutput):
    """How many of the automatable checks pass, and which fail; `diff` mends what a program can (a long one is a report)."""

    summary: str
    failures: list[FailureRow]
    notes: list[str]
    diff: str | None = None
    links: Annotated[Hidden, HIDDEN] = None
    whole: Annotated[Hidden, HIDDEN] = None
    places: Annotated[Hidden, HIDDEN] = None
    proposal: Annotated[Hidden, HIDDEN] = None

    def passed(self) -> bool:
        """False when a check fails that nobody waived."""
        return not self.failures

    def resource_links(self) -> dict[str, str]:
        """The whole assessment, and a diff that is too long for the answer."""
        return self.links or {}


@tool(
    toolset="compliance",
    title="Check compliance",
    command="compliance check",
    effect="read",
    example={"config": '{ provider = "aws", buckets = [{ name = "data", versioning = false }] }', "framework": "soc2"},
)
async def check_compliance(args: CheckComplianceInput, ctx: Context) -> CheckComplianceOutput:
    """Judge a configuration by a framework's automatable checks, with evidence and fixes."""
    from prov_gen.load import places  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them
    from prov_judge.compliance.assess import assess  # noqa: PLC0415 - as above
    from prov_judge.compliance.fix import propose  # noqa: PLC0415 - as above
    from prov_judge.compliance.markdown import as_markdown  # noqa: PLC0415 - as above
    from prov_judge.compliance.order import paths_of  # noqa: PLC0415 - as above
    from prov_judge.compliance.summary import summarise  # noqa: PLC0415 - as above

    read = await loaded(args.config, ctx)
    found = await asyncio.to_thread(assess, read.config, args.framework, today=ctx.today())
    summary = summarise(found)
    where = await places(read, paths_of(found), nickel=ctx.nickel, workspace=ctx.workspace)
    proposal = None
    if args.fix and found.failed:
        proposal = await propose(read, found, nickel=ctx.nickel, workspace=ctx.workspace, today=ctx.today(), pricer=ctx.pricer)
    rows = failure_rows(found.failed, where)
    shown = rows[: ctx.defaults.max_rows or None]
    rewritten = [proposal.rewritten] if proposal and proposal.rewritten else []
    left = [f"not mended: {result.check} {result.address}: {reason}" for result, reason in proposal.left] if proposal else []
    diff, links = proposal.diff if proposal else None, dict[str, str]()
    if ctx.reports:
        links["assessment"] = ctx.reports.keep(f"{args.framework}.md", lambda: as_markdown(found, where))
        if proposal and proposal.diff and len(proposal.diff) > ctx.defaults.max_characters > 0:
            diff = links["diff"] = ctx.reports.keep("fix.diff", partial(str, proposal.diff))
    return CheckComplianceOutput(
        summary=summary.text,
        failures=shown,
        notes=[*rewritten, *found.notes, *left, *omitted(len(rows) - len(shown), "failure is", "failures are")],
        diff=diff,
        links=links,
        whole=found,
        places=where,
        proposal=proposal,
    )


def failure_rows(failed: "Sequence[Result]", where: "Mapping[Path, Place]") -> list[FailureRow]:
    """Failed results as they are sent, the worst first."""
    from prov_gen.findings import path_text  # noqa: PLC0415 - as above
    from prov_judge.compliance.checks import find_check  # noqa: PLC0415 - as above
    from prov_judge.compliance.model import SEVERITIES  # noqa: PLC0415 - as above

    rows = []
    for result in failed:
        place = where.get(result.path) or where.get(result.subject)
        rows.append(
            FailureRow(
                check=result.check,
                severity=find_check(result.check).severity,
                path=path_text(result.path),
                message=result.message,
                fix=result.fix,
                line=place.line if place else None,
            )
        )
    return sorted(rows, key=lambda row: SEVERITIES.index(row.severity))
