"""Who is calling over MCP, for as long as one message is handled."""

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from stratumops.errors import InternalError
from stratumops.principal import Principal

SCOPE_KEY = "prov.principal"
"""Where the HTTP face keeps the authenticated `Principal` of a request: in its ASGI scope."""

caller: ContextVar[Principal] = ContextVar("caller")
"""Set around every message."""

client: ContextVar[str] = ContextVar("client", default="")
"""What the client's program calls itself, where it has said so; set with `caller`."""


def principal_of(scope: Mapping[str, Any]) -> Principal:
    """The principal of an HTTP request. Raises InternalError when nobody has authenticated it: a gap in our own layers."""
    found = scope.get(SCOPE_KEY)
    if not isinstance(found, Principal):
        raise InternalError("the request came without a principal", hint="a defect of ours; please report it")
    return found
