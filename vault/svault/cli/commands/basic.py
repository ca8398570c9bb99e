"""The commands that work on any path: read, write, patch, delete, list, wrap, unwrap; and status."""

from typing import Any

import click

from svault.cli import output
from svault.cli.client import refusal
from svault.cli.failure import REMOTE, ApiError, CommandError
from svault.cli.session import AskingCommand, Session, absent
from svault.cli.values import ask_hidden, read_values


@click.command("read", cls=AskingCommand)
@click.argument("path")
@click.argument("data", nargs=-1)
def read(path: str, data: tuple[str, ...]) -> int:
    """Read what is at a path; key=value becomes the query."""
    session = Session.current()
    query = {name: str(value) for name, value in read_values(data, required=False).items()}
    answer = session.vault.request("GET", path, query=query or None)
    if answer.status == 404 and not answer.body.get("errors"):
        raise absent(path)
    if answer.status >= 400:
        raise refusal("GET", path, answer)
    if answer.raw and not answer.body:
        click.echo(answer.raw, nl=False)
        return 0
    return session.show(_enveloped(answer.body))


def _enveloped(body: dict[str, Any]) -> dict[str, Any]:
    """Paths of the system answer without Vault's envelope: what they say is the data."""
    return body if not body or {"data", "auth", "wrap_info"} & body.keys() else {"data": body}


@click.command("write", cls=AskingCommand)
@click.argument("path")
@click.argument("data", nargs=-1)
@click.option("-f", "--force", is_flag=True, help="Write nothing: for paths that only do something.")
def write(path: str, data: tuple[str, ...], force: bool) -> int:
    """Write key=value, key=@file, key=- (standard input) or @file.json to a path."""
    session = Session.current()
    if force and data:
        raise CommandError("-force writes nothing, but values were given")
    answer = session.vault.ask("PUT", path, {} if force else read_values(data))
    return session.show(_enveloped(answer), f"Success! Data written to: {path}")


@click.command("patch", cls=AskingCommand)
@click.argument("path")
@click.argument("data", nargs=-1)
def patch(path: str, data: tuple[str, ...]) -> int:
    """Change some fields of what is at a path."""
    session = Session.current()
    return session.show(session.vault.ask("PATCH", path, read_values(data)), f"Success! Data written to: {path}")


@click.command("delete", cls=AskingCommand)
@click.argument("path")
def delete(path: str) -> int:
    """Delete what is at a path."""
    session = Session.current()
    return session.show(session.vault.ask("DELETE", path), f"Success! Data deleted (if it existed) at: {path}")


@click.command("list", cls=AskingCommand)
@click.argument("path")
def list_(path: str) -> int:
    """List the names below a path."""
    session = Session.current()
    return session.show_names(session.listed(path))


@click.command("wrap", cls=AskingCommand)
@click.argument("data", nargs=-1)
def wrap(data: tuple[str, ...]) -> int:
    """Keep key=value behind a token that shows it once; -wrap-ttl says for how long (5 minutes)."""
    session = Session.current()
    ttl = session.vault.connection.wrap_ttl or "5m"
    return session.show(session.vault.ask("PUT", "sys/wrapping/wrap", read_values(data), wrap_ttl=ttl))


@click.command("unwrap", cls=AskingCommand)
@click.argument("token", required=False)
def unwrap(token: str | None) -> int:
    """Show what is behind a wrapping token; the token is used up. Without one, the token that asks is it."""
    session = Session.current(ask_hidden("Wrapping token") if token == "-" else token)  # noqa: S105 - a dash is no token
    return session.show(session.vault.ask("PUT", "sys/wrapping/unwrap"))


@click.command("status", cls=AskingCommand)
def status() -> int:
    """Tell whether the vault is sealed: exit code 0 unsealed, 2 sealed, 1 no answer."""
    session = Session.current()
    try:
        body = session.vault.ask("GET", "sys/seal-status")
        leader = session.vault.ask("GET", "sys/leader") if not body["sealed"] else {}
    except ApiError as error:
        # 2 would say that it is sealed.
        raise CommandError(error.message, hint=error.hint) from None
    show_status(session, body, leader)
    return REMOTE if body["sealed"] else 0


def show_status(session: Session, body: dict[str, Any], leader: dict[str, Any] | None = None) -> None:
    """Print what `sys/seal-status` says."""
    if session.field or session.is_json:
        extra = {"ha_enabled": leader["ha_enabled"]} if leader else {}
        if leader and leader["ha_enabled"]:
            extra |= {
                "is_self": leader["is_self"],
                "active_time": leader["active_time"],
                "leader_address": leader["leader_address"],
            }
        session.show_data({**body, **extra})
        return
    kind = "Recovery " if body.get("recovery_seal") else ""
    lines: list[tuple[str, Any]] = [
        ("Seal Type", body["type"]),
        ("Initialized", body["initialized"]),
        ("Sealed", body["sealed"]),
        (f"Total {kind}Shares", body["n"]),
        ("Threshold", body["t"]),
    ]
    if body["sealed"] and body["t"]:
        lines += [("Unseal Progress", f"{body['progress']}/{body['t']}"), ("Unseal Nonce", body["nonce"])]
    lines += [("Version", body["version"]), ("Storage Type", body.get("storage_type", ""))]
    if "cluster_name" in body:
        lines += [("Cluster Name", body["cluster_name"]), ("Cluster ID", body["cluster_id"])]
    if leader:
        lines.append(("HA Enabled", leader["ha_enabled"]))
        if leader["ha_enabled"]:
            lines += [
                ("HA Mode", "active" if leader["is_self"] else "standby"),
                ("Active Node Address", leader["leader_address"]),
            ]
    output.ordered_pairs(lines)
