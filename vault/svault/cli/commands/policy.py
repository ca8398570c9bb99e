"""`svault policy`."""

import click

from svault.cli import output
from svault.cli.commands.tables import POLICY
from svault.cli.failure import ApiError
from svault.cli.rows import group
from svault.cli.session import Session
from svault.cli.values import read_values

policy = group("policy", "Say who may do what.", POLICY)


@policy.command("list")
def list_() -> int:
    """List the policies."""
    session = Session.current()
    names = session.vault.ask("GET", "sys/policies/acl", query={"list": "true"})["data"]["keys"]
    if session.is_json:
        output.as_json(names)
    else:
        click.echo("\n".join(names))
    return 0


@policy.command("read")
@click.argument("name")
def read(name: str) -> int:
    """Print a policy."""
    session = Session.current()
    try:
        text = session.vault.ask("GET", f"sys/policies/acl/{name}")["data"]["policy"]
    except ApiError as error:
        if error.status != 404:
            raise
        raise ApiError(f"no policy named {name!r}", hint="see them: svault policy list", status=404) from None
    if session.is_json:
        output.as_json({"policy": text})
    else:
        click.echo(text.strip("\n"))
    return 0


@policy.command("write")
@click.argument("name")
@click.argument("file")
def write(name: str, file: str) -> int:
    """Write a policy from a file in HCL or JSON, or from standard input (`-`)."""
    text = read_values([f"policy={'-' if file == '-' else f'@{file}'}"])["policy"]
    session = Session.current()
    return session.show(
        session.vault.ask("PUT", f"sys/policies/acl/{name}", {"policy": text}), f"Success! Uploaded policy: {name}"
    )
