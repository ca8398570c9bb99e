"""`prov vault encrypt` and `decrypt`: a person's files, with a key that never leaves the vault.

What is opened goes to a file or to a person's terminal. A pipe gets nothing: what it gets, a model may read (see `vault_read`).
"""

import base64
import binascii
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text
from rich_click import RichArgument, RichOption

from prov_server.cli.console import visible
from prov_server.cli.groups import Command
from prov_server.cli.paths import typed_path
from prov_server.cli.session import Session
from prov_server.cli.vaults import with_vault
from stratumops.errors import InvalidInputError, NotFoundError, PermissionDeniedError

if TYPE_CHECKING:
    from prov_server.vault.access import VaultAccess

ENGINE = "transit"
STDIN = "-"
PREFIX = b"vault:v"
MAX_BYTES = 16 << 20
"""Of a file: with the text that is sent for it, what one request to a vault may hold."""
MAX_CIPHERTEXT = 24 << 20
LARGE = (
    "encrypt it with a program for large files (age, gpg, openssl) and keep that program's passphrase here: "
    "prov vault store secret/backup passphrase --generate"
)


def _encrypt(key: str, source: str | None, file: str | None, output: str | None, force: bool, engine: str) -> None:
    from prov_server.cli.writing import write_new

    session = Session.current()
    _require_name(key)
    if (source is None) == (file is None):
        raise InvalidInputError("what is to be encrypted?", hint=f"prov vault encrypt {key} --file FILE, or a secret's handle")
    if source is not None:
        from stratumops.schema import compact_dump

        made = compact_dump(session.call("vault_encrypt", {"key": key, "source": source, "engine": engine}))
    else:
        data = _read(str(file), MAX_BYTES, LARGE)
        made = with_vault(session, lambda vault: _sealed(vault, engine, key, data))
    if output not in {None, STDIN}:
        (path,) = write_new({str(output): made["ciphertext"] + "\n"}, force=force, mode=0o600)
        _tell_written(session, path, {"key": made["key"], "key_version": made["key_version"]})
    elif session.as_json:
        session.say_json(made)
    else:
        click.echo(made["ciphertext"])


async def _sealed(vault: "VaultAccess", engine: str, key: str, data: bytes) -> dict[str, Any]:
    from prov_tools.vault.transit import encrypted

    made = await encrypted(await vault.client(), engine, key, data)
    return {"ciphertext": made["ciphertext"], "key": key, "key_version": made["key_version"]}


def _decrypt(key: str, ciphertext: str | None, file: str | None, output: str | None, force: bool, engine: str) -> None:
    from prov_server.cli.writing import write_new_bytes

    session = Session.current()
    _require_name(key)
    if (ciphertext is None) == (file is None):
        raise InvalidInputError("what is to be decrypted?", hint=f"prov vault decrypt {key} --file FILE, or a ciphertext")
    is_shown = output in {None, STDIN}
    if is_shown and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise PermissionDeniedError(
            "what is decrypted goes to a file or to a person's terminal, and this is none: what a pipe gets, a model may read",
            hint="--output FILE writes it, for you alone to read",
        )
    sealed = str(ciphertext).encode() if ciphertext is not None else _read(str(file), MAX_CIPHERTEXT, "it was not made here")
    sealed = sealed.strip()
    if not sealed.startswith(PREFIX):
        raise InvalidInputError(
            "this is no ciphertext of a vault", hint="it begins with vault:v1:, as `prov vault encrypt` made it"
        )
    data = with_vault(session, lambda vault: _opened(vault, engine, key, sealed.decode("ascii", "replace")))
    if not is_shown:
        (path,) = write_new_bytes({str(output): data}, force=force, mode=0o600)
        _tell_written(session, path, {"bytes": len(data)})
        return
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise InvalidInputError("this is no text", hint="--output FILE writes the bytes") from None
    if session.as_json:
        session.say_json({"text": text})
    else:
        session.out.print(Text(visible(text)), soft_wrap=True, end="" if text.endswith("\n") else "\n")


async def _opened(vault: "VaultAccess", engine: str, key: str, sealed: str) -> bytes:
    from prov_tools.vault.mounts import require_mount

    client = await vault.client()
    mount, _ = await require_mount(client, engine, "transit")
    found = await client.request("POST", f"{mount.path}decrypt/{key}", {"ciphertext": sealed})
    try:
        return base64.b64decode(found["data"]["plaintext"], validate=True)
    except (binascii.Error, ValueError):
        raise InvalidInputError("the vault answered no bytes", hint="was it encrypted as base64?") from None


def _require_name(key: str) -> None:
    if not re.fullmatch(r"[\w.-]{1,256}", key):
        raise InvalidInputError(f"{key[:80]!r} is no name of a key", hint="letters, digits, _ . and -, such as backups")


def _read(name: str, limit: int, hint: str) -> bytes:
    """Raises NotFoundError (it cannot be read), InvalidInputError (it is larger than `limit` bytes)."""
    if name == STDIN:
        data = sys.stdin.buffer.read(limit + 1)
    else:
        path: Path = typed_path(name)
        try:
            with path.open("rb") as stream:
                data = stream.read(limit + 1)
        except OSError as error:
            raise NotFoundError(f"{name} cannot be read: {error.strerror}", hint="--file FILE; - is stdin") from None
    if len(data) > limit:
        said = "stdin" if name == STDIN else name
        raise InvalidInputError(f"{said} has more than {limit >> 20} MiB, which is more than a vault takes at once", hint=hint)
    return data


def _tell_written(session: Session, path: str, facts: dict[str, Any]) -> None:
    if session.as_json:
        session.say_json({"file": path, **facts})
    else:
        session.notes.print(Text.assemble(("wrote ", "good"), visible(path)), soft_wrap=True)


def _params(argument: RichArgument, what: str) -> list[click.Parameter]:
    return [
        RichArgument(["key"], help="Name of a key of the transit engine"),
        argument,
        RichOption(["--file"], metavar="FILE", help=f"{what}, at any path; - is stdin; at most {MAX_BYTES >> 20} MiB"),
        RichOption(["--output", "-o"], metavar="FILE", help="Write it here instead of to the terminal, readable by you alone"),
        RichOption(["--force"], is_flag=True, default=False, help="Overwrite a file that exists"),
        RichOption(["--engine"], default=ENGINE, show_default=True, help="Where the transit engine is mounted"),
    ]


encrypt = Command(
    "encrypt",
    callback=_encrypt,
    params=_params(
        RichArgument(["source"], required=False, help="A secret's handle, or the path of a workspace file"),
        "The bytes of this file",
    ),
    help="Encrypt a secret or a file with a key of the vault; the key is made on first use.",
)
decrypt = Command(
    "decrypt",
    callback=_decrypt,
    params=_params(
        RichArgument(["ciphertext"], required=False, help="vault:v1:..., as encrypt printed it"), "What encrypt wrote"
    ),
    help="Decrypt what `prov vault encrypt` made, into a file or on a terminal; never through a pipe.",
)
