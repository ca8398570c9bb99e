"""`prov audit`: look at one call, verify a copy of the audit elsewhere, export it, show its key. `prov audit list` is a tool."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command, Group
from prov_server.cli.paths import typed_path
from prov_server.cli.session import Session
from stratumops.errors import NotFoundError

LONGEST, SHOWN = 120, 40
"""Characters of one text that a person is shown whole, and of a longer one."""
COLUMNS = (
    "seq", "type", "call", "time", "principal", "face", "client",
    "tool", "effect", "decision", "code", "arguments", "result", "ms",
)  # fmt: skip
"""Of an export as CSV; `type` tells the line before a call that changes something from the line after a call."""


def _folder(session: Session) -> Path:
    from prov_tools.call_log import FOLDER

    return session.workspace.own / FOLDER


def _show(seq: int) -> None:
    from prov_server.cli.views.generic import show_value
    from prov_tools.call_log import CallLog

    session = Session.current()
    line = CallLog(_folder(session)).line(seq)
    if session.as_json:
        session.say_json(line)
    else:
        show_value(session.out, _shortened(line))


def _shortened(value: Any) -> Any:
    """A value whose long texts (a signature has 4,400 characters) are cut for a person."""
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_shortened(one) for one in value]
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:SHOWN]}... ({len(value):,} characters; --json shows all)"
    return value


def _verify(folder: str | None, public_key: str | None, expected_head: str | None) -> int:
    from prov_server.cli.views.audit import show_verified
    from prov_tools.audit import verified
    from stratumops.schema import compact_dump

    session = Session.current()
    found = verified(
        typed_path(folder) if folder else _folder(session), typed_path(public_key) if public_key else None, expected_head
    )
    if session.as_json:
        session.say_json(compact_dump(found))
    else:
        show_verified(session.out, found)
        if folder and not public_key:
            words = "the key came with the copy: compare it with what `prov audit key` printed where the audit was written"
            session.notes.print(words, style="warning", soft_wrap=True)
    return 0 if found.ok else 1


def _export(style: str, output: str | None, force: bool) -> None:
    from prov_server.cli.writing import write_new
    from prov_tools.call_log import CallLog

    session = Session.current()
    lines = CallLog(_folder(session)).lines()
    parts = _csv(lines) if style == "csv" else (line.decode("utf-8", "replace") for line in lines)
    if output is None or output == "-":
        for part in parts:
            click.echo(part, nl=False)
        return
    (path,) = write_new({output: "".join(parts)}, force=force, mode=0o600)
    session.notes.print(Text.assemble(("wrote ", "good"), path), soft_wrap=True)


def _csv(lines: Iterator[bytes]) -> Iterator[str]:
    """Calls alone; the chain's own records and hashes are in the JSON lines."""
    yield _row(COLUMNS)
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("type") in {"begun", "call"}:
            entry["seq"] = entry.get("chain", {}).get("seq")
            yield _row(tuple(entry.get(name) for name in COLUMNS))


def _row(cells: tuple[Any, ...]) -> str:
    """A client's name is its own text: a spreadsheet must not take it for a formula."""
    made = io.StringIO()
    safe = [f"'{one}" if isinstance(one, str) and one.startswith(("=", "+", "-", "@", "\t", "\r")) else one for one in cells]
    csv.writer(made, lineterminator="\n").writerow(safe)
    return made.getvalue()


def _key() -> None:
    from prov_tools.audit_key import as_pem, read_public
    from prov_tools.call_log import PUBLIC_FILE
    from svault.audit.records import key_id

    session = Session.current()
    path = _folder(session) / PUBLIC_FILE
    if not path.exists():
        raise NotFoundError("this workspace has no audit yet", hint="its key is made with the first call of a tool")
    public = read_public(path)
    if session.as_json:
        session.say_json({"algorithm": "ML-DSA-65", "fingerprint": key_id(public), "public_key": as_pem(public)})
        return
    click.echo(as_pem(public), nl=False)
    session.notes.print(Text.assemble(("fingerprint ", "quiet"), key_id(public)), soft_wrap=True)


def audit(load: Callable[[], None] | None = None) -> Group:
    """The group `prov audit`; `load` adds the tools that belong to it."""
    verify = [
        RichArgument(
            ["folder"],
            required=False,
            type=click.Path(),
            metavar="[FILE|FOLDER]",
            help="An export, or a copy of the audit's folder; this workspace's if left out",
        ),
        RichOption(["--public-key"], type=click.Path(), metavar="FILE", help="What `prov audit key` printed"),
        RichOption(["--expected-head"], metavar="SEQ:HASH", help="A head that was printed earlier and must still be there"),
    ]
    export = [
        RichOption(["--format", "style"], type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True, help="How"),
        RichOption(["--output", "-o"], type=click.Path(), metavar="FILE", help="Write it here instead of to stdout"),
        RichOption(["--force"], is_flag=True, default=False, help="Overwrite a file that exists"),
    ]
    show = [RichArgument(["seq"], type=click.IntRange(0), help="The line's number, as `prov audit list` shows it")]
    return Group(
        "audit",
        load=load,
        help="Who called which tool: list, show, verify and export the record",
        commands=[
            Command("show", callback=_show, params=list(show), help="Show one line of the audit, whole."),
            Command(
                "verify",
                callback=_verify,
                params=list(verify),
                help="Check every line, their order and every signature, offline. Exits with 1 when something is wrong.",
            ),
            Command("export", callback=_export, params=list(export), help="Write the whole audit out, oldest first."),
            Command("key", callback=_key, help="Print the public key that verifies the audit, and its fingerprint."),
        ],
    )
