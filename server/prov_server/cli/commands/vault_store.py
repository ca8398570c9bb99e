"""`prov vault store`: a person's own value, which no model has seen."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.groups import Command
from prov_server.cli.paths import typed_path
from prov_server.cli.session import Session
from prov_server.cli.vaults import with_vault
from stratumops.errors import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from prov_server.vault.access import VaultAccess
    from prov_tools.vault.kv import Origin

STDIN = "-"
MAX_BYTES = 1 << 20
HISTORY = (
    "the value stands in your shell's history and was visible to other programs of this machine; next time: "
    "prov vault store {path} {field} (asks without echo), {field}=- (stdin) or {field}=@FILE"
)


def _run(path: str, fields: tuple[str, ...], generate: bool, page: bool, length: int, charset: str) -> None:
    session = Session.current()
    if not fields:
        raise InvalidInputError("there is nothing to store", hint=f"prov vault store {path} password")
    if generate and page:
        raise InvalidInputError("--generate and --page exclude each other", hint="a value is made here, or typed on a page")
    names = [word.partition("=")[0] for word in fields]
    if "" in names or len(set(names)) < len(names):
        raise InvalidInputError("each field needs a name of its own", hint="such as password=- user=app")
    values: dict[str, str] = {}
    for word in fields:
        name, given, text = word.partition("=")
        if given:
            values[name] = _given(session, path, name, text)
        elif generate:
            from prov_tools.vault.generation import generated

            values[name] = generated(length, charset)  # type: ignore[arg-type] # click has checked the choice
        elif not page:
            values[name] = _asked(name)
    on_page = [name for name in names if name not in values]
    handles, version = with_vault(
        session,
        lambda vault: _stored(vault, session, path, values, on_page, is_generated=generate),
        shares_it=bool(on_page),  # a person may take minutes
    )
    if session.as_json:
        session.say_json({"handles": handles, "version": version})
        return
    for handle in handles:
        session.out.print(Text.assemble(("stored", "good"), " ", (handle, "name")), soft_wrap=True)


async def _stored(
    vault: "VaultAccess",
    session: Session,
    path: str,
    values: dict[str, str],
    on_page: list[str],
    *,
    is_generated: bool,
) -> tuple[list[str], int | None]:
    from prov_tools.vault.kv import Secret

    secret = await Secret.at(await vault.client(), path)
    origin: Origin = "generated" if is_generated else "person"
    version = await secret.put(values, origin=origin) if values else None
    for name in on_page:
        version = await _typed_on_page(vault, session, secret.handle(name), secret, name)
    return [secret.handle(name) for name in [*values, *on_page]], version


async def _typed_on_page(vault: "VaultAccess", session: Session, handle: str, secret: object, name: str) -> int | None:
    from prov_server.vault.pages import Asking
    from prov_tools.vault.kv import Secret

    assert isinstance(secret, Secret)
    stored: list[int] = []

    async def keep(value: str) -> None:
        stored.append(await secret.put({name: value}, origin="person"))

    page = await vault.pages.open(Asking(handle, keep))
    session.notes.print(Text.assemble("type it here, within five minutes: ", (page.url, "name")), soft_wrap=True)
    await page.closed()
    if not stored:
        raise NotFoundError(f"nothing was stored at {handle}", hint="the page was not used in time; run the same command again")
    return stored[0]


def _given(session: Session, path: str, name: str, text: str) -> str:
    """The value behind `name=`: stdin, a file, or the text itself."""
    if text == STDIN:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
        return _single_line(data, "stdin")
    if text.startswith("@"):
        file: Path = typed_path(text[1:])
        try:
            with file.open("rb") as stream:
                data = stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise NotFoundError(f"{text[1:]} cannot be read: {error.strerror}", hint=f"{name}=@FILE reads a file") from None
        return _single_line(data, text[1:])
    session.notes.print(Text.assemble(("warning", "warning"), ": ", HISTORY.format(path=path, field=name)), soft_wrap=True)
    return text.removeprefix("\\") if text == "\\-" or text.startswith("\\@") else text


def _single_line(data: bytes, name: str) -> str:
    """The text; without the line end that an editor or `echo` puts behind a single line."""
    if len(data) > MAX_BYTES:
        raise InvalidInputError(f"{name} has more than {MAX_BYTES:,} bytes", hint="encrypt large files with `prov vault encrypt`")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 text (byte {error.start})", hint="encode it first, with base64") from None
    return text.rstrip("\r\n") if text.count("\n") == 1 and text.endswith("\n") else text


def _asked(name: str) -> str:
    if not sys.stdin.isatty():
        raise InvalidInputError(
            f"{name} has no value and there is no terminal to ask on",
            hint=f"{name}=- reads stdin; --generate makes one; --page asks",
        )
    answer: str = click.prompt(name, hide_input=True, confirmation_prompt=True, err=True)
    return answer


store = Command(
    "store",
    callback=_run,
    params=[
        RichArgument(["path"], help="The secret, such as secret/myapp"),
        RichArgument(
            ["fields"],
            nargs=-1,
            help="NAME (asked for without echo), NAME=- (stdin), NAME=@FILE, NAME=VALUE (stays in the shell's history)",
        ),
        RichOption(["--generate"], is_flag=True, default=False, help="Make a random value for each NAME without one"),
        RichOption(["--page"], is_flag=True, default=False, help="Ask for each NAME without a value on a one-time page"),
        RichOption(
            ["--length"], type=click.IntRange(8, 1024), default=32, show_default=True, help="Characters of a generated value"
        ),
        RichOption(
            ["--charset"],
            type=click.Choice(["letters", "symbols", "digits", "hex"]),
            default="letters",
            show_default=True,
            help="What a generated value consists of",
        ),
    ],
    help="Store fields of a secret. Fields that are not named stay as they are.",
)
