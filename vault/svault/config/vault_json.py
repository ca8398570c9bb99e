"""Vault's own configuration file in its JSON form, as `svault.toml` would say it.

Blocks may be objects or lists of one object, as HCL's JSON has them. Source: Vault's pages on server configuration.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from stratumops.settings_text import did_you_mean
from svault.config.errors import ConfigError
from svault.config.findings import Finding, found
from svault.config.lines import LineOf

Path_ = tuple[str, ...]


def _as_is(value: Any) -> Any:
    return value


def _flag(value: Any) -> Any:
    return value if isinstance(value, bool) else str(value).strip().lower() in {"1", "t", "true"}


def _urls(value: Any) -> Any:
    return [one.strip() for one in value.split(",")] if isinstance(value, str) else value


def _level(value: Any) -> Any:
    return {"trace": "debug", "warn": "warning", "err": "error"}.get(str(value).lower(), str(value).lower())


class To(NamedTuple):
    """Where a key of Vault's goes."""

    path: Path_
    convert: Callable[[Any], Any] = _as_is


BACKENDS: Mapping[str, tuple[str, Mapping[str, To]]] = {
    "file": ("filesystem", {"path": To(("path",))}),
    "raft": ("filesystem", {"path": To(("path",))}),
    "inmem": ("memory", {}),
    "etcd": (
        "etcd",
        {
            "address": To(("endpoints",), _urls),
            "path": To(("prefix",)),
            "username": To(("username",)),
            "password": To(("password",)),
            "tls_ca_file": To(("ca_cert",)),
            "tls_cert_file": To(("client_cert",)),
            "tls_key_file": To(("client_key",)),
        },
    ),
    "postgresql": ("postgresql", {"connection_url": To(("url",)), "table": To(("table",))}),
}
LISTENER: Mapping[str, To] = {
    "address": To(("server", "address")),
    "tls_cert_file": To(("server", "tls_cert")),
    "tls_key_file": To(("server", "tls_key")),
    "tls_client_ca_file": To(("server", "client_ca")),
    "tls_require_and_verify_client_cert": To(("server", "require_client_cert"), _flag),
}
TOP: Mapping[str, To] = {
    "default_lease_ttl": To(("auth", "token_ttl")),
    "max_lease_ttl": To(("auth", "token_max_ttl")),
    "api_addr": To(("server", "api_addr")),
    "log_level": To(("vault", "log_level"), _level),
    "workers": To(("server", "workers")),
    "cluster_name": To(("vault", "cluster_name")),
}
WITHOUT_MEANING: Mapping[str, str] = {
    "disable_mlock": "memory is never locked",
    "ui": "there is no web interface",
    "disable_cache": "the cache holds ciphertext only",
    "disable_clustering": "servers elect the active one through their storage",
    "cluster_addr": "servers forward to each other's api_addr",
    "cluster_address": "servers forward to each other's api_addr",
    "telemetry": "metrics are at /v1/sys/metrics in Prometheus' form",
    "log_format": "logs are text on a terminal and JSON elsewhere",
    "log_file": "logs go to stderr",
    "pid_file": "the server stays in the foreground",
    "plugin_directory": "there are no plugins",
    "raw_storage_endpoint": "the storage cannot be read around the barrier",
    "ha_enabled": "api_addr decides",
    "etcd_api": "it is always v3",
    "node_id": "the storage has one server",
    "performance_multiplier": "the storage has one server",
    "performance_profile": "there is one",
    "default_max_request_duration": "each part has its own time limit",
    "enable_response_header_hostname": "answers do not name the machine",
    "tls_min_version": "it is TLS 1.2 or newer",
    "tls_disable_client_certs": "client certificates are asked for with tls_client_ca_file only",
    "tls_prefer_server_cipher_suites": "the server's order counts always",
    "x_forwarded_for_authorized_addrs": "the header is not believed",
}


def translated(
    path: Path, tree: Mapping[str, Any], line_of: LineOf, findings: list[Finding]
) -> tuple[dict[str, Any], dict[Path_, Path_]]:
    """The tree of `svault.toml`, and for each of its paths where Vault's file says it. Raises ConfigError."""
    return _Translation(path, line_of, findings).of(tree)


