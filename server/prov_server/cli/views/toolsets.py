"""The toolsets as a table."""

from rich.table import Table
from rich.text import Text

from prov_server.cli.views import Answer
from prov_tools.core import ToolsetsOutput


def show(answer: Answer) -> None:
    """Print which toolsets there are, and which are on."""
    output = answer.output
    assert isinstance(output, ToolsetsOutput)
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for heading in ("", "toolset", "for", "tools"):
        table.add_column(heading, overflow="fold")
    for row in output.toolsets:
        mark = Text("✓", "good") if row.enabled else Text("✗", "quiet")
        table.add_row(mark, Text(row.name, "name"), row.description, Text(", ".join(row.tools), "quiet"))
    answer.session.out.print(table)
