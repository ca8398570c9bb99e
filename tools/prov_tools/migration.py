"""The toolset `migration`: what changes between two configurations, in which order, at which risk."""

import asyncio
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.cost import delta, omitted
from prov_tools.loading import loaded, prices_if_readable
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from prov_judge.migration.model import Migration, Step


class PlanMigrationInput(ToolInput):
    """From where to where."""

    current: Annotated[ConfigText, Field(description="What runs today")]
    target: Annotated[ConfigText, Field(description="What is wanted")]


class StepRow(BaseModel):
    """One step; steps of a wave may run together. `action` is create, update, replace, delete, or a phase such as backup."""

    wave: int
    action: str
    address: str
    does: str
    why: str | None = None
    downtime: str | None = None
    data_loss: str | None = None
    affects: list[str] | None = None
    rollback: str


class PlanMigrationOutput(ToolOutput):
    """The way: `cost_delta` a month by currency, `compliance` failures before and after."""

    summary: str
    steps: list[StepRow]
    cost_delta: dict[str, float]
    compliance: dict[str, str]
    notes: list[str]
    report: Annotated[Hidden, HIDDEN] = None
    picture: Annotated[Hidden, HIDDEN] = None
    whole: Annotated[Hidden, HIDDEN] = None

    def resource_links(self) -> dict[str, str]:
        """The whole plan, and its picture."""
        return {name: uri for name, uri in (("plan", self.report), ("picture", self.picture)) if uri}


@tool(
    toolset="migration",
    title="Plan a migration",
    command="migrate plan",
    effect="read",
    example={
        "current": '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }',
        "target": '{ provider = "aws", servers = [{ name = "web", plan = "t3.large" }] }',
    },
)
async def plan_migration(args: PlanMigrationInput, ctx: Context) -> PlanMigrationOutput:
    """Compare two configurations: what changes and why, in waves, with risks and the way back. Nothing is applied."""
    from prov_judge.migration.markdown import as_markdown  # noqa: PLC0415 - the models cost 60 ms, paid by the first call
    from prov_judge.migration.picture import as_svg  # noqa: PLC0415 - as above
    from prov_judge.migration.plan import plan_migration as plan  # noqa: PLC0415 - as above
    from prov_judge.migration.words import compliance_words, summary, told_compliance  # noqa: PLC0415 - as above

    current, target = await loaded(args.current, ctx), await loaded(args.target, ctx)

    def work() -> "tuple[Migration, str | None]":
        book, why = prices_if_readable(ctx)
        return plan(current.config, target.config, book=book, today=ctx.today()), why

    found, unpriced = await asyncio.to_thread(work)
    most = ctx.defaults.max_rows or None
    shown = found.steps[:most]
    mapped = [f"{one.address}: {one.before} becomes {one.after} ({one.why})" for one in found.mappings]
    notes = [*([unpriced] if unpriced else []), *found.notes, *mapped]
    keep = ctx.reports.keep if ctx.reports else None
    return PlanMigrationOutput(
        summary=summary(found),
        steps=[_row(step, most) for step in shown],
        cost_delta=delta(found.cost_before, found.cost_after),
        compliance={one.framework: compliance_words(one) for one in told_compliance(found)},
        notes=[
            *notes[:most],
            *omitted(len(notes) - len(notes[:most]), "note is", "notes are"),
            *omitted(len(found.steps) - len(shown), "step is", "steps are"),
        ],
        report=keep("migration.md", lambda: as_markdown(found)) if keep else None,
        picture=keep("migration.svg", lambda: as_svg(found)) if keep else None,
        whole=found,
    )


def _row(step: "Step", most: int | None) -> StepRow:
    return StepRow(
        wave=step.wave,
        action=step.action if step.phase == "change" else step.phase,
        address=step.address,
        does=step.title,
        why="; ".join(step.change.reasons) or None if step.change else None,
        downtime=step.downtime or None,
        data_loss=step.data_loss or None,
        affects=[*step.affects[:most], *omitted(len(step.affects) - len(step.affects[:most]), "more is", "more are")] or None,
        rollback=step.rollback,
    )
