"""Secrets as a table: paths, fields, versions and marks."""

from prov_server.cli.console import visible
from prov_server.cli.views import Answer
from prov_server.cli.views.columns import Row, print_columns
from prov_tools.vault.listing import SecretRow, VaultListOutput


def show(answer: Answer) -> None:
    """Print a line for each secret."""
    output = answer.output
    assert isinstance(output, VaultListOutput)
    if not output.secrets:
        answer.session.notes.print("there are no secrets: prov vault store secret/myapp password", style="quiet")
        return
    heading: Row = [(word, "quiet") for word in ("secret", "fields", "version", "updated", "")]
    print_columns(answer.session.out, [heading, *map(_row, output.secrets)], "llrll", (1, 0))
    if any(row.needs_rotation for row in output.secrets):
        answer.session.notes.print("a model has seen what needs rotation: prov vault rotate HANDLE", style="quiet")


def _row(row: SecretRow) -> Row:
    mark = ("deleted", "quiet") if row.deleted else ("needs rotation", "warning") if row.needs_rotation else ("", "")
    fields = ", ".join(handle.rpartition("#")[2] for handle in row.handles)
    time = row.updated.partition(".")[0].replace("T", " ")
    return [(visible(row.path), "name"), (visible(fields), ""), (str(row.version), ""), (time, "quiet"), mark]
