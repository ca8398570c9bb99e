"""A request as it came from outside, and the answer that goes back: what every door (HTTP, in process) translates."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from svault.errors import VaultError
from svault.logical.request import Operation

_OPERATIONS = {
    "GET": Operation.READ,
    "HEAD": Operation.READ,
    "LIST": Operation.LIST,
    "POST": Operation.UPDATE,
    "PUT": Operation.UPDATE,
    "PATCH": Operation.PATCH,
    "DELETE": Operation.DELETE,
}


@dataclass(slots=True)
class Call:
    """`path` is what stands after `/v1/`, decoded; `data` the body, or the query of a GET or DELETE."""

    method: str
    path: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    remote_address: str = ""
    remote_port: int = 0
    wrap_ttl: int = 0
    content_type: str = ""
    client_certificate: bytes | None = None

    @property
    def operation(self) -> Operation | None:
        """What the method means, or None for one that Vault does not know."""
        return _OPERATIONS.get(self.method)


@dataclass(slots=True)
class Answer:
    """A status and a JSON body, or raw bytes."""

    status: int = 200
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    raw: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, error: VaultError) -> "Answer":
        """A failure as Vault sends it."""
        body: dict[str, Any] = {"errors": error.errors}
        if error.data is not None:
            body["data"] = error.data
        if error.warnings:
            body["warnings"] = error.warnings
        return cls(error.http_status, body)