class _Translation:
    def __init__(self, path: Path, line_of: LineOf, findings: list[Finding]) -> None:
        self._path = path
        self._line_of = line_of
        self._findings = findings
        self._made: dict[str, Any] = {}
        self._origin: dict[Path_, Path_] = {}

    def of(self, tree: Mapping[str, Any]) -> tuple[dict[str, Any], dict[Path_, Path_]]:
        for key, value in tree.items():
            match key:
                case "backend" | "storage":
                    self._storage(key, value)
                case "listener":
                    self._listener(value)
                case "seal":
                    self._seal(value)
                case _:
                    self._plain((), key, value, TOP, ())
        if "storage" not in self._made:
            raise ConfigError(
                f"{self._path}: a storage backend is missing", hint='for example "storage": {"file": {"path": "data"}}'
            )
        return self._made, self._origin

    def _plain(self, block: Path_, key: str, value: Any, known: Mapping[str, To], into: Path_) -> None:
        here = (*block, key)
        if key in known:
            to = known[key]
            self._put((*into, *to.path), to.convert(value), here)
        elif key in WITHOUT_MEANING:
            self._find("key-without-meaning", here, why=WITHOUT_MEANING[key])
        else:
            self._find("key-unknown", here, near=did_you_mean(key, [*known, *WITHOUT_MEANING]))

    def _find(self, code: str, here: Path_, **words: str) -> None:
        key = ".".join(here)
        self._findings.append(found(code, key, self._line_of(here), key=key, **words))

    def _put(self, path: Path_, value: Any, here: Path_) -> None:
        at = self._made
        for part in path[:-1]:
            at = at.setdefault(part, {})
        at[path[-1]] = value
        self._origin[path] = here

    def _one(self, value: Any, here: Path_) -> tuple[str, Mapping[str, Any]]:
        """The name and the content of a block: `{"tcp": {...}}`, or the same in lists. Raises ConfigError."""
        while isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 1:
            value = value[0]
        if isinstance(value, Mapping) and len(value) == 1:
            [(name, content)] = value.items()
            while isinstance(content, Sequence) and not isinstance(content, str) and len(content) == 1:
                content = content[0]
            if isinstance(content, Mapping):
                return cast("str", name), content
        key, line = ".".join(here), self._line_of(here)
        raise ConfigError(
            f"{self._path}:{line}: {key}: one block with one name is expected", hint="one listener, one storage", key=key
        )

    def _refuse(self, here: Path_, what: str, hint: str) -> ConfigError:
        return ConfigError(f"{self._path}:{self._line_of(here)}: {what}", hint=hint, key=".".join(here))

    def _storage(self, key: str, value: Any) -> None:
        name, content = self._one(value, (key,))
        if name not in BACKENDS:
            raise self._refuse((key, name), f"the storage {name!r} is not offered", f"choose one of: {', '.join(BACKENDS)}")
        backend, known = BACKENDS[name]
        self._put(("storage", "backend"), backend, (key, name))
        if backend != "memory":
            self._put(("storage", backend), {}, (key, name))
        if name == "raft":
            self._find("storage-kept-as-files", (key, name), backend=name)
        for option, given in content.items():
            self._plain((key, name), option, given, known, ("storage", backend))

    def _listener(self, value: Any) -> None:
        name, content = self._one(value, ("listener",))
        if name != "tcp":
            raise self._refuse(("listener", name), f"a listener of the kind {name!r} is not offered", "use tcp")
        is_plain = _flag(content.get("tls_disable", False))
        for key, given in content.items():
            if key == "tls_disable":
                self._put(("server", "allow_plaintext"), is_plain, ("listener", name, key))
            elif not (is_plain and key.startswith("tls_")):
                self._plain(("listener", name), key, given, LISTENER, ())

    def _seal(self, value: Any) -> None:
        name, content = self._one(value, ("seal",))
        if name == "shamir":
            return
        key = str(content.get("current_key", ""))
        scheme, separator, place = key.partition("://")
        if name != "static" or not separator or scheme not in {"file", "env"}:
            hint = '"seal": {"static": {"current_key": "file:///path"}}, or leave it out for Shamir shares'
            raise self._refuse(("seal", name), "this seal is not offered", hint)
        self._put(("seal", "static", "key_file" if scheme == "file" else "key_env"), place, ("seal", name, "current_key"))
