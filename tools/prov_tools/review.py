"""The tool `review_config`: all judges in one short answer, with addresses of the wholes."""

import asyncio
import json
from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.knowledge.guidelines import guidelines_for
from prov_tools.loading import loaded, prices_if_readable
from stratumops.schema import compact_dump
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool

if TYPE_CHECKING:
    from prov_gen.model.infrastructure import InfrastructureConfig
    from prov_judge.review.model import Review

MOST_CHARACTERS = 1_560
"""Of the answer as compact JSON: 600 tokens of 2.6 characters. What is measured has more than three (o200k)."""
MOST_ROWS = 5
MOST_TEXT = 130
SHAPE = 1
"""The layer that says whether the models take the values at all."""
WEIGHT = ("error", "critical", "high", "warning", "medium", "low")
"""Findings and failed checks by what matters first."""


class ReviewConfigInput(ToolInput):
    """What to review; `against` is for people, as in `estimate_cost`."""

    config: ConfigText
    against: Annotated[SkipJsonSchema[ConfigText | None], Field(description="What runs today, to show what changes")] = None


class ReviewConfigOutput(ToolOutput):
    """All in short: the worst problems, what a month costs by currency, the checks that pass by framework, the best savings."""

    passes: bool
    summary: str
    problems: list[str]
    cost: dict[str, str]
    compliance: dict[str, str]
    savings: list[str]
    links: dict[str, str] | None = None
    guidelines: SkipJsonSchema[list[str] | None] = None
    changes: SkipJsonSchema[str | None] = None
    whole: Annotated[Hidden, HIDDEN] = None

    def passed(self) -> bool:
        """False when it is not valid or a check fails."""
        return self.passes

    def resource_links(self) -> dict[str, str]:
        """Every report."""
        return self.links or {}


@tool(
    toolset="config",
    title="Review configuration",
    command="review",
    effect="read",
    example={"config": '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'},
)
async def review_config(args: ReviewConfigInput, ctx: Context) -> ReviewConfigOutput:
    """Validate, price and judge by every framework in one call; short, with links to the wholes."""
    from prov_gen.layers.pipeline import validate  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them
    from prov_gen.source import read_source  # noqa: PLC0415 - as above
    from prov_judge.review.review import review  # noqa: PLC0415 - as above

    source = await asyncio.to_thread(read_source, args.config, ctx.workspace)
    verdict = await validate(
        source,
        nickel=ctx.nickel,
        workspace=ctx.workspace,
        today=ctx.today(),
        pricer=ctx.pricer,
        monthly_budget=ctx.defaults.monthly_budget,
        report=ctx.report,
    )
    against = await loaded(args.against, ctx) if args.against else None

    def work() -> "Review":
        book, unpriced = prices_if_readable(ctx)
        # What the models refuse is replaced by defaults to find more faults; those are nobody's wishes and have no price.
        is_whole = not any(one.layer == SHAPE and one.severity == "error" for one in verdict.findings)
        return review(
            verdict.config if is_whole else None,
            name=source.name,
            is_valid=verdict.valid,
            findings=verdict.findings,
            resources=verdict.resources,
            book=book,
            notes=(unpriced,) if unpriced else (),
            today=ctx.today(),
            against=against.config if against else None,
        )

    found = await asyncio.to_thread(work)
    guidelines = await guidelines_for([*verdict.resources, *_named(verdict.config)], ctx)
    return fitted(_answer(found, _links(found, ctx)).model_copy(update={"guidelines": guidelines or None}))


def _named(config: "InfrastructureConfig | None") -> list[str]:
    """The provider and the engines of databases and caches: what guidelines may name beside kinds."""
    if config is None:
        return []
    from prov_judge.changes.things import things  # noqa: PLC0415 - as above

    return [str(config.provider), *(str(one.values.get("engine") or "") for one in things(config).values())]


def fitted(answer: ReviewConfigOutput) -> ReviewConfigOutput:
    """The answer within `MOST_CHARACTERS`: the rows are in order of weight, so what does not fit goes from the end."""
    for rows in (answer.savings, answer.problems):
        while rows and len(_json(answer)) > MOST_CHARACTERS:
            rows.pop()
    return answer


def _json(answer: ReviewConfigOutput) -> str:
    return json.dumps(compact_dump(answer), separators=(",", ":"), ensure_ascii=False)


def _answer(found: "Review", links: dict[str, str] | None) -> ReviewConfigOutput:
    from prov_judge.compliance.summary import summarise  # noqa: PLC0415 - as above
    from prov_judge.migration.words import summary  # noqa: PLC0415 - as above
    from prov_judge.review.words import costs, counted  # noqa: PLC0415 - as above

    failures = found.failures()
    points = [one for one in found.findings if one.severity != "info"]
    estimate = found.estimate
    savings = sorted(estimate.savings, key=lambda one: -one.monthly) if estimate else []
    said = [
        "valid" if found.is_valid else "not valid",
        counted(len(points), "finding"),
        counted(len(failures), "failed check"),
        *([counted(len(estimate.unpriced), "part") + " without a price"] if estimate and estimate.unpriced else []),
        *([counted(len(savings), "way") + " to save"] if estimate else found.notes),
    ]
    problems = [
        *(
            (WEIGHT.index(one.severity), f"{one.severity} {one.code} {one.path}: {one.fix or one.message}")
            for one in points[:MOST_ROWS]
        ),
        *(
            (WEIGHT.index(one.check.severity), f"{one.check.severity} {one.check.id} {one.result.address}: {one.result.fix}")
            for one in failures[:MOST_ROWS]
        ),
    ]
    return ReviewConfigOutput(
        passes=found.is_passed,
        summary=", ".join(said),
        problems=[_short(text) for _, text in sorted(problems, key=lambda one: one[0])],
        cost=costs(estimate) if estimate else {},
        compliance={one.framework: summarise(one).short for one in found.assessments},
        savings=[_short(f"{one.address}: {one.change}; saves {one.monthly:,.2f} {one.currency}") for one in savings[:MOST_ROWS]],
        links=links,
        changes=summary(found.migration) if found.migration else None,
        whole=found,
    )


def _links(found: "Review", ctx: Context) -> dict[str, str] | None:
    """Addresses of the wholes: the review for a person, each judge's answer for a program."""
    if ctx.reports is None:
        return None
    from prov_judge.review.documents import documents  # noqa: PLC0415 - as above

    return {name: ctx.reports.keep(file, make) for name, (file, make) in documents(found).items()}


def _short(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[: MOST_TEXT - 1]}…"
