"""Roles: what `roles/:name` and `static-roles/:name` take, keep and show. Source: Vault's API, "Database Secrets Engine"."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from svault.engines.database.statements import statements_field
from svault.errors import BadRequestError
from svault.logical import Fields, rfc3339

STATEMENTS = ("creation_statements", "revocation_statements", "rollback_statements", "renew_statements")
MIN_ROTATION = 5  # seconds
MAX_USERNAME_BYTES = 63


def _stored(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}


def _check_credential_type(sent: Fields) -> None:
    if sent.text("credential_type", "password") != "password" or sent.raw.get("credential_config"):
        raise BadRequestError("the only credential_type is password, without a credential_config")


@dataclass(frozen=True, slots=True)
class Role:
    """How users are made on demand. Times are seconds, 0 is the mount's.

    `rollback_statements` are kept for clients that read them back: creation is one transaction, so nothing is left to roll back.
    """

    db_name: str
    creation_statements: tuple[str, ...] = ()
    revocation_statements: tuple[str, ...] = ()
    rollback_statements: tuple[str, ...] = ()
    renew_statements: tuple[str, ...] = ()
    default_ttl: int = 0
    max_ttl: int = 0

    @classmethod
    def stored(cls, entry: Mapping[str, Any]) -> "Role":
        """From its entry."""
        return cls(**_stored(entry))

    def entry(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)

    def shown(self) -> dict[str, Any]:
        """As the API answers it."""
        shown = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
        return {**shown, "credential_type": "password"}


def changed_role(old: Role | None, sent: Fields) -> Role:
    """The role with what is sent. Raises BadRequestError."""
    _check_credential_type(sent)
    values = {name: tuple(statements_field(sent, name)) for name in STATEMENTS}
    times = {name: sent.duration(name) for name in ("default_ttl", "max_ttl")}
    changes: dict[str, Any] = {"db_name": sent.text("db_name"), **values, **times}
    role = replace(old or Role(""), **{name: value for name, value in changes.items() if name in sent})
    if not role.db_name:
        raise BadRequestError("database name is required")
    if role.default_ttl < 0 or role.max_ttl < 0:
        raise BadRequestError("default_ttl and max_ttl cannot be negative")
    return role


@dataclass(frozen=True, slots=True)
class StaticRole:
    """A user that exists already, whose password is rotated. `pending` is the password that a rotation was about to set."""

    db_name: str
    username: str
    rotation_period: int = 0
    rotation_statements: tuple[str, ...] = ()
    password: str = field(default="", repr=False)
    pending: str = field(default="", repr=False)
    rotated: float = 0.0

    @classmethod
    def stored(cls, entry: Mapping[str, Any]) -> "StaticRole":
        """From its entry."""
        return cls(**_stored(entry))

    def entry(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)

    def shown(self) -> dict[str, Any]:
        """As the API answers it, without the password."""
        return {
            "credential_type": "password",
            "db_name": self.db_name,
            "last_vault_rotation": rfc3339(self.rotated),
            "rotation_period": self.rotation_period,
            "rotation_statements": list(self.rotation_statements),
            "username": self.username,
        }

    def credentials(self, now: float) -> dict[str, Any]:
        """As the API answers it, with the password; `ttl` is seconds to the next rotation."""
        return {
            "last_vault_rotation": rfc3339(self.rotated),
            "password": self.password,
            "rotation_period": self.rotation_period,
            "ttl": max(round(self.rotated + self.rotation_period - now), 0),
            "username": self.username,
        }


def changed_static_role(old: StaticRole | None, sent: Fields) -> StaticRole:
    """The static role with what is sent. Raises BadRequestError."""
    _check_credential_type(sent)
    if sent.raw.get("rotation_schedule") or sent.raw.get("rotation_window"):
        raise BadRequestError("rotation_schedule and rotation_window are not supported; give a rotation_period")
    changes: dict[str, Any] = {
        "db_name": sent.text("db_name"),
        "username": sent.text("username"),
        "rotation_period": sent.duration("rotation_period"),
        "rotation_statements": tuple(statements_field(sent, "rotation_statements")),
    }
    role = replace(old or StaticRole("", ""), **{name: value for name, value in changes.items() if name in sent})
    if not role.db_name:
        raise BadRequestError("database name is a required field")
    if not role.username:
        raise BadRequestError("username is a required field to create a static account")
    if old and role.username != old.username:
        raise BadRequestError("cannot update static account username")
    if len(role.username.encode(errors="replace")) > MAX_USERNAME_BYTES or not role.username.isprintable():
        raise BadRequestError(f"username is printable text of at most {MAX_USERNAME_BYTES} bytes")
    if not role.rotation_period:
        raise BadRequestError("rotation_period is required to create static accounts")
    if role.rotation_period < MIN_ROTATION:
        raise BadRequestError(f"rotation_period must be {MIN_ROTATION} seconds or more")
    return role
