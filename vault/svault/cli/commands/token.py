"""`svault token`."""

import click

from svault.cli import output
from svault.cli.commands.tables import TOKEN
from svault.cli.failure import CommandError
from svault.cli.rows import group
from svault.cli.session import Session

token = group("token", "Make, look up, renew and revoke tokens.", TOKEN)


@token.command("lookup")
@click.argument("token_", metavar="[TOKEN]", required=False)
@click.option("--accessor", is_flag=True, help="What is given is an accessor.")
def lookup(token_: str | None, accessor: bool) -> int:
    """Tell about a token; without one, about the one that asks."""
    session = Session.current()
    if not token_:
        return session.show(session.vault.ask("GET", "auth/token/lookup-self"))
    path, name = ("lookup-accessor", "accessor") if accessor else ("lookup", "token")
    return session.show(session.vault.ask("POST", f"auth/token/{path}", {name: token_}))


@token.command("renew")
@click.argument("token_", metavar="[TOKEN]", required=False)
@click.option("--increment", default="", help="For how long.")
@click.option("--accessor", is_flag=True, help="What is given is an accessor.")
def renew(token_: str | None, increment: str, accessor: bool) -> int:
    """Renew a token; without one, the one that asks."""
    session = Session.current()
    body = {"increment": increment} if increment else {}
    if not token_:
        return session.show(session.vault.ask("PUT", "auth/token/renew-self", body))
    path, name = ("renew-accessor", "accessor") if accessor else ("renew", "token")
    return session.show(session.vault.ask("PUT", f"auth/token/{path}", {name: token_, **body}))


@token.command("revoke")
@click.argument("token_", metavar="[TOKEN]", required=False)
@click.option("--self", "is_self", is_flag=True, help="The token that asks.")
@click.option("--accessor", is_flag=True, help="What is given is an accessor.")
@click.option("--mode", type=click.Choice(["path", "orphan"]), help="orphan: its children stay.")
def revoke(token_: str | None, is_self: bool, accessor: bool, mode: str | None) -> int:
    """End a token and everything that was made with it."""
    session = Session.current()
    if is_self == bool(token_):
        raise CommandError("give a token, or -self for the one that asks")
    if is_self:
        session.vault.ask("PUT", "auth/token/revoke-self")
    elif mode == "path":
        session.vault.ask("PUT", f"sys/leases/revoke-prefix/{token_}")
    else:
        path = "revoke-orphan" if mode == "orphan" else "revoke-accessor" if accessor else "revoke"
        session.vault.ask("PUT", f"auth/token/{path}", {"accessor" if accessor else "token": token_})
    click.echo("Success! Revoked token (if it existed)")
    return 0


@token.command("capabilities")
@click.argument("words", nargs=-1, required=True, metavar="[TOKEN] PATH")
@click.option("--accessor", is_flag=True, help="What is given is an accessor.")
def capabilities(words: tuple[str, ...], accessor: bool) -> int:
    """Tell what a token may do at a path."""
    session = Session.current()
    if not 1 <= len(words) <= 2:
        raise CommandError("give a token and a path, or a path alone")
    path, whose = words[len(words) - 1], words[: len(words) - 1]
    kind = "accessor" if accessor else "" if whose else "self"
    body = {"path": path, **({"accessor" if accessor else "token": whose[0]} if whose else {})}
    found = session.vault.ask("PUT", f"sys/capabilities{'-' if kind else ''}{kind}", body)
    allowed = sorted((found.get("data") or found).get("capabilities", []))
    if session.is_json:
        output.as_json(allowed)
    else:
        click.echo(", ".join(allowed))
    return 0
