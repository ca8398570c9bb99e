"""What stands between the command `server` and the server process: logs, findings, the vault of `-dev`."""

import logging
from pathlib import Path
from typing import Any, cast

import click

from stratumops.logging import Level, configure
from svault.cli.failure import CommandError
from svault.cli.tokens import keep_token
from svault.config.assembly import core_of
from svault.config.errors import ConfigError
from svault.config.loading import load
from svault.config.model import DEFAULT_ADDRESS, ServerSection, Settings, StorageSection, parsed_address
from svault.config.safety import unsafe
from svault.core.call import Call
from svault.core.core import Core
from svault.core.mount_entry import MountEntry
from svault.core.settings import CoreSettings
from svault.crypto.choice import backend
from svault.errors import InternalError
from svault.http.server import serve
from svault.storage.memory import MemoryStorage

_log = logging.getLogger(__name__)


def serve_config(path: Path, log_level: str | None) -> None:
    """Serve what a file describes. Raises VaultErrors of the start."""
    loaded = load(path)
    settings = loaded.settings
    configure(level=cast("Level", log_level or settings.vault.log_level))
    findings = [*loaded.findings, *unsafe(loaded)]
    refused = [one for one in findings if one.severity == "error"]
    if refused:
        raise ConfigError(*(f"{path}: {one.key}: {one.message}" for one in refused), hint=refused[0].hint)
    for one in findings:
        if one.severity == "warning":
            _log.warning("%s", one.said)
    # Relative paths of the file are those of its reader's folder, as in Vault.
    serve(lambda: core_of(settings), settings)


def serve_dev(root_token: str, address: str, *, keeps_token: bool, log_level: str) -> None:
    """Serve a vault in memory that is initialised and unsealed, as `vault server -dev` does."""
    configure(level=cast("Level", log_level))
    try:
        place = parsed_address(address or DEFAULT_ADDRESS)
    except ValueError as error:
        raise CommandError(f"-dev-listen-address: {error}") from None
    settings = Settings(storage=StorageSection(backend="memory"), server=ServerSection(address=place, workers=1))
    if not settings.server.address.is_loopback:
        click.echo("warning: -dev listens on an address that other machines reach, without TLS", err=True)

    async def prepare(core: Core) -> str:
        shares, token = await core.initialize(1, 1)
        await core.unseal(shares[0])
        if root_token:
            token = await _replaced(core, token, root_token)
        url = f"http://{settings.server.address}"
        lines = [
            "This vault is for trying out: it is in memory, unsealed, and forgets everything when it ends.",
            "",
            f"    export VAULT_ADDR='{url}'",
            "",
            f"Unseal Key: {_base64(shares[0])}",
            f"Root Token: {token}",
        ]
        if keeps_token:
            lines += ["", f"The root token is kept for later commands: {keep_token(token)}"]
        return "\n".join(lines)

    mounts = (MountEntry("secret/", "kv", description="key/value secret storage", options={"version": "2"}),)
    serve(lambda: Core(MemoryStorage(), crypto=backend(), settings=CoreSettings(mounts=mounts)), settings, prepare)


async def _replaced(core: Core, token: str, wanted: str) -> str:
    """Make `wanted` the root token instead of the one that init made."""
    made = {"id": wanted, "policies": ["root"], "no_parent": True, "display_name": "root"}
    for path, data in (("auth/token/create", made), ("auth/token/revoke-self", {})):
        answer = await core.handle(Call("POST", path, cast("dict[str, Any]", data), token, remote_address="127.0.0.1"))
        if answer.status >= 300:
            reasons = (answer.body or {}).get("errors", ())
            raise InternalError(f"-dev-root-token-id cannot be used: {'; '.join(reasons)}")
    return wanted


def _base64(share: bytes) -> str:
    import base64  # noqa: PLC0415 - for -dev alone

    return base64.b64encode(share).decode()
