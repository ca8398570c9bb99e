"""`prov vault serve`: the workspace's vault at an address of its own, for every client of Vault's API."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text
from rich_click import RichOption

from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from prov_server.cli.vaults import with_vault
from stratumops.errors import NotFoundError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from prov_server.vault.access import VaultAccess

PORT = 8200
"""Vault's own."""
TOKEN_FILE = "client-token"  # noqa: S105 - the file's name, not a token


def _run(port: int) -> None:
    session = Session.current()
    with_vault(session, lambda vault: _serve(vault, session, port), shares_it=True)


async def _serve(vault: "VaultAccess", session: Session, port: int) -> None:
    from prov_server.vault.mount import VaultMount
    from svault.config.model import Address
    from svault.http.listener import Listener, bound

    if not vault.own.is_initialized:
        raise NotFoundError("this workspace has no vault yet", hint="make one: prov vault init")
    await vault.client()
    place = bound(Address("127.0.0.1", port))
    address = f"http://127.0.0.1:{place.getsockname()[1]}"
    file = _written(session.workspace.own / TOKEN_FILE, vault.own.keys().token)
    listener = Listener(VaultMount(_nothing, vault=vault), place)
    try:
        await listener.start()
        _announce(session, address, file)
        await _signalled()
    finally:
        await listener.stop()
        file.unlink(missing_ok=True)


async def _nothing(scope: "Scope", _receive: "Receive", send: "Send") -> None:
    from svault.core.call import Answer
    from svault.http.app import send_answer

    if scope["type"] == "http":
        await send_answer(Answer(404, {"errors": ["the API begins at /v1/"]}), scope, send)


async def _signalled() -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    try:
        await ended.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _written(path: Path, token: str) -> Path:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    return path


def _announce(session: Session, address: str, file: Path) -> None:
    if session.as_json:
        session.say_json({"address": address, "token_file": str(file)})
        sys.stdout.flush()
        return
    notes = session.notes
    notes.print(Text.assemble(("vault  ", "quiet"), (address, "name")), soft_wrap=True)
    notes.print("In another terminal:", style="quiet")
    notes.print(f'  export VAULT_ADDR={address}\n  export VAULT_TOKEN="$(cat {file})"', soft_wrap=True)
    notes.print(
        "The token may use the workspace's engines and nothing else; its file is there while this runs. Ctrl-C ends it.",
        style="quiet",
        soft_wrap=True,
    )


serve = Command(
    "serve",
    callback=_run,
    params=[
        RichOption(
            ["--port"],
            type=click.IntRange(0, 65535),
            default=PORT,
            show_default=True,
            help="TCP port on 127.0.0.1; 0 takes a free one",
        )
    ],
    help="Answer Vault's API on 127.0.0.1, for hvac, Terraform and the other clients that speak it.",
)
