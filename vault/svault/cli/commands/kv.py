"""`svault kv`: versions 1 and 2 alike; the mount is found by the vault, or given with -mount."""

from typing import Any

import click

from svault.cli import output
from svault.cli.client import refusal
from svault.cli.commands.kv_metadata import metadata
from svault.cli.commands.kv_place import Place, mount_option, place_of
from svault.cli.failure import ApiError, CommandError
from svault.cli.session import AskingGroup, Session, absent
from svault.cli.values import read_values

kv = AskingGroup("kv", help="Keep secrets, with versions.")
kv.add_command(metadata)


def _written(session: Session, place: Place, body: dict[str, Any]) -> int:
    if session.field or session.is_json or not body.get("data") or body.get("wrap_info"):
        return session.show(body, f"Success! Data written to: {place.at('data')}")
    output.warned(body)
    click.echo(f"== Secret Path ==\n{place.at('data')}\n")
    output.titled("Metadata", body["data"])
    return 0


@kv.command("get")
@click.argument("path")
@mount_option
@click.option("--version", type=int, default=0, help="Which version; the newest when left out.")
def get(path: str, mount: str, version: int) -> int:
    """Read a secret."""
    session = Session.current()
    place = place_of(session, mount, path)
    answer = session.vault.request("GET", place.at("data"), query={"version": str(version)} if version else None)
    data = answer.body.get("data")
    if answer.status == 404 and not data:
        if answer.body.get("errors"):
            raise refusal("GET", place.at("data"), answer)
        raise absent(place.at("data"))
    if answer.status >= 400 and answer.status != 404:
        raise refusal("GET", place.at("data"), answer)
    if place.version == 1 or not isinstance(data, dict) or "metadata" not in data:
        return session.show(answer.body)
    values = data.get("data") or {}
    if session.field:
        where = values if session.field in values else data["metadata"]
        return output.one_field(output.field_of({"data": where}, session.field), is_json=session.is_json)
    if session.is_json:
        return session.show(answer.body)
    click.echo(f"== Secret Path ==\n{place.at('data')}\n")
    output.titled("Metadata", data["metadata"])
    if values:
        click.echo("")
        output.titled("Data", values)
    return 0


@kv.command("put")
@click.argument("path")
@click.argument("data", nargs=-1)
@mount_option
@click.option("--cas", type=int, default=None, help="Only if this is the newest version; 0: only if there is none.")
def put(path: str, data: tuple[str, ...], mount: str, cas: int | None) -> int:
    """Write a secret: key=value, key=@file, key=- or a prompt (`key` alone, not in the shell's history)."""
    session = Session.current()
    values = read_values(data)
    place = place_of(session, mount, path)
    if place.version == 1:
        if cas is not None:
            place.need_versions()
        return _written(session, place, session.vault.ask("PUT", place.at("data"), values))
    options = {} if cas is None else {"cas": cas}
    return _written(session, place, session.vault.ask("PUT", place.at("data"), {"data": values, "options": options}))


@kv.command("patch")
@click.argument("path")
@click.argument("data", nargs=-1)
@mount_option
@click.option("--cas", type=int, default=None, help="Only if this is the newest version.")
@click.option("--remove-data", multiple=True, help="A key to remove; may be given several times.")
@click.option("--method", type=click.Choice(["patch", "rw"]), default="patch", help="rw reads and writes instead of patching.")
def patch(path: str, data: tuple[str, ...], mount: str, cas: int | None, remove_data: tuple[str, ...], method: str) -> int:
    """Change some keys of a secret; the others stay."""
    session = Session.current()
    values: dict[str, Any] = read_values(data, required=not remove_data)
    values |= dict.fromkeys(remove_data)
    place = place_of(session, mount, path)
    place.need_versions()
    if method == "patch":
        body: dict[str, Any] = {"data": values, **({} if cas is None else {"options": {"cas": cas}})}
        answer = session.vault.request("PATCH", place.at("data"), body)
        if answer.status == 404 and not answer.body.get("errors"):
            raise absent(place.at("data"))
        if answer.status >= 400:
            raise refusal("PATCH", place.at("data"), answer)
        return _written(session, place, answer.body)
    read = session.vault.ask("GET", place.at("data"), wrap_ttl="")["data"]
    merged = {**read["data"], **values}
    kept = {name: value for name, value in merged.items() if value is not None}
    newest = read["metadata"]["version"] if cas is None else cas
    return _written(session, place, session.vault.ask("PUT", place.at("data"), {"data": kept, "options": {"cas": newest}}))


@kv.command("delete")
@click.argument("path")
@mount_option
@click.option("--versions", default="", help="Which versions, with commas; the newest when left out.")
def delete(path: str, mount: str, versions: str) -> int:
    """Delete the newest version, or some; they can be undeleted."""
    session = Session.current()
    place = place_of(session, mount, path)
    if versions:
        place.need_versions()
        answer = session.vault.ask("PUT", place.at("delete"), {"versions": _numbers(versions)})
    else:
        answer = session.vault.ask("DELETE", place.at("data"))
    return session.show(answer, f"Success! Data deleted (if it existed) at: {place.at('data')}")


def _of_versions(part: str, path: str, mount: str, versions: str) -> int:
    session = Session.current()
    place = place_of(session, mount, path)
    place.need_versions()
    answer = session.vault.ask("PUT", place.at(part), {"versions": _numbers(versions)})
    return session.show(answer, f"Success! Data written to: {place.at(part)}")


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise CommandError("versions are numbers with commas: -versions=1,2") from None


@kv.command("undelete")
@click.argument("path")
@mount_option
@click.option("--versions", required=True, help="Which versions, with commas.")
def undelete(path: str, mount: str, versions: str) -> int:
    """Bring deleted versions back."""
    return _of_versions("undelete", path, mount, versions)


@kv.command("destroy")
@click.argument("path")
@mount_option
@click.option("--versions", required=True, help="Which versions, with commas.")
def destroy(path: str, mount: str, versions: str) -> int:
    """Remove versions for good."""
    return _of_versions("destroy", path, mount, versions)


@kv.command("rollback")
@click.argument("path")
@mount_option
@click.option("--version", type=int, required=True, help="The version to write again.")
def rollback(path: str, mount: str, version: int) -> int:
    """Write an older version as the newest."""
    session = Session.current()
    place = place_of(session, mount, path)
    place.need_versions()
    newest = session.vault.ask("GET", place.at("metadata"), wrap_ttl="")["data"]["current_version"]
    answer = session.vault.request("GET", place.at("data"), query={"version": str(version)}, wrap_ttl="")
    values = (answer.body.get("data") or {}).get("data")
    if answer.status >= 400 or values is None:
        raise ApiError(f"version {version} of {place.at('data')} is not there, or deleted", status=answer.status)
    return _written(session, place, session.vault.ask("PUT", place.at("data"), {"data": values, "options": {"cas": newest}}))


@kv.command("list")
@click.argument("path", required=False, default="")
@mount_option
def list_(path: str, mount: str) -> int:
    """List the secrets below a path."""
    session = Session.current()
    place = place_of(session, mount, path)
    return session.show_names(session.listed(place.at("metadata")))
