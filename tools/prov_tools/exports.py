"""The toolset `config`, its doors to other tools: export to their formats, import from Terraform."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from prov_tools.arguments import ConfigText
from prov_tools.context import Context
from prov_tools.cost import omitted
from prov_tools.loading import loaded
from stratumops.tool import HIDDEN, Hidden, ToolInput, ToolOutput, tool


class NotCarriedRow(BaseModel):
    """A value that the other form has no place for."""

    path: str
    reason: str


class ExportConfigInput(ToolInput):
    """What to write in which format."""

    config: ConfigText
    format: Annotated[Literal["terraform", "cloudformation", "cloud-init", "kubernetes"], Field(description="Format")]


class ExportConfigOutput(ToolOutput):
    """Files by name, and what they do not carry. A text that is too long for the answer is a report; its address stands here."""

    format: str
    files: dict[str, str]
    not_carried: list[NotCarriedRow]
    notes: Annotated[list[str], Field(default_factory=list)]
    links: Annotated[Hidden, HIDDEN] = None

    def resource_links(self) -> dict[str, str]:
        """The files that are reports."""
        return self.links or {}


@tool(
    toolset="config",
    title="Export configuration",
    command="export",
    effect="read",
    default=False,
    example={"config": '{ provider = "aws", servers = [{ name = "web", plan = "t3.micro" }] }', "format": "terraform"},
)
async def export_config(args: ExportConfigInput, ctx: Context) -> ExportConfigOutput:
    """Write a configuration as Terraform JSON, CloudFormation, cloud-init or Kubernetes manifests; the rest is listed."""
    from prov_gen.export.formats import export  # noqa: PLC0415 - the models cost 60 ms, paid by the first call that needs them

    found = await loaded(args.config, ctx)
    made = await asyncio.to_thread(export, found.config, args.format)
    files, links = _fitted(made.files, ctx)
    rows = _rows(made.not_carried)
    shown = rows[: ctx.defaults.max_rows or None]
    return ExportConfigOutput(
        format=args.format,
        files=files,
        not_carried=shown,
        notes=omitted(len(rows) - len(shown), "value that is not carried is", "values that are not carried are"),
        links=links,
    )


def _fitted(files: Mapping[str, str], ctx: Context) -> tuple[dict[str, str], dict[str, str]]:
    """The files, and the addresses of those that do not fit into an answer."""
    left, shown, links = ctx.defaults.max_characters, dict[str, str](), dict[str, str]()
    for name, text in files.items():
        if ctx.reports is None or not ctx.defaults.max_characters or len(text) <= left:
            shown[name] = text
            left -= len(text)
        else:
            shown[name] = links[name] = ctx.reports.keep(name, partial(str, text))
    return shown, links


class ImportTerraformInput(ToolInput):
    """A Terraform file."""

    file: Annotated[ConfigText, Field(description="Terraform JSON, or its workspace path (.tf.json)")]


class ImportTerraformOutput(ToolOutput):
    """The same as Nickel, and what had no place in it."""

    config: str
    not_carried: list[NotCarriedRow]
    notes: Annotated[list[str], Field(default_factory=list)]


@tool(
    toolset="config",
    title="Import Terraform",
    command="import terraform",
    effect="read",
    default=False,
    example={"file": '{"resource": {"aws_instance": {"web": {"instance_type": "t3.micro", "ami": "ami-1"}}}}'},
)
async def import_terraform(args: ImportTerraformInput, ctx: Context) -> ImportTerraformOutput:
    """Read Terraform JSON into a typed Nickel configuration; what has no place in it is listed."""
    from prov_gen.export.import_ import import_terraform as read  # noqa: PLC0415 - as above
    from prov_gen.render import render  # noqa: PLC0415 - as above
    from prov_gen.source import read_source  # noqa: PLC0415 - as above

    source = await asyncio.to_thread(read_source, args.file, ctx.workspace)
    found = await asyncio.to_thread(read, source.text, source.name)
    rendered = await asyncio.to_thread(render, found.config)
    rows = _rows(found.not_carried)
    shown = rows[: ctx.defaults.max_rows or None]
    notes = omitted(len(rows) - len(shown), "value that is not carried is", "values that are not carried are")
    return ImportTerraformOutput(config=rendered.text, not_carried=shown, notes=notes)


def _rows(found: Any) -> list[NotCarriedRow]:
    from prov_gen.findings import path_text  # noqa: PLC0415 - as above

    return [NotCarriedRow(path=path_text(one.path), reason=one.reason) for one in found]
