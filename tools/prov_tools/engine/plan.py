"""`plan_config`: everything about a change in one answer, bound to an id that a person can approve."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.cost import omitted
from prov_tools.knowledge.guidelines import guidelines_for
from stratumops.errors import InvalidInputError
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from prov_gen.model.infrastructure import InfrastructureConfig
    from provisioning.plan.model import Plan, PlanStep

NEXT = "a person approves it in a terminal: {prov} approve {plan}; then apply_plan"
NOTHING = "nothing to apply"


class PlanConfigInput(ToolInput):
    """What is wanted: a configuration, nothing at all, or what was before."""

    config: ConfigText | None = None
    destroy: Annotated[bool, Field(description="Delete what config describes; without config, everything")] = False
    back_to: Annotated[str | None, Field(description="Serial, or operation to undo")] = None
    only: Annotated[list[str] | None, Field(description="Addresses to touch")] = None


class PlanConfigOutput(ToolOutput):
    """The plan. A step says its wave, what it does, its risks and its way back; `cost_delta` is a month's, by currency.

    `guidelines` are the team's that name what it is about.
    """

    plan_id: str
    summary: str
    steps: list[str]
    cost_delta: dict[str, float]
    compliance: dict[str, str]
    blast_radius: list[str] | None = None
    notes: list[str] | None = None
    guidelines: SkipJsonSchema[list[str] | None] = None
    next: str
    report: Annotated[Hidden, HIDDEN] = None
    picture: Annotated[Hidden, HIDDEN] = None
    whole: Annotated[Hidden, HIDDEN] = None

    def resource_links(self) -> dict[str, str]:
        """The whole plan, and its picture."""
        return {name: uri for name, uri in (("plan", self.report), ("picture", self.picture)) if uri}


@tool(
    toolset="engine",
    title="Plan a change",
    command="plan",
    effect="record",
    example={"config": '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'},
)
async def plan_config(args: PlanConfigInput, ctx: Context) -> PlanConfigOutput:
    """Plan what applying a configuration would change, cost and risk; a person approves it before anything changes."""
    if args.back_to and (args.config or args.destroy):
        raise InvalidInputError("back_to goes without config and destroy", hint="give one of them")
    if not (args.back_to or args.config or args.destroy):
        raise InvalidInputError("there is nothing to plan", hint="give a config, or destroy = true, or back_to")
    plan = await planned(args, ctx)
    answer = plan_answer(plan, ctx, (await ctx.engine()).choices.command)
    return answer.model_copy(update={"guidelines": await guidelines_for(_terms(plan), ctx) or None})


def _terms(plan: "Plan") -> set[str]:
    """What a plan is about, in words that a guideline may name: kinds, providers, engines."""
    found: set[str] = {plan.kind}
    for step in plan.steps:
        values = step.wanted["values"] if step.wanted is not None else {}
        found |= {step.address.partition(".")[0], step.provider, str(values.get("engine") or "")}
    return found


async def planned(args: PlanConfigInput, ctx: Context) -> "Plan":
    """The plan that is asked for; it is kept. Raises InvalidInputError for a configuration with errors."""
    from prov_tools.loading import prices_if_readable  # noqa: PLC0415 - the models cost 60 ms, paid by the first call

    engine = await ctx.engine()
    book, unpriced = await asyncio.to_thread(prices_if_readable, ctx)
    by = ctx.principal.subject
    if args.back_to:
        return await engine.plan_back(args.back_to, by=by, book=book)
    if args.destroy:
        described = await _described(args.config, ctx) if args.config else frozenset[str]()
        return await engine.plan(None, by=by, only=frozenset(args.only or ()), described=described, book=book)
    config, findings, source = await _checked(str(args.config), ctx)
    notes = [unpriced] if unpriced else []
    only = frozenset(args.only or ())
    return await engine.plan(config, by=by, source=source, only=only, book=book, findings=findings, notes=notes)


async def _described(text: str, ctx: Context) -> frozenset[str]:
    """The addresses that a configuration describes."""
    from prov_judge.changes.things import things  # noqa: PLC0415 - as above
    from prov_tools.loading import loaded  # noqa: PLC0415 - as above

    return frozenset(things((await loaded(text, ctx)).config))


async def _checked(text: str, ctx: Context) -> "tuple[InfrastructureConfig, list[str], str]":
    """The configuration, its warnings, and the file that it stands in ("" for a text)."""
    from prov_gen.layers.pipeline import validate  # noqa: PLC0415 - as above
    from prov_gen.source import read_source  # noqa: PLC0415 - as above

    source = await asyncio.to_thread(read_source, text, ctx.workspace)
    verdict = await validate(
        source,
        nickel=ctx.nickel,
        workspace=ctx.workspace,
        today=ctx.today(),
        pricer=ctx.pricer,
        monthly_budget=ctx.defaults.monthly_budget,
        report=ctx.report,
    )
    errors = [one for one in verdict.findings if one.severity == "error"]
    if errors or verdict.config is None:
        first = f"{errors[0].path}: {errors[0].message}" if errors else "it cannot be read"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidInputError(
            f"{source.name} has errors: {first}{more}",
            hint="`prov validate` (validate_config) lists them; nothing is planned for a configuration with errors",
        )
    warnings = [f"{one.code} {one.path}: {one.message}" for one in verdict.findings if one.severity == "warning"]
    return verdict.config, warnings, source.name if source.path is not None else ""


def plan_answer(plan: "Plan", ctx: Context, command: str) -> PlanConfigOutput:
    """A plan as an answer: the rows that fit, the rest counted, links to the whole."""
    from provisioning.plan.picture import as_svg  # noqa: PLC0415 - drawn when it is read
    from provisioning.plan.words import as_text, blast_radius, summary  # noqa: PLC0415 - as above

    most = ctx.defaults.max_rows or None
    left_out = [f"left out: {address}: {why}" for address, why in plan.left_out.items()]
    notes = [*left_out, *plan.notes, *plan.findings]
    keep = ctx.reports.keep if ctx.reports else None
    return PlanConfigOutput(
        plan_id=plan.id,
        summary=summary(plan),
        steps=[_row(step) for step in plan.steps[:most]],
        cost_delta=_delta(plan),
        compliance=dict(plan.compliance),
        blast_radius=_some(blast_radius(plan), most) or None,
        notes=[
            *notes[:most],
            *omitted(len(notes) - len(notes[:most]), "note is", "notes are"),
            *omitted(len(plan.steps) - len(plan.steps[:most]), "step is", "steps are"),
        ]
        or None,
        next=f"{NEXT.format(prov=command, plan=plan.id)}, until {_until(plan)}" if plan.steps else NOTHING,
        report=keep(f"{plan.id}.txt", lambda: as_text(plan)) if keep else None,
        picture=keep(f"{plan.id}.svg", lambda: as_svg(plan)) if keep else None,
        whole=plan,
    )


def _delta(plan: "Plan") -> dict[str, float]:
    currencies = sorted({*plan.cost_before, *plan.cost_after})
    return {one: round(float(plan.cost_after.get(one, 0)) - float(plan.cost_before.get(one, 0)), 2) for one in currencies}


def _row(step: "PlanStep") -> str:
    from provisioning.plan.words import field_words  # noqa: PLC0415 - as above

    why = "; ".join([*step.why, *(field_words(step) if step.action == "update" else [])][:4])
    said = (("downtime", step.downtime), ("data loss", step.data_loss), ("way back", step.rollback))
    return (
        f"{step.wave}. {step.title}" + (f" ({why})" if why else "") + "".join(f"; {word}: {text}" for word, text in said if text)
    )


def _some(rows: Sequence[str], most: int | None) -> list[str]:
    return [*rows[:most], *omitted(len(rows) - len(rows[:most]), "more is", "more are")]


def _until(plan: "Plan") -> str:
    return datetime.fromtimestamp(plan.expires_at, UTC).strftime("%H:%M UTC")
