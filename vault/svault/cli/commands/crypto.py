"""`svault crypto`."""

import click

from svault.cli import output
from svault.cli.groups import Command


@click.command("crypto", cls=Command)
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table", help="table or json.")
def crypto(shape: str) -> None:
    """List the libraries that can compute ML-KEM and ML-DSA here, and how to install those that are missing."""
    from svault.crypto.choice import available, default_name  # noqa: PLC0415 - loads every library that is there

    found, default = available(), default_name()
    if shape == "json":
        output.as_json({"default": default, "backends": [one._asdict() for one in found]})
        return
    table = [
        (f"{one.name} (default)" if one.name == default else one.name, one.version or "not here", one.install or "n/a")
        for one in found
    ]
    output.rows(table, ("Backend", "Version", "How to install it"))
