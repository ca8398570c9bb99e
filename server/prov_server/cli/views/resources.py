"""Recorded resources as a table; what is not as recorded stands out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from provisioning.query import Answer as Found
from provisioning.resource import Recorded

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {"running": "good", "available": "good", "stopped": "warning", "pending": "warning", "failed": "error", "gone": "error"}


def show(answer: Answer) -> None:
    """Print the table."""
    rows = getattr(answer.output, "whole", None)
    assert isinstance(rows, list)
    if not rows:
        answer.session.out.print("nothing is recorded")
        return
    show_rows(answer.session.out, rows)
    serial = getattr(answer.output, "serial", 0)
    answer.session.notes.print(Text(f"{len(rows)} resources, serial {serial}", "quiet"))


def show_rows(out: "Console", rows: Sequence[Recorded]) -> None:
    """The rows as a table."""
    table = Table(box=None, header_style="quiet", pad_edge=False)
    for name in ("address", "provider", "region", "status", "id", "detail"):
        table.add_column(name, overflow="fold")
    for one in rows:
        status = f"{one.status}, drifted" if one.observed else one.status
        style = "warning" if one.observed else STYLES.get(one.status, "quiet")
        cells = (one.address, one.provider, one.region, Text(status, style), one.id, Found.detail(one))
        table.add_row(*(cell if isinstance(cell, Text) else visible(cell) for cell in cells))
    out.print(table)
