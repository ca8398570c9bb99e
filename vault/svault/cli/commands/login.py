"""`svault login`."""

from collections.abc import Mapping
from typing import Any

import click

from svault.cli import output
from svault.cli.failure import CommandError
from svault.cli.session import AskingCommand, Session
from svault.cli.tokens import keep_token
from svault.cli.values import ask_hidden, read_values

METHODS: Mapping[str, tuple[str, str]] = {"userpass": ("username", "password"), "approle": ("role_id", "secret_id")}
"""For each way to log in, the name that is asked for first and the secret that is read without echo."""


@click.command("login", cls=AskingCommand)
@click.argument("data", nargs=-1)
@click.option("--method", type=click.Choice(["token", *METHODS]), default="token", help="How.")
@click.option("--path", default="", help="Where the way to log in is enabled; its name when left out.")
@click.option("--no-store", is_flag=True, help="Do not keep the token for later commands.")
@click.option("--no-print", is_flag=True, help="Do not print the token.")
@click.option("--token-only", is_flag=True, help="Print the token alone, and do not keep it.")
def login(data: tuple[str, ...], method: str, path: str, no_store: bool, no_print: bool, token_only: bool) -> int:
    """Log in and keep the token: `svault login` asks for one, `-method=userpass username=NAME` asks for the password."""
    auth = _with_token(data) if method == "token" else _with_method(method, path or method, data)
    token = auth["client_token"]
    if token_only:
        click.echo(token, nl=False)
        return 0
    place = None if no_store else keep_token(token)
    session = Session.current()
    if session.field:
        return output.one_field(output.field_of({"auth": auth}, session.field), is_json=session.is_json)
    if session.is_json:
        output.as_json(
            output.secret_json({"request_id": "", "lease_id": "", "lease_duration": 0, "renewable": False, "auth": auth})
        )
        return 0
    click.echo("You are logged in." + (f" The token is kept in {place} for later commands." if place else ""), err=True)
    if not no_print:
        output.token(auth)
    return 0


def _with_token(data: tuple[str, ...]) -> dict[str, Any]:
    given = [word.removeprefix("token=") for word in data]
    if len(given) > 1:
        raise CommandError("one token is enough", hint="svault login, and type it")
    token = ask_hidden("Token") if not given or given[0] == "-" else given[0]
    found = Session.current(token).vault.ask("GET", "auth/token/lookup-self")["data"]
    return {
        "client_token": token,
        "accessor": found["accessor"],
        "policies": found["policies"],
        "token_policies": found["policies"],
        "identity_policies": found.get("identity_policies"),
        "metadata": found.get("meta"),
        "lease_duration": found["ttl"],
        "renewable": found["renewable"],
    }


def _with_method(method: str, path: str, data: tuple[str, ...]) -> dict[str, Any]:
    name_field, secret_field = METHODS[method]
    values = read_values(data, required=False)
    name = values.pop(name_field, "") or click.prompt(name_field, err=True)
    values.setdefault(secret_field, "")
    if not values[secret_field]:
        values[secret_field] = ask_hidden(secret_field)
    base = f"auth/{path.strip('/')}/login"
    vault = Session.current("").vault
    answer = (
        vault.ask("PUT", f"{base}/{name}", values)
        if method == "userpass"
        else vault.ask("PUT", base, {name_field: name, **values})
    )
    auth: dict[str, Any] = answer["auth"]
    return auth
