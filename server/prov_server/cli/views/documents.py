"""Answers that are also documents: `--format markdown` prints one instead of the table, `--output FILE` writes it."""

from collections.abc import Callable, Mapping
from pathlib import PurePath

import click
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.writing import STDOUT, write_new
from stratumops.errors import InvalidInputError

Documents = Mapping[str, Callable[[], str]]
"""Format -> what makes the document."""

TERMINAL = "text"
"""The format that is no document: the table on the terminal."""

SUFFIXES = {".md": "markdown", ".json": "json", ".svg": "svg", ".sarif": "sarif", ".xml": "junit"}
"""Which format a file's name asks for where nobody said."""


def write_document(answer: Answer, documents: Documents) -> None:
    """Write the document that `--output` asks for. Raises InvalidInputError and what `write_new` raises."""
    target = answer.extras.get("output")
    if not target or target == STDOUT:
        return
    form = _format(answer, documents) or SUFFIXES.get(PurePath(target).suffix.lower())
    if form is None or form not in documents:
        raise InvalidInputError(
            f"{target} does not say which format it is to have", hint=f"add --format, one of {', '.join(documents)}"
        )
    for written in write_new({target: documents[form]()}, force=bool(answer.extras.get("force"))):
        answer.session.notes.print(Text.assemble(("wrote ", "good"), visible(written)), soft_wrap=True)


def show_document(answer: Answer, documents: Documents) -> bool:
    """Print the document that `--format` asks for, exactly as it is; answers whether it was one (or is in a file)."""
    form = _format(answer, documents)
    target = answer.extras.get("output")
    if form is None and target in (None, STDOUT):
        return False
    if form is not None and target in (None, STDOUT):
        click.echo(documents[form](), nl=False)
    return form is not None


def _format(answer: Answer, documents: Documents) -> str | None:
    form = answer.extras.get("format")
    return None if form in (None, TERMINAL) or form not in documents else form
