"""`prov provider add` and `remove`: credentials go from a person's hands into the vault, and nowhere else."""

import os
import sys
from typing import TYPE_CHECKING

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.session import Session
from stratumops.errors import InvalidInputError

if TYPE_CHECKING:
    from prov_server.engine.accounts import Accounts
    from prov_server.vault.access import VaultAccess


def _add(provider: str, region: str, endpoint: str, options: tuple[str, ...], force: bool) -> None:
    from prov_server.cli.vaults import with_vault
    from prov_server.engine.accounts import PATH, KeptAccount, require_sound
    from provisioning.providers.registry import entry

    session = Session.current()
    known = entry(provider)
    given = dict(_pair(option, known.options) for option in options)
    require_sound(provider, KeptAccount(provider, region, endpoint))  # before anybody types a secret in vain
    session.workspace.make_own()
    accounts = _accounts(session)
    if not force and provider in accounts.all():
        accounts.add(KeptAccount(provider))  # raises, before anything is asked
    handles = dict(accounts.all()[provider].secrets) if provider in accounts.all() else {}
    # Who names a profile has the credentials elsewhere.
    is_elsewhere = any(name in known.instead for name in given)
    if known.secrets and not is_elsewhere:
        with_vault(session, _ready)  # before anybody types a secret in vain
    values = {} if is_elsewhere else _asked(known.secrets)
    if is_elsewhere:
        handles = {}
    if values:

        async def keep(vault: "VaultAccess") -> dict[str, str]:
            from prov_tools.vault.kv import Secret

            secret = await Secret.at(await vault.client(), PATH.format(provider))
            await secret.put(values, origin="person")
            return {name: secret.handle(name) for name in values}

        handles = with_vault(session, keep)
    accounts.add(KeptAccount(provider, region, endpoint, given, handles), replace=force)
    if session.as_json:
        session.say_json({"provider": provider, "secrets": handles})
        return
    where = f"; credentials in {PATH.format(provider)}" if handles else ""
    session.out.print(Text.assemble(("added", "good"), f" {provider} ({known.title}){where}"), soft_wrap=True)
    session.notes.print(f"\nNext:\n  prov provider test {provider}")


async def _ready(vault: "VaultAccess") -> None:
    """Raises what keeps a secret from being stored."""
    await vault.client()


def _accounts(session: Session) -> "Accounts":
    """Those of the workspace. Raises NotAdoptedError, PermissionDeniedError."""
    from prov_server.engine.accounts import Accounts
    from prov_server.engine.adoption import Adoption

    Adoption.of_user(session.workspace.own, os.environ).require()
    return Accounts(session.workspace.own)


def _remove(provider: str) -> None:
    from prov_server.engine.accounts import PATH

    session = Session.current()
    gone = _accounts(session).remove(provider)
    if session.as_json:
        session.say_json({"provider": provider, "kept_secrets": sorted(gone.secrets.values())})
        return
    session.out.print(Text.assemble(("removed", "warning"), f" the account at {visible(provider)}"), soft_wrap=True)
    if gone.secrets:
        session.notes.print(
            f"its credentials are still in the vault: prov vault delete {PATH.format(provider)} removes them", soft_wrap=True
        )


def _pair(option: str, known: tuple[str, ...]) -> tuple[str, str]:
    name, equals, value = option.partition("=")
    names = [one.rstrip("?") for one in known]
    if not equals or name not in names:
        raise InvalidInputError(
            f"{option[:60]!r} is no option here", hint=f"write NAME=VALUE; there are: {', '.join(names) or 'none'}"
        )
    return name, value


def _asked(names: tuple[str, ...]) -> dict[str, str]:
    """The credentials, typed without echo; a person pastes them here and into no chat."""
    if names and not sys.stdin.isatty():
        raise InvalidInputError(
            "credentials are typed at a terminal, and there is none here",
            hint="run it in a terminal; or name where they are already: --option profile=NAME",
        )
    found = {}
    for name in names:
        is_optional = name.endswith("?")
        words = name.rstrip("?").replace("_", " ") + (" (may stay empty)" if is_optional else "")
        value: str = click.prompt(words, hide_input=True, err=True, default="" if is_optional else None, show_default=False)
        if value:
            found[name.rstrip("?")] = value.strip()
    return found


def provider_commands() -> list[click.Command]:
    """The commands of `prov provider` that are for people; the tools join them."""
    from provisioning.providers.registry import PROVIDERS

    name = RichArgument(["provider"], type=click.Choice(list(PROVIDERS)), help="The provider")
    return [
        Command(
            "add",
            callback=_add,
            params=[
                name,
                RichOption(["--region"], default="", metavar="REGION", help="Region for what names none"),
                RichOption(["--endpoint"], default="", metavar="URL", help="Address of its API, when it is not the usual one"),
                RichOption(
                    ["--option", "options"],
                    multiple=True,
                    metavar="NAME=VALUE",
                    help="Such as profile=work (AWS): use that instead",
                ),
                RichOption(["--force"], is_flag=True, default=False, help="Replace the account that is there"),
            ],
            help="Use a provider: asks for its credentials without echo and keeps them in the vault.",
        ),
        Command("remove", callback=_remove, params=[name], help="Forget an account; its credentials stay in the vault."),
    ]
