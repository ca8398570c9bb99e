"""`svault operator`, and its most used commands at the top: init, unseal, seal."""

import base64
from typing import Any

import click

from svault.cli import output
from svault.cli.commands.basic import show_status
from svault.cli.commands.tables import OPERATOR
from svault.cli.failure import LOCAL, ApiError, CommandError
from svault.cli.rows import group
from svault.cli.session import AskingCommand, Session
from svault.cli.values import ask_hidden

operator = group("operator", "Keys, seal and servers.", OPERATOR)
seal = operator.commands["seal"]
USUAL = {"shares": 5, "threshold": 3}
"""As Vault's command line, when neither the command nor the server's configuration says numbers."""


@click.command("init", cls=AskingCommand)
@click.option("--key-shares", "-n", type=int, default=None, help="How many shares; else what [seal.shamir] says, or 5.")
@click.option(
    "--key-threshold", "-t", type=int, default=None, help="How many of them unseal; else what [seal.shamir] says, or 3."
)
@click.option("--recovery-shares", type=int, default=None, help="With [seal.static]: shares of the recovery key.")
@click.option("--recovery-threshold", type=int, default=None, help="With [seal.static]: how many of them recover.")
@click.option("--status", "asks_status", is_flag=True, help="Tell whether the vault is initialized: exit code 0 or 2.")
def init(
    key_shares: int | None,
    key_threshold: int | None,
    recovery_shares: int | None,
    recovery_threshold: int | None,
    asks_status: bool,
) -> int:
    """Make the keys of a new vault. They are shown once: keep each share with another person."""
    session = Session.current()
    if asks_status:
        initialized = session.vault.ask("GET", "sys/init")["initialized"]
        click.echo("Vault is initialized" if initialized else "Vault is not initialized")
        return 0 if initialized else 2
    given = {
        "secret_shares": key_shares,
        "secret_threshold": key_threshold,
        "recovery_shares": recovery_shares,
        "recovery_threshold": recovery_threshold,
    }
    body = {name: value for name, value in given.items() if value is not None}
    try:
        made = session.vault.ask("PUT", "sys/init", body)
    except ApiError as error:
        if body or "at least one" not in error.message:
            raise
        made = session.vault.ask("PUT", "sys/init", {f"secret_{name}": number for name, number in USUAL.items()})
    return _show_keys(session, made)


def _show_keys(session: Session, made: dict[str, Any]) -> int:
    status = session.vault.ask("GET", "sys/seal-status")
    shares, recovery = made["keys_base64"], made.get("recovery_keys_base64") or []
    if session.is_json or session.field:
        numbers, none = (status["n"], status["t"]), (0, 0)
        unseal, recover = (none, numbers) if recovery else (numbers, none)
        shown = {
            "unseal_keys_b64": shares,
            "unseal_keys_hex": made["keys"],
            "unseal_shares": unseal[0],
            "unseal_threshold": unseal[1],
            "recovery_keys_b64": recovery,
            "recovery_keys_hex": made.get("recovery_keys") or [],
            "recovery_keys_shares": recover[0],
            "recovery_keys_threshold": recover[1],
            "root_token": made["root_token"],
        }
        return session.show_data(shown)
    kind = "Recovery" if recovery else "Unseal"
    for number, share in enumerate(recovery or shares, start=1):
        click.echo(f"{kind} Key {number}: {share}")
    click.echo(f"\nInitial Root Token: {made['root_token']}\n")
    click.echo(
        "These keys are not kept anywhere else and cannot be shown again. Give each share to another person; "
        f"any {status['t']} of the {status['n']} {'recover' if recovery else 'unseal'} the vault."
    )
    return 0


@click.command("unseal", cls=AskingCommand)
@click.argument("key", required=False)
@click.option("--reset", is_flag=True, help="Forget the shares given so far.")
def unseal(key: str | None, reset: bool) -> int:
    """Give one share of the unseal key; without one it is asked for, and not shown."""
    session = Session.current()
    body: dict[str, Any] = {"reset": True} if reset else {"key": key if key and key != "-" else ask_hidden("Unseal key")}
    show_status(session, session.vault.ask("PUT", "sys/unseal", body))
    return 0


