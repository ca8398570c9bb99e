"""A token as the vault keeps it: everything but the token itself, of which only a keyed hash is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from svault.barrier.view import encoded

ROOT = "root"
WRAPPING = "response-wrapping"
"""The one policy of a token that stands for a wrapped answer."""


@dataclass(slots=True)
class Token:
    """A token. Times are seconds (`created` since the epoch); `expires` lives in its lease.

    `path` is where it was made (`auth/userpass/login/ann`), `mount` the auth mount's uuid, `parent` the parent's
    hash, empty for an orphan.
    """

    hash: str
    accessor: str
    policies: list[str]
    path: str
    created: float
    mount: str = ""
    display_name: str = "token"
    meta: dict[str, str] = field(default_factory=dict)
    uses: int = 0
    ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    role: str = ""
    entity: str = ""
    parent: str = ""
    is_orphan: bool = False
    kind: str = "service"
    bound_cidrs: list[str] = field(default_factory=list)
    is_renewable: bool = True
    max_ttl: int = 0
    internal: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_root(self) -> bool:
        """Whether it may do everything."""
        return ROOT in self.policies

    @property
    def cubbyhole(self) -> str:
        """The name of its own storage: stable, and not the hash that the token is found by."""
        return self.accessor

    def encoded(self) -> bytes:
        """As it is stored."""
        return encoded({name: getattr(self, name) for name in Token.__slots__})

    @classmethod
    def decoded(cls, stored: Mapping[str, Any]) -> "Token":
        """The inverse of `encoded`."""
        return cls(**stored)
