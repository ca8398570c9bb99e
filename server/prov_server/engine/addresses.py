"""Addresses that hold a password: what may be shown of them, and what must never leave."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_USER = re.compile(r"(?<=://)[^\s]*@")
_PARAMETER = re.compile(r"([?&][^=&#\s]*password=)([^&#\s]*)", re.IGNORECASE)
_HIDDEN = "***"


def without_password(value: Any) -> Any:
    """A setting as it may be shown: an address without its user, password and password parameters; anything else as it is."""
    if isinstance(value, list):
        return [without_password(one) for one in value]
    if not isinstance(value, str) or "://" not in value:
        return value
    return _PARAMETER.sub(rf"\g<1>{_HIDDEN}", _USER.sub(f"{_HIDDEN}@", value))


def passwords(url: str) -> Iterator[str]:
    """The passwords in an address, as they are written there and as they are meant."""
    if (user := _USER.search(url)) is not None:
        _, colon, password = user[0][:-1].partition(":")
        if colon:
            yield from {password, unquote(password)}
    for found in _PARAMETER.finditer(url):
        yield from {found[2], unquote(found[2])}
