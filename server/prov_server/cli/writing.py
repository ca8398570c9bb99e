"""Files that a person asked for: never half-written, never over another one unless told so."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from stratumops.errors import ConflictError, InvalidInputError, PermissionDeniedError


def write_new(files: Mapping[str, str], *, force: bool = False, mode: int = 0o644) -> list[str]:
    """Write texts to paths (made where needed) and answer the paths; checks all of them before it writes the first.

    Raises ConflictError (one exists), InvalidInputError (no usable path), PermissionDeniedError (the system refuses).
    """
    for name in files:
        path = Path(name)
        if "\x00" in name or ".." in PurePosixPath(name).parts[1:] or path.is_dir():
            raise InvalidInputError(f"{name!r} is not a path that a file can be written to", hint="name a file")
        if not force and (path.exists() or path.is_symlink()):
            raise ConflictError(f"{name} exists already", hint="use --force to overwrite it, or choose another name", path=name)
    for name, text in files.items():
        replace_text(Path(name), text, mode=mode)
    return list(files)


def replace_text(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a file by way of a new one beside it, so that a reader sees the old text or the new. Keeps an old file's mode."""
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        keep = target.stat().st_mode & 0o777 if target.exists() else mode
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(temporary).chmod(keep)
            Path(temporary).replace(target)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise PermissionDeniedError(f"{path} cannot be written: {error.strerror}", hint="choose another place") from None
