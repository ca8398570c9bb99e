"""How an answer looks in a terminal: one module a tool, and a view for any tool that has none of its own.

A view module has `show(answer)`; it may have `act(answer)`, which does what a person's own options ask for (`--output`),
with `--json` too. The answer's words come from the tool; a view only lays them out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from rich_click import RichOption

from prov_server.cli.commands.plan import graph_options
from stratumops.tool import Tool, ToolOutput

if TYPE_CHECKING:
    from prov_server.cli.session import Session

VIEWS = {
    "generate_config": "generate",
    "validate_config": "validate",
    "get_schema": "schema",
    "toolsets": "toolsets",
    "review_config": "review",
    "estimate_cost": "estimate",
    "prices_status": "prices",
    "check_compliance": "compliance",
    "export_config": "export",
    "import_terraform": "export",
    "plan_migration": "migration",
    "plan_config": "plan",
    "execute_workflow": "plan",
    "apply_plan": "operation",
    "operation_status": "operation",
    "query_infrastructure": "query",
    "search_docs": "documents_found",
    "troubleshoot": "hypotheses",
    "list_resources": "resources",
    "list_workflows": "workflows",
    "detect_drift": "drift",
    "refresh_state": "drift",
    "audit_list": "audit",
    "audit_verify": "audit",
    "vault_list": "vault_list",
    "vault_status": "vault_status",
}
"""The module of each tool's view; any other tool is shown by `generic`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to show. `arguments` is what the tool got, `stated` what the person typed, `extras` the person's own options."""

    tool: Tool[Any, Any, Any]
    output: ToolOutput
    arguments: dict[str, Any]
    stated: dict[str, Any]
    extras: dict[str, Any]
    session: "Session"


@dataclass(frozen=True, slots=True)
class View:
    """What a view module offers."""

    show: Callable[[Answer], None]
    act: Callable[[Answer], None]


def view_of(tool: str) -> View:
    """The view of a tool's answers."""
    module = import_module(f"{__name__}.{VIEWS.get(tool, 'generic')}")
    return View(module.show, getattr(module, "act", _nothing))


def _nothing(answer: Answer) -> None:
    """A view whose tool has no options of a person's own."""


def _writing_options() -> list[click.Parameter]:
    panel = "Writing files"
    return [
        RichOption(["--output", "-o"], type=click.Path(), metavar="FILE", panel=panel, help="Write the configuration here"),
        RichOption(["--split"], type=click.Path(), metavar="FOLDER", panel=panel, help="Write it here, split into files"),
        RichOption(["--force"], is_flag=True, default=False, panel=panel, help="Overwrite files that exist"),
    ]


def _report_options(*formats: str) -> list[click.Parameter]:
    """A document instead of the table, and a file for it: `views.documents` does both."""
    panel = "Writing files"
    choice = click.Choice(["text", *formats])
    return [
        RichOption(["--format"], type=choice, default="text", help=f"Print the table, or {' or '.join(formats)} [default: text]"),
        RichOption(
            ["--output", "-o"], type=click.Path(), metavar="FILE", panel=panel, help="Write it here (the ending may say how)"
        ),
        RichOption(["--force"], is_flag=True, default=False, panel=panel, help="Overwrite a file that exists"),
    ]


def _picture_options() -> list[click.Parameter]:
    panel = "Writing files"
    return [
        RichOption(["--svg"], type=click.Path(), metavar="FILE", panel=panel, help="Draw the cost as bars, as SVG"),
        RichOption(["--png"], type=click.Path(), metavar="FILE", panel=panel, help="Draw the cost as bars, as PNG"),
        RichOption(["--force"], is_flag=True, default=False, panel=panel, help="Overwrite files that exist"),
    ]


def _output_options(what: str, metavar: str) -> list[click.Parameter]:
    panel = "Writing files"
    return [
        RichOption(["--output", "-o"], type=click.Path(), metavar=metavar, panel=panel, help=f"Write {what} here"),
        RichOption(["--force"], is_flag=True, default=False, panel=panel, help="Overwrite files that exist"),
    ]


PERSON_NOTES = {
    "toolsets": "Switching is for running servers: an assistant asks its own. For all of them, set mcp.toolsets in prov.toml.",
    "generate_config": "Exits with 1 when the configuration does not pass validation.",
    "review_config": "Exits with 1 when it is not valid, or a check fails that nobody waived.",
    "estimate_cost": "Exits with 1 when --budget is exceeded.",
    "check_compliance": "Exits with 1 when a check fails that nobody waived.",
    "audit_verify": "`prov audit verify` also takes a copied folder and a key. Exits with 1 when something is wrong.",
}
"""What help adds for a person to a tool's description, which is written for a model."""

PERSON_OPTIONS: dict[str, Callable[[], list[click.Parameter]]] = {
    "generate_config": _writing_options,
    "estimate_cost": _picture_options,
    "check_compliance": partial(_report_options, "markdown", "sarif", "sarif-whole", "junit", "json", "diff"),
    "export_config": partial(_output_options, "the files", "FOLDER"),
    "import_terraform": partial(_output_options, "the configuration", "FILE"),
    "review_config": partial(_report_options, "markdown"),
    "plan_config": graph_options,
    "plan_migration": partial(_report_options, "markdown", "svg", "json"),
}
"""Options that only a person has, by tool. They are here because help needs them before any view is imported."""
