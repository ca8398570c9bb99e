"""`prov vault`: what only a person does with the vault. Listing, rotating, signing and so on are tools."""

from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.commands.vault_encrypt import decrypt, encrypt
from prov_server.cli.commands.vault_read import read
from prov_server.cli.commands.vault_serve import serve
from prov_server.cli.commands.vault_store import store
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from prov_server.cli.vaults import with_vault

if TYPE_CHECKING:
    from prov_server.vault.access import VaultAccess

_KEYRING = (
    "The keys that open it are in this system's keyring: whoever can unlock your session's keyring can open the vault. "
    "A copy of this folder alone opens nothing."
)
_FILE = (
    "The keys that open it are in {file}, which only you can read (mode 0600): whoever can read that file can open the vault. "
    "It protects the secrets from the repository, from other users and from assistants that have our tools alone; not from a "
    "program or an assistant with a shell that runs as you, nor from a thief of this disk."
)


def _init(keys: str | None) -> None:
    session = Session.current()

    async def make(vault: "VaultAccess") -> tuple[str, str]:
        from svault.embedded import KeyPlace

        kept = await vault.initialize(KeyPlace(keys) if keys else None)
        return kept.value, str(vault.own.key_store.file)

    kept, file = with_vault(session, make)
    if session.as_json:
        session.say_json({"initialized": True, "keys": kept, "file": file if kept == "file" else None})
        return
    session.out.print(Text.assemble(("the vault of this workspace is ready", "good"), ": secret/, transit/, pki/, database/"))
    session.notes.print(_KEYRING if kept == "keyring" else _FILE.format(file=file), soft_wrap=True)
    if kept == "file" and keys is None:
        session.notes.print("This machine has no keyring that can be used (pip install 'stratumops[keyring]').", style="quiet")
    session.notes.print(
        "\nKeep a backup of the keys and of .prov/vault together: without the keys nobody can open it.\n"
        "\nNext:\n  prov vault store secret/myapp password     asks for the value, without echo\n"
        "  prov vault list\n"
        "  prov cert generate --domain example.com",
        soft_wrap=True,
    )


def _undelete(path: str) -> None:
    session = Session.current()

    async def work(vault: "VaultAccess") -> tuple[str, int]:
        from prov_tools.vault.kv import Secret
        from prov_tools.vault.naming import named
        from stratumops.errors import NotFoundError

        client = await vault.client()
        secret = await Secret.at(client, (await named(client, path)).path)
        facts = await secret.facts()
        if facts is None:
            raise NotFoundError(f"there is no secret at {path!r}", hint="`prov vault list` shows what there is")
        await client.request("POST", f"{secret.mount.path}undelete/{secret.path}", {"versions": [facts.version]})
        return secret.whole_path, facts.version

    whole, version = with_vault(session, work)
    if session.as_json:
        session.say_json({"path": whole, "version": version})
    else:
        session.out.print(Text.assemble(("undeleted", "good"), f" {whole}, version {version}"), soft_wrap=True)


def _path(**words: Any) -> RichArgument:
    return RichArgument(["path"], help="The secret, such as secret/myapp", **words)


def vault_commands() -> list[click.Command]:
    """The commands of `prov vault` that are for people; the tools join them."""
    keys = RichOption(
        ["--keys"],
        type=click.Choice(["keyring", "file"]),
        help="Where the keys are kept: the system's keyring, or a file of mode 0600; the keyring is tried first",
    )
    return [
        Command("init", callback=_init, params=[keys], help="Make this workspace's vault: one step, and it is open and usable."),
        store,
        read,
        encrypt,
        decrypt,
        Command("undelete", callback=_undelete, params=[_path()], help="Make a secret's newest version readable again."),
        serve,
    ]
