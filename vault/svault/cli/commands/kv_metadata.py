"""`svault kv metadata`."""

from typing import Any

import click

from svault.cli import output
from svault.cli.client import refusal
from svault.cli.commands.kv_place import mount_option, place_of
from svault.cli.session import AskingGroup, Session, absent
from svault.cli.values import read_values

metadata = AskingGroup("metadata", help="What is known about a secret and its versions.")


@metadata.command("get")
@click.argument("path")
@mount_option
def metadata_get(path: str, mount: str) -> int:
    """Tell about a secret and its versions."""
    session = Session.current()
    place = place_of(session, mount, path)
    place.need_versions()
    answer = session.vault.request("GET", place.at("metadata"))
    if answer.status == 404 and not answer.body.get("errors"):
        raise absent(place.at("metadata"))
    if answer.status >= 400:
        raise refusal("GET", place.at("metadata"), answer)
    if session.is_json or session.field:
        return session.show(answer.body)
    data = dict(answer.body["data"])
    versions = data.pop("versions", {})
    click.echo(f"== Metadata Path ==\n{place.at('metadata')}\n")
    output.titled("Metadata", data)
    for number, one in sorted(versions.items(), key=lambda item: int(item[0])):
        click.echo("")
        output.titled(f"Version {number}", one)
    return 0


def _metadata_options(function: Any) -> Any:
    for option in (
        click.option("--max-versions", type=int, default=None, help="How many versions are kept."),
        click.option("--cas-required/--no-cas-required", default=None, help="Whether writes must name the version."),
        click.option("--delete-version-after", default=None, help="After how long a version is deleted."),
        click.option("--custom-metadata", multiple=True, help="KEY=VALUE; may be given several times."),
        mount_option,
    ):
        function = option(function)
    return function


def _metadata_body(given: dict[str, Any]) -> dict[str, Any]:
    custom = given.pop("custom_metadata")
    body = {name: value for name, value in given.items() if value is not None}
    return {**body, **({"custom_metadata": read_values(custom)} if custom else {})}


@metadata.command("put")
@click.argument("path")
@_metadata_options
def metadata_put(path: str, mount: str, **given: Any) -> int:
    """Set how many versions are kept, and the like."""
    session = Session.current()
    place = place_of(session, mount, path)
    place.need_versions()
    answer = session.vault.ask("PUT", place.at("metadata"), _metadata_body(given))
    return session.show(answer, f"Success! Data written to: {place.at('metadata')}")


@metadata.command("patch")
@click.argument("path")
@_metadata_options
def metadata_patch(path: str, mount: str, **given: Any) -> int:
    """Change some of it; the rest stays."""
    session = Session.current()
    place = place_of(session, mount, path)
    place.need_versions()
    answer = session.vault.ask("PATCH", place.at("metadata"), _metadata_body(given))
    return session.show(answer, f"Success! Data written to: {place.at('metadata')}")


@metadata.command("delete")
@click.argument("path")
@mount_option
def metadata_delete(path: str, mount: str) -> int:
    """Remove a secret with all its versions for good."""
    session = Session.current()
    place = place_of(session, mount, path)
    place.need_versions()
    answer = session.vault.ask("DELETE", place.at("metadata"))
    return session.show(answer, f"Success! Data deleted (if it existed) at: {place.at('metadata')}")
