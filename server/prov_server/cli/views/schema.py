"""A schema: a table of its fields, or its text."""

import json

from rich.table import Table
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.highlight import show_code
from prov_server.cli.views import Answer
from prov_tools.config import GetSchemaOutput


def show(answer: Answer) -> None:
    """Print the schema, or the list of schemas when none was named."""
    output = answer.output
    assert isinstance(output, GetSchemaOutput)
    out = answer.session.out
    text = output.text
    if text is not None:
        language = str(answer.arguments.get("format", "nickel"))
        if language == "json":
            text = json.dumps(json.loads(text), ensure_ascii=False, indent=2)
        show_code(out, text, language)
        return
    if output.fields:
        table = Table(box=None, header_style="quiet", pad_edge=False)
        out.print(Text(output.name, "heading"))
        for heading in ("field", "type", "default", "description"):
            table.add_column(heading, overflow="fold")
        for field in output.fields:
            table.add_row(
                Text(field.path, "name"),
                Text(visible(field.type)),
                Text(visible(field.default), "quiet"),
                Text(visible(field.description)),
            )
        out.print(table)
        return
    for name in output.names:
        out.print(Text(name, "name"))
    answer.session.notes.print("prov schema show NAME shows its fields", style="quiet")
