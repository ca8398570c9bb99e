"""What the core knows of a request when it is audited: no text yet, values still as they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from svault.logical.request import Request, Response

PolicyKind = Literal["acl", "cedar"]


@dataclass(frozen=True, slots=True)
class GrantingPolicy:
    """A policy that allowed the request, and of which kind it is."""

    name: str
    kind: PolicyKind = "acl"


@dataclass(slots=True)
class AuditAuth:
    """Who asks and what the policies said. The defaults are a request without a token. Times are seconds.

    Never changed; not frozen, because making a frozen one takes three times as long, and each request makes one.
    """

    client_token: str = field(default="", repr=False)
    accessor: str = field(default="", repr=False)
    display_name: str = ""
    policies: Sequence[str] = ()
    token_policies: Sequence[str] = ()
    identity_policies: Sequence[str] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    entity_id: str = ""
    token_type: str = "default"  # noqa: S105 - Vault's word for a request without a token
    token_ttl: int = 0
    token_issue_time: float = 0.0
    remaining_uses: int = 0
    allowed: bool | None = None
    """What the policies decided; None when they were never asked (an unknown token)."""
    granting_policies: Sequence[GrantingPolicy] = ()
    reason: str = ""
    """Why it was denied, in words for people. Our addition: Vault's entries have no such member."""


@dataclass(slots=True)
class AuditMount:
    """Where a request went, and which keys of its bodies the mount's tuning leaves readable. Never changed."""

    path: str
    kind: str
    accessor: str
    mount_class: Literal["secret", "auth"] = "secret"
    non_hmac_request_keys: frozenset[str] = frozenset()
    non_hmac_response_keys: frozenset[str] = frozenset()


@dataclass(slots=True)
class AuditRecord:
    """A request as the broker gets it; the core fills in `response` and `error` later and hands the same object in again.

    `path` is the whole path, mount and all. What Vault shows of a login's or a wrapping's answer (`auth`, `wrap_info`,
    `lease_id`) is read from the response's envelope.
    """

    request: Request
    path: str
    auth: AuditAuth = field(default_factory=AuditAuth)
    mount: AuditMount | None = None
    remote_port: int = 0
    response: Response | None = None
    error: str = ""
    began: float = 0.0
    """When the request came, in seconds since the epoch, where both its entries are written at once."""
    encoded: dict[str, tuple[bytes, bytes]] = field(default_factory=dict, repr=False)
    """The members `auth` and `request` by device, as the request's entry had them: the response's does not compute them again."""
