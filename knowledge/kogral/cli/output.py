"""How answers look: JSON for programs, lines and tables for people."""

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import click

from kogral.knowledge import Knowledge
from kogral.node import Node


def say_json(value: Any) -> None:
    """A value as JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


def visible(text: str) -> str:
    """The text without what moves a terminal's cursor."""
    return "".join(char if char in "\n\t" or unicodedata.category(char)[0] != "C" else "?" for char in text)


def say_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Columns, each as wide as its widest cell; the last one is not filled."""
    cells = [tuple(visible(cell) for cell in row) for row in rows]
    widths = [max(len(row[at]) for row in [tuple(head), *cells]) for at in range(len(head))]
    for number, row in enumerate([tuple(head), *cells]):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        click.echo(click.style(line, dim=True) if number == 0 else line)


def say_node(node: Node, verb: str) -> None:
    """That a node was written."""
    click.echo(f"{click.style(verb, fg='green')} {node.type} {click.style(node.id, bold=True)}")
    if node.path:
        click.echo(click.style(f"  {node.path}", dim=True))


def warn(knowledge: Knowledge) -> None:
    """Say which files are no nodes."""
    problems = knowledge.problems
    for one in problems[:5]:
        click.echo(click.style(f"warning: {visible(one.path)}: {visible(one.message)}", fg="yellow"), err=True)
    if len(problems) > 5:
        click.echo(click.style(f"warning: {len(problems) - 5} more: kogral doctor", fg="yellow"), err=True)