@operator.command("rekey")
@click.argument("key", required=False)
@click.option("--init", "begins", is_flag=True, help="Begin.")
@click.option("--cancel", is_flag=True, help="Stop; the keys stay as they are.")
@click.option("--status", "asks_status", is_flag=True, help="Tell how far it is.")
@click.option("--key-shares", "-n", type=int, default=USUAL["shares"], show_default=True, help="How many new shares.")
@click.option("--key-threshold", "-t", type=int, default=USUAL["threshold"], show_default=True, help="How many of them unseal.")
@click.option("--nonce", default="", help="Which attempt the share is for.")
@click.option("--target", type=click.Choice(["barrier", "recovery"]), default="barrier", help="Which key.")
def rekey(
    key: str | None,
    begins: bool,
    cancel: bool,
    asks_status: bool,
    key_shares: int,
    key_threshold: int,
    nonce: str,
    target: str,
) -> int:
    """Make new shares: -init, then one share of the old key after another."""
    session = Session.current()
    base = "sys/rekey" if target == "barrier" else "sys/rekey-recovery-key"
    if begins:
        body = {"secret_shares": key_shares, "secret_threshold": key_threshold}
        return session.show_data(session.vault.ask("PUT", f"{base}/init", body))
    if cancel:
        return session.show(session.vault.ask("DELETE", f"{base}/init"), "Success! Canceled rekeying (if it was started)")
    status = session.vault.ask("GET", f"{base}/init")
    if asks_status:
        return session.show_data(status)
    share = key if key and key != "-" else ask_hidden("Unseal key")
    found = session.vault.ask("PUT", f"{base}/update", {"key": share, "nonce": nonce or status["nonce"]})
    if not found.get("complete") or session.is_json or session.field:
        return session.show_data(found)
    for number, one in enumerate(found["keys_base64"], start=1):
        click.echo(f"Key {number}: {one}")
    click.echo("\nThe old shares do not count any more.")
    return 0


@operator.command("generate-root")
@click.argument("key", required=False)
@click.option("--init", "begins", is_flag=True, help="Begin; prints the one-time password that decodes the token.")
@click.option("--cancel", is_flag=True, help="Stop.")
@click.option("--status", "asks_status", is_flag=True, help="Tell how far it is.")
@click.option("--generate-otp", is_flag=True, help="Print a one-time password.")
@click.option("--decode", default="", help="The encoded token to decode, with -otp.")
@click.option("--otp", default="", help="The one-time password.")
@click.option("--nonce", default="", help="Which attempt the share is for.")
def generate_root(
    key: str | None, begins: bool, cancel: bool, asks_status: bool, generate_otp: bool, decode: str, otp: str, nonce: str
) -> int:
    """Make a root token with the shares: -init, then one share after another, then -decode=... -otp=..."""
    session = Session.current()
    base = "sys/generate-root"
    if decode:
        return _decoded(session, decode, otp)
    status = session.vault.ask("GET", f"{base}/attempt")
    if generate_otp:
        click.echo(_new_otp(status["otp_length"]))
        return 0
    if asks_status:
        return session.show_data(status)
    if begins:
        return session.show_data(session.vault.ask("PUT", f"{base}/attempt", {"otp": otp} if otp else {}))
    if cancel:
        return session.show(
            session.vault.ask("DELETE", f"{base}/attempt"), "Success! Root token generation canceled (if it was started)"
        )
    share = key if key and key != "-" else ask_hidden("Unseal key")
    return session.show_data(session.vault.ask("PUT", f"{base}/update", {"key": share, "nonce": nonce or status["nonce"]}))


def _new_otp(length: int) -> str:
    import secrets  # noqa: PLC0415 - for this alone
    import string  # noqa: PLC0415 - as above

    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def _decoded(session: Session, encoded: str, otp: str) -> int:
    if not otp:
        raise CommandError("-decode needs -otp")
    try:
        hidden = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        token = bytes(one ^ other for one, other in zip(hidden, otp.encode(), strict=True)).decode("ascii")
    except ValueError:
        raise CommandError("the encoded token and the one-time password do not belong together") from None
    if session.is_json:
        output.as_json({"token": token})
    else:
        click.echo(token)
    return 0


@operator.command("storage-check")
@click.argument("file", type=click.Path())
def storage_check(file: str) -> int:
    """Open the storage of a configuration, while no server runs, and read every entry: damage is named. Needs no key."""
    import asyncio  # noqa: PLC0415 - the other commands need no event loop
    from pathlib import Path  # noqa: PLC0415 - as above

    from svault.cli.checking import read_all  # noqa: PLC0415 - loads the vault itself

    session = Session.current()
    count, damaged = asyncio.run(read_all(Path(file)))
    if session.is_json:
        output.as_json({"entries": count, "damaged": damaged})
    else:
        click.echo("\n".join([*damaged, f"{count} entries were read, {len(damaged)} are damaged."]))
    return LOCAL if damaged else 0


for _command in (init, unseal):
    operator.add_command(_command)
