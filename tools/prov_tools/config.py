"""The toolset `config`: generate, validate and look up typed configurations."""

import asyncio
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from stratumops.provider import Provider
from stratumops.tool import ToolInput, ToolOutput, tool


class Problem(BaseModel):
    """What is wrong with what, and how to mend it."""

    severity: Literal["error", "warning", "info"]
    code: str
    path: str
    message: str
    fix: str | None = None


class FindingRow(Problem):
    """A problem, the layer that found it, and its place in the text.

    `end_column` (exclusive) is for a face that underlines: it is neither sent nor described, to save tokens.
    """

    layer: int
    line: int | None = None
    column: int | None = None
    end_column: Annotated[SkipJsonSchema[int | None], Field(exclude=True)] = None
    file: str | None = None


class GenerateConfigInput(ToolInput):
    """A description and what narrows it."""

    description: Annotated[str, Field(description="In English or Spanish", max_length=20_000)]
    provider: Annotated[Provider | None, Field(description="Inferred when left out")] = None
    resource_type: Annotated[Literal["server", "network", "cluster", "database"] | None, Field(description="Only this kind")] = (
        None
    )
    split: Annotated[bool, Field(description="Also split into files")] = True


class GenerateConfigOutput(ToolOutput):
    """The configuration and how it came about: `unplaced` are wishes that found no place, `files` the same split."""

    config: str
    valid: bool
    understood: list[str]
    assumed: list[str]
    unplaced: list[str]
    findings: list[Problem]
    files: dict[str, str] | None = None

    def passed(self) -> bool:
        """Valid or not: in a shell, a text that validation refuses ends with 1, as `prov validate` of it would."""
        return self.valid


@tool(
    toolset="config",
    title="Generate configuration",
    command="mcp generate",
    aliases=("generate",),
    effect="read",
    example={"description": "a 3-node Kubernetes cluster with Cilium on UpCloud"},
)
async def generate_config(args: GenerateConfigInput, ctx: Context) -> GenerateConfigOutput:
    """Turn a description of infrastructure into typed, validated Nickel. Nothing is created."""
    from prov_gen.generate import generate  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them

    made = await generate(
        args.description,
        provider=args.provider,
        resource_type=args.resource_type,
        default_provider=ctx.defaults.provider,
        environment=ctx.defaults.environment,
        nickel=ctx.nickel,
        today=ctx.today(),
        report=ctx.report,
    )
    return GenerateConfigOutput(
        config=made.text,
        valid=made.valid,
        understood=made.understood,
        assumed=made.assumed,
        unplaced=made.unplaced,
        findings=[_problem(finding) for finding in made.findings],
        files=made.files if args.split else None,
    )


class ValidateConfigInput(ToolInput):
    """A configuration to judge."""

    config: ConfigText
    strict: Annotated[bool, Field(description="Warnings fail too")] = True


class ValidateConfigOutput(ToolOutput):
    """The verdict and its reasons: `omitted` counts findings beyond the limit, `resources` the records of each kind."""

    valid: bool
    findings: list[FindingRow]
    errors: int
    warnings: int
    omitted: int | None = None
    resources: dict[str, int]

    def passed(self) -> bool:
        """Valid or not."""
        return self.valid


@tool(
    toolset="config",
    title="Validate configuration",
    command="mcp validate",
    aliases=("validate",),
    effect="read",
    example={"config": '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }'},
)
async def validate_config(args: ValidateConfigInput, ctx: Context) -> ValidateConfigOutput:
    """Check a configuration in seven layers; findings say what is wrong, where and how to mend it."""
    from prov_gen.layers.pipeline import validate  # noqa: PLC0415 - as above
    from prov_gen.source import read_source  # noqa: PLC0415 - as above

    verdict = await validate(
        await asyncio.to_thread(read_source, args.config, ctx.workspace),
        nickel=ctx.nickel,
        workspace=ctx.workspace,
        today=ctx.today(),
        strict=args.strict,
        pricer=ctx.pricer,
        monthly_budget=ctx.defaults.monthly_budget,
        report=ctx.report,
    )
    shown = verdict.findings[: ctx.defaults.max_findings]
    return ValidateConfigOutput(
        valid=verdict.valid,
        findings=[_row(finding) for finding in shown],
        errors=verdict.count("error"),
        warnings=verdict.count("warning"),
        omitted=len(verdict.findings) - len(shown) or None,
        resources=verdict.resources,
    )


class GetSchemaInput(ToolInput):
    """Which schema, in which form."""

    name: Annotated[str | None, Field(description="Such as server; all are listed when left out", max_length=64)] = None
    format: Annotated[Literal["nickel", "json", "fields"], Field(description="Form")] = "fields"


class FieldRow(BaseModel):
    """One field of a schema."""

    path: str
    type: str
    default: str
    description: str


class GetSchemaOutput(ToolOutput):
    """A schema."""

    name: str
    names: list[str]
    text: str | None = None
    fields: list[FieldRow]


@tool(
    toolset="config",
    title="Get schema",
    command="schema show",
    effect="read",
    example={"name": "server"},
)
async def get_schema(args: GetSchemaInput, ctx: Context) -> GetSchemaOutput:  # noqa: ARG001 - every handler takes the context
    """Look up fields, types and defaults of a kind of resource before writing a configuration."""
    from prov_gen.schema import describe  # noqa: PLC0415 - as above

    found = describe(args.name or "", args.format)
    fields = [FieldRow(path=f.path, type=f.type, default=f.default, description=f.description) for f in found.fields]
    return GetSchemaOutput(name=found.name, names=list(found.names), text=found.text, fields=fields)


def _problem(finding: Any) -> Problem:
    return Problem(
        severity=finding.severity, code=finding.code, path=finding.path, message=finding.message, fix=finding.fix or None
    )


def _row(finding: Any) -> FindingRow:
    return FindingRow(
        **_problem(finding).model_dump(),
        layer=finding.layer,
        line=finding.line,
        column=finding.column,
        end_column=finding.end_column,
        file=finding.file,
    )
