"""The token that `login` keeps for later commands: `~/.svault-token`, mode 0600."""

import os
from contextlib import suppress
from pathlib import Path

from svault.errors import BadRequestError

FILE = ".svault-token"


def token_file() -> Path:
    """Where it is kept."""
    return Path.home() / FILE


def kept_token() -> str:
    """The kept token, or nothing."""
    with suppress(OSError, UnicodeDecodeError):
        return token_file().read_text("utf-8").strip()
    return ""


def keep_token(token: str) -> Path:
    """Keep a token, for this user alone. Raises BadRequestError."""
    path = token_file()
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(token)
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        raise BadRequestError(f"the token cannot be kept in {path}: {error.strerror}", hint="use -no-store") from None
    return path


def forget_token() -> None:
    """Remove the kept token."""
    with suppress(OSError):
        token_file().unlink()
