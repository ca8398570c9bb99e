"""What is not as recorded, resource by resource; green when nothing is."""

from rich.text import Text
from rich.tree import Tree

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_tools.engine.state import DriftOutput

STYLES = {"in_sync": "warning", "changed": "warning", "missing": "error", "unmanaged": "info"}


def show(answer: Answer) -> None:
    """Print it."""
    found = answer.output
    assert isinstance(found, DriftOutput)
    out = answer.session.out
    for one in found.drifted:
        tree = Tree(
            Text.assemble((one.state.replace("_", " "), STYLES[one.state]), "  ", (visible(one.address), "name")),
            guide_style="quiet",
        )
        for difference in one.differs:
            tree.add(Text(visible(difference)))
        out.print(tree)
    for problem in found.problems:
        out.print(Text.assemble(("not seen  ", "error"), visible(problem)), soft_wrap=True)
    out.print(Text(visible(found.summary), "good" if found.passed() and not found.drifted else "heading"), soft_wrap=True)
    if any(one.state in {"changed", "missing"} for one in found.drifted):
        told = f"\nNext:\n  {answer.session.command} plan FILE     what would bring it back; or change FILE to what it is now"
        answer.session.notes.print(told, soft_wrap=True)
