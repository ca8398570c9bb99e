"""One row of the mount table."""

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from svault.logical.engine import LockoutLimits, MountOptions

_BUILT_IN = {"system", "identity", "cubbyhole", "token"}


@dataclass(slots=True)
class MountEntry:
    """A mounted engine. `path` ends in `/`; an auth mount's begins with `auth/`. Times are seconds, 0 is the system's."""

    path: str
    kind: str
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    accessor: str = ""
    description: str = ""
    default_lease_ttl: int = 0
    max_lease_ttl: int = 0
    options: dict[str, str] = field(default_factory=dict)
    is_local: bool = False
    seal_wrap: bool = False
    listing_visibility: str = ""
    token_type: str = "default-service"  # noqa: S105 - a kind of token, not one
    request_keys: list[str] = field(default_factory=list)
    response_keys: list[str] = field(default_factory=list)
    request_headers: list[str] = field(default_factory=list)
    response_headers: list[str] = field(default_factory=list)
    lockout: dict[str, int] = field(default_factory=dict)
    """What was tuned of `LockoutLimits`, by its names."""
    is_removed: bool = False
    """Whether it is gone, and only its entries are still to be deleted."""
    is_tainted: bool = False
    """Whether it answers nothing while its leases are revoked; not stored."""

    def __post_init__(self) -> None:
        if not self.accessor:
            self.accessor = f"{'auth_' if self.is_auth else ''}{self.kind}_{secrets.token_hex(4)}"

    @property
    def is_auth(self) -> bool:
        """Whether it logs somebody in."""
        return self.path.startswith("auth/")

    @property
    def name(self) -> str:
        """The path as the API of its table names it: without `auth/`."""
        return self.path.removeprefix("auth/")

    @property
    def prefix(self) -> str:
        """Where its entries are stored."""
        return f"{'auth' if self.is_auth else 'logical'}/{self.uuid}/"

    def tuned(self) -> MountOptions:
        """What its engine reads."""
        return MountOptions(
            self.default_lease_ttl, self.max_lease_ttl, self.description, dict(self.options), self.lockout_limits()
        )

    def lockout_limits(self) -> LockoutLimits:
        """When failed logins at this mount lock one out."""
        return LockoutLimits(**self.lockout)  # type: ignore[arg-type] # a flag is stored as a number too

    def stored(self) -> dict[str, Any]:
        """As it is stored."""
        return {name: value for name, value in asdict(self).items() if name != "is_tainted"}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "MountEntry":
        """The inverse of `stored`; columns of other versions are left out."""
        known = {column.name for column in fields(cls)} - {"is_tainted"}
        return cls(**{name: value for name, value in stored.items() if name in known})

    def described(self) -> dict[str, Any]:
        """As `sys/mounts` and `sys/auth` show it."""
        config: dict[str, Any] = {
            "default_lease_ttl": self.default_lease_ttl,
            "force_no_cache": False,
            "max_lease_ttl": self.max_lease_ttl,
        }
        if self.listing_visibility:
            config["listing_visibility"] = self.listing_visibility
        config |= {name: keys for name, keys in self.audited_keys().items() if keys}
        if self.is_auth:
            config["token_type"] = self.token_type
        if self.lockout:
            config["user_lockout_config"] = self.described_lockout()
        status = {} if self.kind in _BUILT_IN else {"deprecation_status": "supported"}
        return {
            "accessor": self.accessor,
            "config": config,
            **status,
            "description": self.description,
            "external_entropy_access": False,
            "local": self.is_local,
            "options": self.options or (None if self.kind in _BUILT_IN else {}),
            "plugin_version": "",
            "running_plugin_version": "",
            "running_sha256": "",
            "seal_wrap": self.seal_wrap,
            "type": self.kind,
            "uuid": self.uuid,
        }

    def described_lockout(self) -> dict[str, Any]:
        """The limits of failed logins, by Vault's names."""
        limits = self.lockout_limits()
        return {
            "user_lockout_counter_reset_duration": limits.counter_reset,
            "user_lockout_disable": bool(limits.is_disabled),
            "user_lockout_duration": limits.duration,
            "user_lockout_threshold": limits.threshold,
        }

    def audited_keys(self) -> dict[str, list[str]]:
        """The lists of names that `tune` sets, by Vault's names."""
        return {
            "audit_non_hmac_request_keys": self.request_keys,
            "audit_non_hmac_response_keys": self.response_keys,
            "passthrough_request_headers": self.request_headers,
            "allowed_response_headers": self.response_headers,
        }
