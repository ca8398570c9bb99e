"""Files that a person asked for: never half-written, never over another one unless told so."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from stratumops.errors import ConflictError, InvalidInputError, NotFoundError, PermissionDeniedError
from stratumops.workspace import OWN_FOLDER, Workspace

STDOUT = "-"
CONFIG_SUFFIX = ".ncl"


def require_place(name: str, workspace: Workspace) -> None:
    """Refuse a path at which a generated configuration would do harm, or could not be read again by our own tools.

    One folder is made for it, inside the workspace. Raises InvalidInputError, NotFoundError or PermissionDeniedError.
    """
    if "\x00" in name or not name.lower().endswith(CONFIG_SUFFIX):
        raise InvalidInputError(
            f"{name!r} is no name for a configuration: it is Nickel", hint=f"let it end in {CONFIG_SUFFIX}; - is stdout"
        )
    real = Path(name).expanduser().resolve()
    is_inside = real.is_relative_to(workspace.root)
    parts = real.relative_to(workspace.root) if is_inside else real
    is_readable = Workspace.is_readable(parts) if is_inside else not {OWN_FOLDER, ".git"}.intersection(parts.parts)
    if not is_readable:
        raise PermissionDeniedError(
            f"{name} is no place for a configuration: tools do not read there", hint="choose another name or folder", path=name
        )
    parent = real.parent
    if not parent.is_dir() and not (is_inside and parent.parent.is_dir()):
        raise NotFoundError(f"there is no folder {parent}", hint="make it first, or choose another place", path=name)


def write_new(files: Mapping[str, str], *, force: bool = False, mode: int = 0o644) -> list[str]:
    """Write texts, as `write_new_bytes` does."""
    return write_new_bytes({name: text.encode() for name, text in files.items()}, force=force, mode=mode)


def write_new_bytes(files: Mapping[str, bytes], *, force: bool = False, mode: int = 0o644) -> list[str]:
    """Write bytes to paths (made where needed) and answer the paths; checks all of them before it writes the first.

    Raises ConflictError (one exists), InvalidInputError (no usable path), PermissionDeniedError (the system refuses).
    """
    for name in files:
        path = Path(name)
        if "\x00" in name or ".." in PurePosixPath(name).parts[1:] or path.is_dir():
            raise InvalidInputError(f"{name!r} is not a path that a file can be written to", hint="name a file")
        if not force and (path.exists() or path.is_symlink()):
            raise ConflictError(f"{name} exists already", hint="use --force to overwrite it, or choose another name", path=name)
    for name, data in files.items():
        _replace(Path(name), data, mode)
    return list(files)


def replace_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file by way of a new one beside it, so that a reader sees the old text or the new. Keeps an old file's mode."""
    _replace(path, text.encode(), mode)


def _replace(path: Path, data: bytes, mode: int) -> None:
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        keep = target.stat().st_mode & 0o777 if target.exists() else mode
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            Path(temporary).chmod(keep)
            Path(temporary).replace(target)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PermissionDeniedError(f"{path} cannot be written: {error.strerror}", hint="choose another place") from None
