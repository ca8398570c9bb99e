"""An answer about what there is: the sentence, how it was read, and the rows that it rests on."""

from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.resources import show_rows
from provisioning.query import Answer as Found


def show(answer: Answer) -> None:
    """Print the answer."""
    found = getattr(answer.output, "whole", None)
    assert isinstance(found, Found)
    out = answer.session.out
    out.print(Text(visible(found.answer), "heading"), soft_wrap=True)
    if found.rows:
        show_rows(out, found.rows)
    answer.session.notes.print(Text(f"read as: {visible(found.understood)}", "quiet"), soft_wrap=True)
    for cited in getattr(answer.output, "documents", None) or []:
        answer.session.notes.print(Text(f"see: {visible(cited)}", "quiet"), soft_wrap=True)
    for note in found.notes:
        answer.session.notes.print(Text(visible(note), "warning"), soft_wrap=True)
