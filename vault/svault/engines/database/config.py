"""How a database is reached: what `config/:name` takes, keeps and shows.

Source: Vault's API, "Database Secrets Engine" and "PostgreSQL Database Secrets Engine".
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import quote

from svault.engines.database.credentials import DEFAULT_TEMPLATE, check_template
from svault.engines.database.statements import statements_field
from svault.errors import BadRequestError
from svault.logical import Fields, format_duration

PLUGIN = "postgresql-database-plugin"
MAX_OPEN = 4
SCRAM = "scram-sha-256"
_AUTHENTICATIONS = ("password", SCRAM)
_PLACEHOLDER = re.compile(r"\{\{\s*(username|password)\s*\}\}")
_URL_PASSWORD = re.compile(r"(?<=://)([^/@?]*?:)(?!\{\{)[^/@]*(?=@)")
_KEY_PASSWORD = re.compile(r"(?i)(\b(?:ssl)?password\s*=\s*)(?!\{\{)('(?:[^'\\]|\\.)*'|[^\s&]+)")
_UNSUPPORTED = {
    "password_policy": "password policies are not supported; passwords are 20 letters, digits and '-'",
    "plugin_version": "plugin versions are not supported; the only plugin is built in",
    "auth_type": "auth_type is not supported; give a username and a password, or certificates in connection_url",
    "tls_ca": "tls_ca is not supported; name the file as sslrootcert in connection_url",
    "tls_certificate": "tls_certificate is not supported; name the file as sslcert in connection_url",
    "private_key": "private_key is not supported; name the file as sslkey in connection_url",
    "self_managed": "self_managed is not supported; static roles are rotated with the connection's user",
}


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """A connection. `pending` is the password that a rotation was about to set: after a crash either one may be right."""

    connection_url: str
    username: str = ""
    password: str = field(default="", repr=False)
    pending: str = field(default="", repr=False)
    allowed_roles: tuple[str, ...] = ()
    root_rotation_statements: tuple[str, ...] = ()
    username_template: str = ""
    password_authentication: str = ""
    disable_escaping: bool = False
    max_open_connections: int = MAX_OPEN
    max_connection_lifetime: int = 0

    @classmethod
    def stored(cls, entry: Mapping[str, Any]) -> "ConnectionConfig":
        """From its entry."""
        facts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
        return cls(**facts)

    def entry(self) -> dict[str, Any]:
        """What is stored."""
        return asdict(self)

    def conninfos(self) -> list[str]:
        """The address with the password, for libpq; and with the pending one when there is one."""
        return [self._conninfo(password) for password in self.passwords()]

    def passwords(self) -> list[str]:
        """The password; or the two of which one is right, in the order in which they may be."""
        return [self.password, self.pending] if self.pending else [self.password]

    def _conninfo(self, password: str) -> str:
        values = {"username": self.username, "password": password}
        is_url = "://" in self.connection_url

        def escaped(found: re.Match[str]) -> str:
            value = values[found[1]]
            if self.disable_escaping:
                return value
            return quote(value, safe="") if is_url else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

        return _PLACEHOLDER.sub(escaped, self.connection_url)

    def has_own_password(self) -> bool:
        """Whether the address takes the name and the password from here, so that the password can be rotated."""
        return bool(self.username and self.password) and {"username", "password"} == set(
            _PLACEHOLDER.findall(self.connection_url)
        )

    def allows(self, role: str) -> bool:
        """Whether a role may use this connection; `*` stands for any text in what is allowed."""
        return any(fnmatchcase(role, re.sub(r"([?[])", r"[\1]", allowed)) for allowed in self.allowed_roles)

    def template(self) -> str:
        """The template of names of users."""
        return self.username_template or DEFAULT_TEMPLATE

    def shown(self) -> dict[str, Any]:
        """As the API answers it: never a password, also not one inside the address."""
        url = _KEY_PASSWORD.sub(r"\1*****", _URL_PASSWORD.sub(r"\1*****", self.connection_url))
        details: dict[str, Any] = {"connection_url": url, "username": self.username}
        for name in ("username_template", "password_authentication", "disable_escaping"):
            if getattr(self, name):
                details[name] = getattr(self, name)
        if self.max_open_connections != MAX_OPEN:
            details["max_open_connections"] = self.max_open_connections
        if self.max_connection_lifetime:
            details["max_connection_lifetime"] = format_duration(self.max_connection_lifetime)
        return {
            "allowed_roles": list(self.allowed_roles),
            "connection_details": details,
            "password_policy": "",
            "plugin_name": PLUGIN,
            "plugin_version": "",
            "root_credentials_rotate_statements": list(self.root_rotation_statements),
        }


def changed_connection(old: ConnectionConfig | None, sent: Fields) -> ConnectionConfig:
    """The connection with what is sent. Raises BadRequestError."""
    plugin = sent.text("plugin_name") or (PLUGIN if old else "")
    if not plugin:
        raise BadRequestError("empty plugin name")
    if plugin != PLUGIN:
        raise BadRequestError(f"error creating database object: plugin not found in the catalog: {plugin}; there is {PLUGIN}")
    for name, sentence in _UNSUPPORTED.items():
        if sent.raw.get(name):
            raise BadRequestError(sentence)
    config = replace(old or ConnectionConfig(""), **_changes(sent))
    if not config.connection_url:
        raise BadRequestError("error creating database object: connection_url cannot be empty")
    if config.username_template:
        check_template(config.username_template)
    if config.password_authentication not in {"", *_AUTHENTICATIONS}:
        raise BadRequestError(f"password_authentication is one of {', '.join(_AUTHENTICATIONS)}")
    if not 1 <= config.max_open_connections <= 100:
        raise BadRequestError("max_open_connections is a number from 1 to 100")
    return config


def unknown_fields(sent: Fields) -> list[str]:
    """The fields that nothing is done with."""
    known = {one.name for one in fields(ConnectionConfig)} - {"pending"}
    return sorted(sent.raw.keys() - known - _UNSUPPORTED.keys() - {"plugin_name", "verify_connection", "max_idle_connections"})


def _changes(sent: Fields) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "connection_url": sent.text("connection_url"),
        "username": sent.text("username"),
        "password": sent.text("password"),
        "allowed_roles": tuple(sent.strings("allowed_roles")),
        "root_rotation_statements": tuple(statements_field(sent, "root_rotation_statements")),
        "username_template": sent.text("username_template"),
        "password_authentication": sent.text("password_authentication"),
        "disable_escaping": sent.boolean("disable_escaping"),
        "max_open_connections": sent.integer("max_open_connections"),
        "max_connection_lifetime": sent.duration("max_connection_lifetime"),
    }
    changes = {name: value for name, value in changes.items() if name in sent}
    return {**changes, "pending": ""} if "password" in changes else changes
