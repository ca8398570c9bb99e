"""`svault server`."""

from pathlib import Path

import click

from svault.cli.groups import Command


@click.command("server", cls=Command)
@click.option(
    "--config", "config", type=click.Path(path_type=Path), help="svault.toml, or Vault's configuration in its JSON form."
)
@click.option("--dev", is_flag=True, help="For trying out: in memory, unsealed, kv version 2 at secret/, a root token on stderr.")
@click.option("--dev-root-token-id", default="", help="The root token of -dev.")
@click.option("--dev-listen-address", default="", help="Where -dev listens; 127.0.0.1:8200 when left out.")
@click.option("--dev-no-store-token", is_flag=True, help="Do not keep the root token of -dev for later commands.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="From which level on to log to stderr."
)
def server(
    config: Path | None,
    dev: bool,
    dev_root_token_id: str,
    dev_listen_address: str,
    dev_no_store_token: bool,
    log_level: str | None,
) -> None:
    """Start a server and run until SIGTERM. SIGHUP reads audit files and certificates anew. stdout stays quiet."""
    from svault.cli.serving import serve_config, serve_dev  # noqa: PLC0415 - other uses of this module are help and completion

    if dev:
        if config is not None:
            raise click.UsageError("give -dev or --config, not both")
        serve_dev(dev_root_token_id, dev_listen_address, keeps_token=not dev_no_store_token, log_level=log_level or "warning")
        return
    if config is None:
        raise click.UsageError("give --config FILE, or -dev for trying out")
    serve_config(config, log_level)
