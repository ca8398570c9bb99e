"""`prov vault read`: values are for people. They are shown on a terminal, or once on a page of the person's own browser.

A model that runs commands has no terminal: what it reads comes through a pipe. So a pipe gets no value, and no address of a page
that shows one either. This stops an assistant from reading a secret by the way, not a program that is out to deceive: whoever
runs as the same user can do what the user can.
"""

import sys
from typing import TYPE_CHECKING

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from prov_server.cli.vaults import with_vault
from stratumops.errors import NotFoundError, PermissionDeniedError, UnavailableError
from stratumops.handles import typed_handle

if TYPE_CHECKING:
    from prov_server.vault.access import VaultAccess

TERMINAL = "/dev/tty"


def _run(path: str, field: str | None, version: int | None, page: bool) -> None:
    session = Session.current()
    if not page and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PermissionDeniedError(
            "a value is shown to a person only, and this is no terminal: what a pipe gets, a model may read",
            hint="--page shows it once in your browser; a program asks Vault's API instead: prov vault serve",
        )
    if page:
        # A person may take minutes: others use the vault meanwhile.
        with_vault(session, lambda vault: _on_page(vault, session, path, field, version), shares_it=True)
        return
    values = with_vault(session, lambda vault: _values(vault, path, field, version))
    if session.as_json:
        session.say_json({name: value for (_, name), value in values.items()})
        return
    if len(values) == 1 and (field or typed_handle(path)):
        session.out.print(Text(visible(next(iter(values.values())))), soft_wrap=True)
        return
    width = max(len(name) for _, name in values)
    for (_, name), value in values.items():
        session.out.print(Text.assemble((visible(name).ljust(width), "name"), "  ", visible(value)), soft_wrap=True)


async def _values(vault: "VaultAccess", path: str, field: str | None, version: int | None) -> dict[tuple[str, str], str]:
    """The values by handle and field. Raises NotFoundError."""
    from prov_server.vault.access import text_of
    from prov_tools.vault.kv import Secret
    from prov_tools.vault.naming import named

    client = await vault.client()
    meant = await named(client, path)
    path, field, version = meant.path, field or meant.field, version or meant.version
    secret = await Secret.at(client, path)
    found = await secret.values(version)
    chosen = {name: value for name, value in found.items() if field in {None, name}}
    if not chosen:
        raise NotFoundError(
            f"{path!r} has no field {field!r}" if field else f"{path!r} has no fields",
            hint=f"it has: {', '.join(found) or 'none'}",
        )
    return {(secret.handle(name), name): text_of(value) for name, value in chosen.items()}


async def _on_page(vault: "VaultAccess", session: Session, path: str, field: str | None, version: int | None) -> None:
    from prov_server.vault.pages import Showing

    values = await _values(vault, path, field, version)
    page = await vault.pages.open(Showing({handle: value for (handle, _), value in values.items()}))
    if not _tell_person(page.url):
        raise UnavailableError(
            "there is neither a browser nor a terminal here to which the page's address could be given",
            hint="its address is given to a person only; run this command in a terminal",
        )
    session.notes.print("a page for you is open, once, for five minutes; this command ends with it", style="quiet")
    await page.closed()
    if not page.is_used:
        raise NotFoundError("the page was not used in time", hint="run the same command again")


def _tell_person(url: str) -> bool:
    """Give an address to the person at this machine, and to nobody who only reads our output."""
    import webbrowser

    try:
        if webbrowser.open(url):
            return True
    except (webbrowser.Error, OSError):
        pass
    try:
        with open(TERMINAL, "w", encoding="utf-8") as terminal:  # noqa: PTH123 - a device, not a path of ours
            terminal.write(f"open this page, once, within five minutes: {url}\n")
    except OSError:
        return False
    return True


read = Command(
    "read",
    callback=_run,
    params=[
        RichArgument(["path"], help="The secret, such as secret/myapp, or a handle such as secret/myapp#password"),
        RichOption(["--field"], metavar="NAME", help="Only this field"),
        RichOption(["--number", "version"], type=click.IntRange(1), metavar="N", help="That version instead of the newest"),
        RichOption(["--page"], is_flag=True, default=False, help="Show it once in your browser"),
    ],
    help="Show a secret to a person: on a terminal, or once on a page in the browser; never through a pipe.",
)
