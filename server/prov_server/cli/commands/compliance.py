"""`prov compliance list` and `explain`: the checks themselves. `prov compliance check` comes from the tool."""

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session

if TYPE_CHECKING:
    from rich.console import Console

    from prov_judge.compliance.model import Check

# The ids of `FRAMEWORKS`, which `--help` need not import the models for; a test holds the two together.
FRAMEWORK_IDS = ("soc2", "hipaa", "gdpr", "pci")


class CheckId(click.ParamType[Any]):
    """The id of a check such as ENC-01; shells complete it."""

    name = "check"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002 - click's signature
        """Every id that begins so, with its title."""
        from click.shell_completion import CompletionItem

        from prov_judge.compliance.checks import checks

        return [CompletionItem(one.id, help=one.title) for one in checks() if one.id.startswith(incomplete.upper())]


def _list(framework: str | None) -> None:
    from prov_judge.compliance.checks import checks

    session = Session.current()
    shown = [check for check in checks() if framework is None or framework in check.controls]
    if session.as_json:
        session.say_json([_row(check) for check in shown])
        return
    session.out.print(_table(shown))
    automatable = sum(check.is_automatable for check in shown)
    session.out.print(f"\n{automatable} of {len(shown)} checks can be decided from a configuration")
    session.notes.print("prov compliance explain CHECK tells what one is for", style="quiet")


def _explain(check: str) -> None:
    from prov_judge.compliance.checks import find_check

    session = Session.current()
    one = find_check(check)
    if session.as_json:
        session.say_json(_row(one) | _details(one))
        return
    _tell(session.out, one)


def _row(check: "Check") -> dict[str, Any]:
    return {
        "id": check.id,
        "title": check.title,
        "severity": check.severity,
        "kind": check.kind,
        "frameworks": list(check.controls),
        "automatable": check.is_automatable,
        "reason": check.reason or None,
    }


def _details(check: "Check") -> dict[str, Any]:
    from prov_judge.compliance.examples import examples

    passing, failing = examples(check)
    return {
        "why": check.why,
        "fix": check.fix,
        "change": dict(check.change),
        "controls": {framework: list(ids) for framework, ids in check.controls.items()},
        "control_note": check.control_note or None,
        "checkov": list(check.checkov),
        "prowler": list(check.prowler),
        "passing": passing,
        "failing": failing,
    }


def _table(shown: "list[Check]") -> Any:
    from rich.table import Table

    from prov_server.cli.views.compliance import SEVERITY_STYLES

    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("check", "severity", "kind", "asks", "frameworks"):
        table.add_column(heading, overflow="fold", no_wrap=heading in {"check", "severity"})
    for check in shown:
        asks = Text(visible(check.title))
        if not check.is_automatable:
            asks.append(f" (no program can tell: {visible(check.reason)})", "quiet")
        # Most checks serve every framework: their names in each row would leave no room for the question.
        asked_by = "all" if len(check.controls) == len(FRAMEWORK_IDS) else ", ".join(check.controls)
        severity = Text(check.severity, SEVERITY_STYLES[check.severity])
        table.add_row(Text(check.id, "name"), severity, check.kind, asks, asked_by)
    return table


def _tell(out: "Console", check: "Check") -> None:
    from textwrap import indent

    from prov_gen.nickel import nickel_literal
    from prov_judge.compliance.examples import examples
    from prov_judge.compliance.model import FRAMEWORKS
    from prov_server.cli.highlight import show_code
    from prov_server.cli.views.compliance import SEVERITY_STYLES

    out.print(Text.assemble((check.id, "name"), "  ", (check.title, "heading")), soft_wrap=True)
    kinds = ", ".join((check.kind, *check.also))
    out.print(Text.assemble("\n", (check.severity, SEVERITY_STYLES[check.severity]), f"; looks at: {kinds}"), soft_wrap=True)
    parts = [("why", check.why), ("how to mend it", check.fix), ("cannot be decided from a configuration", check.reason)]
    for heading, words in parts:
        if words:
            out.print(Text.assemble(f"\n{heading}\n  ", visible(words)), soft_wrap=True)
    for which, example in zip(("passes", "fails"), examples(check), strict=True):
        if example is not None:
            out.print(f"\na configuration that {which}")
            show_code(out, indent(nickel_literal(example), "  "))
    out.print("\nasked by")
    for framework, ids in check.controls.items():
        out.print(f"  {FRAMEWORKS[framework]}: {', '.join(ids)}", soft_wrap=True)
    if check.control_note:
        out.print(f"  {check.control_note}", soft_wrap=True)
    for peer, names in (("checkov", check.checkov), ("prowler", check.prowler)):
        if names:
            out.print(f"\nthe same in {peer}\n  {', '.join(names)}", soft_wrap=True)


def compliance_commands() -> list[Command]:
    """The commands that only a person has; they join the tool's in the group `prov compliance`."""
    framework = RichOption(
        ["--framework"], type=click.Choice(FRAMEWORK_IDS), default=None, help="Only the checks of this framework"
    )
    check = RichArgument(["check"], type=CheckId(), help="Its id, such as ENC-01")
    return [
        Command(
            "list", callback=_list, params=[framework], help="List the checks: severity, kind, frameworks, whether decidable."
        ),
        Command("explain", callback=_explain, params=[check], help="Tell what a check asks, why, and how to mend it."),
    ]
