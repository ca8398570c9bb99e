"""The workflows that can be run, with their parameters."""

from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_tools.engine.workflows import ListWorkflowsOutput


def show(answer: Answer) -> None:
    """Print them."""
    assert isinstance(answer.output, ListWorkflowsOutput)
    out = answer.session.out
    for one in answer.output.workflows:
        out.print(
            Text.assemble((visible(one.id), "name"), f"  {visible(one.name)}", (f"  {one.origin}", "quiet")), soft_wrap=True
        )
        for name, kind in one.parameters.items():
            out.print(Text.assemble("    ", (visible(name), ""), (f"  {visible(kind)}", "quiet")), soft_wrap=True)
        if one.problem:
            out.print(Text.assemble("    ", ("cannot be run: ", "error"), visible(one.problem)), soft_wrap=True)
    told = f"\nNext:\n  {answer.session.command} workflow run ID --set NAME=VALUE --dry-run"
    answer.session.notes.print(told, style="quiet", soft_wrap=True)
