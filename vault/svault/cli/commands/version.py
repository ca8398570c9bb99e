"""`svault version`."""

import click


@click.command("version")
def version() -> None:
    """Tell the version."""
    from svault.version import VERSION  # noqa: PLC0415 - reading it takes time

    click.echo(f"svault {VERSION}")
