"""`svault audit`: the devices of a vault, and the check of their files, which needs no vault."""

import base64
import binascii
from pathlib import Path

import click

from svault.cli import output
from svault.cli.commands.tables import audit
from svault.cli.failure import CommandError
from svault.cli.groups import Command
from svault.errors import VaultError

__all__ = ["audit"]
PUBLIC_KEY_BYTES = 1952


@click.command("verify", cls=Command)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--public-key", type=click.Path(path_type=Path), help="ML-DSA-65 public key (raw, base64 or hex) that must have signed."
)
@click.option("--expected-head", help="A head (SEQ:HASH) that was noted before: it must still be in the chain.")
@click.option("--format", "shape", type=click.Choice(["table", "json"]), default="table", help="table or json.")
def verify(path: Path, public_key: Path | None, expected_head: str | None, shape: str) -> int:
    """Check the hash chain and the signatures of an audit file, or of all in a folder: exit code 0 intact, 1 broken.

    Without -public-key the chain is checked against the key that its first file names: that shows damage, not a forgery by
    somebody who wrote the whole chain anew.
    """
    from svault.audit.records import Head  # noqa: PLC0415 - as below
    from svault.audit.verify import verify as check  # noqa: PLC0415 - loads the crypto libraries
    from svault.crypto.choice import backend  # noqa: PLC0415 - as above

    try:
        expected = Head.parse(expected_head) if expected_head else None
    except ValueError as error:
        raise CommandError(f"-expected-head: {error}") from None
    try:
        found = check(path, _key(public_key) if public_key else None, backend("openssl"), expected)
    except OSError as error:
        raise CommandError(f"{error.filename or path} cannot be read: {error.strerror}") from None
    except VaultError as error:
        raise CommandError(error.message, hint=error.hint) from None
    if shape == "json":
        output.as_json(
            {
                "ok": found.ok,
                "files": found.files,
                "lines": found.lines,
                "entries": found.entries,
                "signed_up_to": found.signed_up_to,
                "unsigned": found.unsigned,
                "head": str(found.head),
                "key_id": found.key_id,
                "key_given": public_key is not None,
                "problems": [one._asdict() for one in found.problems],
                "notes": [one._asdict() for one in found.notes],
            }
        )
        return 0 if found.ok else 1
    for kind, ones in (("problem", found.problems), ("note", found.notes)):
        for one in ones:
            click.echo(f"{kind}: {one.file}:{one.line}: {one.what}" if one.line else f"{kind}: {one.file}: {one.what}")
    click.echo(f"{len(found.files)} files, {found.lines} lines, {found.entries} entries, {found.unsigned} not signed yet")
    click.echo(f"key {found.key_id}")
    click.echo(f"head {found.head}")
    click.echo("The chain is intact." if found.ok else f"The chain is broken: {len(found.problems)} problems.")
    if found.ok and public_key is None:
        click.echo("note: the key is the one that the file itself names; give -public-key to know who signed", err=True)
    return 0 if found.ok else 1


def _key(path: Path) -> bytes:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise CommandError(f"the file {path} cannot be read: {error.strerror}") from None
    if len(text) == PUBLIC_KEY_BYTES:
        return text
    for decode in (binascii.unhexlify, lambda value: base64.b64decode(value, validate=True)):
        try:
            key = decode(b"".join(text.split()))
        except (ValueError, binascii.Error):
            continue
        if len(key) == PUBLIC_KEY_BYTES:
            return key
    raise CommandError(f"the file {path} holds no ML-DSA-65 public key ({PUBLIC_KEY_BYTES} bytes, raw, base64 or hex)")


audit.add_command(verify)
