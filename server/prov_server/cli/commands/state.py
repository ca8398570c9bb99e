"""`prov state export` and `restore`: the whole state as one document, out and in."""

import asyncio
import json
from typing import Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command
from prov_server.cli.paths import typed_path
from prov_server.cli.session import Session
from stratumops.errors import InvalidInputError, NotFoundError

MAX_BYTES = 256 << 20
_MAKE = "`prov state export --output FILE` makes one"


def _export(output: str | None, serial: int | None, force: bool) -> None:
    from prov_server.cli.engines import opened
    from prov_server.cli.writing import write_new
    from provisioning.state.transfer import export, text

    session = Session.current()
    with opened(session) as here:
        store = here.run(here.engine.store())
        document = here.run(asyncio.to_thread(export, store, serial))
    if output is None:
        click.echo(text(document), nl=False)
        return
    for path in write_new({output: text(document)}, force=force, mode=0o600):
        session.notes.print(Text.assemble(("wrote ", "good"), path), soft_wrap=True)


def _restore(source: str, force: bool) -> None:
    from prov_server.cli.engines import opened
    from provisioning.state.holder import this_process
    from provisioning.state.store import Write
    from provisioning.state.transfer import restore
    from stratumops.principal import LOCAL

    session = Session.current()
    what: Any = int(source) if source.isdecimal() else _document(source)

    with opened(session) as here:
        store = here.run(here.engine.store())

        def work() -> Any:
            lease = store.acquire(this_process(), "state-restore")
            try:
                return restore(store, what, Write(lease, by=LOCAL.subject, reason=f"restore {source}"), force=force)
            finally:
                store.release(lease)

        head = here.run(asyncio.to_thread(work))
    if session.as_json:
        session.say_json({"serial": head.serial, "lineage": head.lineage})
    else:
        session.out.print(Text.assemble(("restored", "good"), f" as serial {head.serial}; nothing was changed at any provider"))


def _document(source: str) -> Any:
    path = typed_path(source)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InvalidInputError(f"{source} is larger than any state that was exported", hint="name an exported state")
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotFoundError(f"{source} cannot be read: {error.strerror}", hint=_MAKE) from None
    except ValueError:
        raise InvalidInputError(f"{source} is no exported state", hint=_MAKE) from None


def state_commands() -> list[click.Command]:
    """The commands of `prov state` that are for people; the tools join them."""
    return [
        Command(
            "export",
            callback=_export,
            params=[
                RichOption(["--output", "-o"], type=click.Path(), metavar="FILE", help="Write it here, readable by you alone"),
                RichOption(["--serial"], type=int, help="As of this serial; now when left out"),
                RichOption(["--force"], is_flag=True, default=False, help="Overwrite a file that exists"),
            ],
            help="Print the whole state as JSON; no secret is in it in clear.",
        ),
        Command(
            "restore",
            callback=_restore,
            params=[
                RichArgument(["source"], metavar="FILE|SERIAL", help="An exported state, or an older serial"),
                RichOption(
                    ["--force"], is_flag=True, default=False, help="Also a document of an older serial, or of another lineage"
                ),
            ],
            help="Record what a document or an older serial says, as a new serial. No machine is changed: apply does that.",
        ),
    ]
