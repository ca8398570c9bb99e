"""Names and passwords of users that the vault creates.

Source: Vault's default template for PostgreSQL, `v-<display name>-<role>-<20 random characters>-<seconds since the epoch>`.
"""

import re
import secrets
import string
from collections.abc import Callable

from svault.errors import BadRequestError

MAX_NAME_BYTES = 63
"""PostgreSQL cuts off longer names without an error (NAMEDATALEN)."""
MIN_RANDOM = 8
PASSWORD_LENGTH = 20
DEFAULT_TEMPLATE = "v-{{.DisplayName | truncate 8}}-{{.RoleName | truncate 8}}-{{random 20}}-{{unix_time}}"
_LETTERS_AND_DIGITS = string.ascii_letters + string.digits
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]")
_ACTION = re.compile(r"\{\{\s*(?P<source>\.DisplayName|\.RoleName|unix_time|random\s+\d{1,2})\s*(?P<pipes>(?:\|[^{}|]*)*)\}\}")
_PIPE = re.compile(r"\s*(?:(truncate)\s+(\d{1,2})|(lowercase)|(uppercase))\s*")
_REFUSED = (
    "username_template: only text of letters, digits, '_', '-' and {{.DisplayName}}, {{.RoleName}}, {{random N}}, {{unix_time}} "
    "with '| truncate N', '| lowercase', '| uppercase' are understood"
)


def check_template(template: str) -> None:
    """Raise BadRequestError for a template that is not understood, or whose names could meet."""
    rest = _ACTION.sub("", template)
    if _UNSAFE.search(rest) or not all(_PIPE.fullmatch(pipe) for found in _ACTION.finditer(template) for pipe in _pipes(found)):
        raise BadRequestError(_REFUSED)
    # The name of one user must never be that of another: revoking the one would drop the other.
    if max((_random_length(found) for found in _ACTION.finditer(template)), default=0) < MIN_RANDOM:
        raise BadRequestError(f"username_template: {{{{random N}}}} with N of at least {MIN_RANDOM} is needed")
    new_username(template, "", "", 0)


def new_username(template: str, display_name: str, role: str, now: float) -> str:
    """A new name by a template, in letters, digits, `_` and `-`. Raises BadRequestError when it has more than 63 bytes."""
    sources: dict[str, Callable[[], str]] = {
        ".DisplayName": lambda: _UNSAFE.sub("-", display_name),
        ".RoleName": lambda: _UNSAFE.sub("-", role),
        "unix_time": lambda: f"{int(now):010}",
    }

    def value(found: re.Match[str]) -> str:
        source, _, length = found["source"].partition(" ")
        text = _random(int(length)) if source == "random" else sources[source]()
        for pipe in _pipes(found):
            text = _piped(text, pipe)
        return text

    name = _ACTION.sub(value, template)
    if len(name) > MAX_NAME_BYTES:
        raise BadRequestError(
            f"username_template: a name of {len(name)} bytes is longer than PostgreSQL's {MAX_NAME_BYTES}; use truncate"
        )
    return name


def new_password() -> str:
    """A new password of 20 letters, digits and `-`, with each of them in it: about 117 bits."""
    while True:
        password = "".join(secrets.choice(_LETTERS_AND_DIGITS + "-") for _ in range(PASSWORD_LENGTH))
        kinds = (string.ascii_lowercase, string.ascii_uppercase, string.digits, "-")
        if all(not set(kind).isdisjoint(password) for kind in kinds) and password[0] != "-":
            return password


def _random_length(found: re.Match[str]) -> int:
    """How many random characters an action leaves."""
    source, _, length = found["source"].partition(" ")
    cuts = [int(cut[1]) for cut in re.finditer(r"truncate\s+(\d+)", found["pipes"])]
    return min([int(length), *cuts]) if source == "random" else 0


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS_AND_DIGITS) for _ in range(length))


def _pipes(found: re.Match[str]) -> list[str]:
    return found["pipes"].split("|")[1:]


def _piped(text: str, pipe: str) -> str:
    parsed = _PIPE.fullmatch(pipe)
    assert parsed is not None, "checked when the template was written"
    if parsed[1]:
        return text[: int(parsed[2])]
    return text.lower() if parsed[3] else text.upper()
