"""Add our server to a client's configuration, and take it out again as if it had never been there."""

import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from prov_server.install.clients import Client, Scope
from prov_server.install.config_file import ConfigFile
from prov_server.install.json_edit import JsonDocument
from prov_server.install.manifest import SERVE_ARGUMENTS, SERVER_NAME
from prov_server.install.toml_edit import TomlDocument
from stratumops.errors import InvalidInputError, NotFoundError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_SECRET = re.compile(
    r"token|secret|passw|passphrase|credential|(?:api|access|auth|signing|encryption|private)[-_]?key|^--?key\b", re.IGNORECASE
)


class Document(Protocol):
    """A configuration text in any of the formats."""

    def get(self, path: Sequence[str]) -> Any: ...

    def set(self, path: Sequence[str], value: dict[str, Any]) -> str: ...

    def remove(self, path: Sequence[str]) -> str: ...


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, or would be done, to one file.

    `before` and `after` are the whole texts (None: no file); they may hold other servers' secrets, so show `entry`, never
    them. `backup` is the copy that was made, if any.
    """

    path: Path
    before: str | None = field(repr=False)
    after: str | None = field(repr=False)
    backup: Path | None = None
    entry: dict[str, Any] = field(default_factory=dict)

    @property
    def changed(self) -> bool:
        """Whether the file differs (or would)."""
        return self.before != self.after


def running_command() -> str:
    """The absolute path of the `prov` that runs now, as a client must start it (links are kept: they outlive upgrades)."""
    running = Path(sys.argv[0])
    if running.stem == "prov" and running.is_file():
        return str(running.absolute())
    beside = Path(sys.executable).with_name("prov")
    if beside.is_file():
        return str(beside.absolute())
    found = shutil.which("prov")
    if found is None:
        raise NotFoundError("the command `prov` is not installed", hint="install the package, then run `prov mcp install` again")
    return str(Path(found).absolute())


def serve_arguments(workspace: Path | None = None) -> list[str]:
    """What follows the command: `mcp serve`, and the workspace by its absolute path when one is given."""
    return [*SERVE_ARGUMENTS, *(["--workspace", str(workspace.absolute())] if workspace else [])]


def install(
    client: Client,
    *,
    server_name: str = SERVER_NAME,
    command: str,
    args: Sequence[str] = SERVE_ARGUMENTS,
    env: Mapping[str, str] | None = None,
    scope: Scope = "user",
    home: Path | None = None,
    project: Path | None = None,
    dry_run: bool = False,
) -> Change:
    """Write the server's entry into the client's file; everything else in it stays as it is, byte for byte.

    Installing the same entry again changes nothing. A file that is changed is backed up beside itself first. With
    `dry_run` nothing is written. Raises InvalidInputError (a broken file with line and column, a secret, a wrong name),
    PermissionDeniedError, ConflictError; the file is then as it was.
    """
    _check(server_name, args, env or {})
    file = _file(client, scope, home, project)
    before = file.read()
    entry = {**client.entry, "command": command, "args": list(args), **({"env": dict(env)} if env else {})}
    after = _document(client, file, before or "").set((*client.key, server_name), entry)
    if after == before or dry_run:
        return Change(file.path, before, after, None, entry)
    backup = file.back_up()
    file.replace(before, after)
    return Change(file.path, before, after, backup, entry)


def uninstall(
    client: Client,
    *,
    server_name: str = SERVER_NAME,
    scope: Scope = "user",
    home: Path | None = None,
    project: Path | None = None,
    dry_run: bool = False,
) -> Change:
    """Take the server's entry out of the client's file.

    When nothing else has changed since the installation, the file becomes what it was, byte for byte (a file that we made
    goes away), and the backups that say the same are removed. Otherwise the entry alone is cut out, after a backup.
    Raises as `install`.
    """
    _check(server_name, (), {})
    file = _file(client, scope, home, project)
    before = file.read()
    path = (*client.key, server_name)
    entry = None if before is None else _document(client, file, before).get(path)
    if before is None or entry is None:
        return Change(file.path, before, before)
    backups = {backup: _text(backup) for backup in file.backups()}
    found, original = _original(client, file, before, path, [text for text in backups.values() if text is not None])
    if found:
        if not dry_run:
            file.replace(before, original)
            for backup, text in backups.items():
                if text is not None and _same_but_ours(client, file, text, original, path):
                    backup.unlink(missing_ok=True)
        return Change(file.path, before, original, None, _as_entry(entry))
    after = _document(client, file, before).remove(path)
    if dry_run:
        return Change(file.path, before, after, None, _as_entry(entry))
    saved = file.back_up()
    file.replace(before, after)
    return Change(file.path, before, after, saved, _as_entry(entry))


def registered(
    client: Client,
    *,
    server_name: str = SERVER_NAME,
    scope: Scope = "user",
    home: Path | None = None,
    project: Path | None = None,
) -> dict[str, Any] | None:
    """The server's entry in the client's file, or None. Raises InvalidInputError for a broken file."""
    file = _file(client, scope, home, project)
    text = file.read()
    entry = None if text is None else _document(client, file, text).get((*client.key, server_name))
    return None if entry is None else _as_entry(entry)


def _as_entry(entry: Any) -> dict[str, Any]:
    return dict(entry) if isinstance(entry, dict) else {}


def _check(server_name: str, args: Sequence[str], env: Mapping[str, str]) -> None:
    if not _NAME.fullmatch(server_name):
        raise InvalidInputError(f"{server_name[:80]!r} is no name for a server", hint="use letters, digits, - and _")
    flags = [one.partition("=")[0] for one in args if one.startswith("-")]
    secret = next((name for name in (*env, *flags) if _SECRET.search(name)), None)
    if secret is not None:
        raise InvalidInputError(
            f"{secret[:80]} looks like a secret; clients keep their configuration in plain text",
            hint="put secrets into the vault or the server's own environment, not into a client's file",
        )


def _file(client: Client, scope: Scope, home: Path | None, project: Path | None) -> ConfigFile:
    path = client.config_path(scope, home=home, project=project)
    return ConfigFile(path, within=(project or Path.cwd()) if scope == "project" else None)


def _document(client: Client, file: ConfigFile, text: str) -> Document:
    if client.format == "toml":
        return TomlDocument(text, str(file.path))
    return JsonDocument(text, client.format == "jsonc", str(file.path))


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _original(client: Client, file: ConfigFile, now: str, path: Sequence[str], backups: Sequence[str]) -> tuple[bool, str | None]:
    """What the file was when installing turned it into `now`: a backup's text, or None when there was no file."""
    entry = _document(client, file, now).get(path)
    candidates: list[str | None] = [*backups, None]
    for candidate in candidates:
        try:
            document = _document(client, file, candidate or "")
            if document.get(path) is None and document.set(path, entry) == now:
                return True, candidate
        except InvalidInputError:
            continue
    return False, None


def _same_but_ours(client: Client, file: ConfigFile, text: str, original: str | None, path: Sequence[str]) -> bool:
    """Whether a backup holds nothing but `original`, with or without an entry of ours."""
    if text == original:
        return True
    try:
        entry = _document(client, file, text).get(path)
        return entry is not None and _document(client, file, original or "").set(path, entry) == text
    except InvalidInputError:
        return False
