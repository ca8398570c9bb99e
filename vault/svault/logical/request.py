"""One request to the vault and its answer, without HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from svault.logical.fields import Fields

if TYPE_CHECKING:
    from svault.logical.routes import Route


class Operation(StrEnum):
    """What a request does. POST and PUT are `update`, and become `create` where the engine says that nothing is there yet."""

    READ = "read"
    LIST = "list"
    CREATE = "create"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as far as engines may know: for templated policies, roles and metadata."""

    entity_id: str = ""
    display_name: str = ""
    policies: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    accessor: str = ""
    token_id: str = field(default="", repr=False)
    """A fingerprint of the token (never the token), stable for its life: cubbyhole's owner."""
    token_hash: str = field(default="", repr=False)
    """What the token is stored by; its leases hang on it."""


@dataclass(slots=True)
class Request:
    """A request as an engine sees it: `path` is relative to the mount, `args` what the route's pattern named.

    `data` is the body (or the query of a GET); read it through `fields`.
    """

    operation: Operation
    path: str
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    id: str = ""
    args: Mapping[str, str] = field(default_factory=dict)
    identity: Identity = field(default_factory=Identity)
    mount_path: str = ""
    remote_address: str = ""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    wrap_ttl: int = 0
    content_type: str = ""
    client_certificate: bytes | None = None
    found: tuple["Route", str, dict[str, str]] | None = field(default=None, repr=False)
    """What the engine's routes say of it, looked up once; None when that was not done, or there is no such route."""

    @property
    def fields(self) -> Fields:
        """The body by field, with Vault's conversions."""
        return Fields(self.data)


@dataclass(slots=True)
class Lease:
    """A secret's lease: the engine that made it can revoke it from `internal` alone, also after a restart.

    `kind` names the engine's revocation (`creds`), `internal` is JSON without values that must stay secret. Times are seconds; 0
    takes the mount's. Made by `System.intend_lease` when something is created outside the vault, or by the engine itself.
    """

    kind: str
    internal: Mapping[str, Any]
    ttl: int = 0
    max_ttl: int = 0
    renewable: bool = True
    id: str = ""


@dataclass(slots=True)
class Auth:
    """A login that succeeded: the core makes the token. Times are seconds; 0 takes the mount's."""

    policies: list[str]
    display_name: str = ""
    alias: str = ""
    """The name under which this mount knows the one who logged in; makes or finds the entity."""
    metadata: dict[str, str] = field(default_factory=dict)
    ttl: int = 0
    max_ttl: int = 0
    explicit_max_ttl: int = 0
    period: int = 0
    uses: int = 0
    renewable: bool = True
    token_type: str = "service"  # noqa: S105 - a kind of token, not one
    bound_cidrs: list[str] = field(default_factory=list)
    no_default_policy: bool = False
    binds_address: bool = False
    """Whether the token is good only from the address that logged in."""
    internal: dict[str, Any] = field(default_factory=dict, repr=False)
    alias_metadata: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Response:
    """An answer: `data`, or a lease with it, or a login, or raw bytes. `status` 0 is 200, or 204 when there is nothing to say."""

    data: dict[str, Any] | None = field(default=None, repr=False)
    lease: Lease | None = None
    auth: Auth | None = None
    warnings: list[str] = field(default_factory=list)
    status: int = 0
    raw: bytes | None = field(default=None, repr=False)
    content_type: str = "application/json"
    is_flat: bool = False
    """Whether the keys of `data` also stand beside it, as those of some sys paths do."""
    envelope: dict[str, Any] | None = field(default=None, repr=False)
    """What stands at the answer's top level (`auth`, `wrap_info`, lease): the core's, but for the `lease_duration` of kv v1."""
