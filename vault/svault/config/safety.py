"""What is unsafe about a configuration, by itself: nothing of the machine is looked at."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from svault.config.findings import Finding, found
from svault.config.model import EtcdSection

if TYPE_CHECKING:
    from svault.config.loading import Loaded

PROMETHEUS_PORT = 9090
_ELECTING = {"etcd", "postgresql"}
_EMBEDDED = ("surrealkv://", "file://", "mem://")
_SECRETS = (("storage", "etcd", "password"), ("storage", "surrealdb", "password"), ("storage", "postgresql", "url"))


def unsafe(loaded: "Loaded") -> list[Finding]:
    """All findings, in the order of the specification's tables."""
    return [
        found(code, ".".join(path), loaded.line_of(path), **words)
        for part in (_server, _storage, _seal, _audit, _metrics)
        for code, path, words in part(loaded)
    ]


_Found = Iterator[tuple[str, tuple[str, ...], dict[str, str]]]


def _server(loaded: "Loaded") -> _Found:
    section = loaded.settings.server
    key = ("server", "address")
    if not section.address.is_loopback and not section.has_tls:
        yield "plaintext-allowed" if section.allow_plaintext else "plaintext-listener", key, {"address": str(section.address)}
    if section.address.is_everywhere:
        yield "listens-everywhere", key, {"address": str(section.address)}
    if section.client_ca and not section.require_client_cert:
        at = "require_client_cert" if loaded.line_of(("server", "require_client_cert")) else "client_ca"
        yield "client-certificate-optional", ("server", at), {}
    if loaded.settings.storage.backend in _ELECTING and not section.api_addr:
        yield "no-advertised-address", ("server", "api_addr"), {}


def _storage(loaded: "Loaded") -> _Found:
    storage = loaded.settings.storage
    base = ("storage", storage.backend)
    if storage.backend == "memory":
        yield "storage-forgets", ("storage", "backend"), {}
    if isinstance(storage.chosen, EtcdSection):
        yield from _etcd(storage.chosen, (*base, "endpoints"))
    surreal = storage.surrealdb if storage.backend == "surrealdb" else None
    if surreal is not None and surreal.url.startswith(("ws://", "http://")):
        yield "plaintext-storage", (*base, "url"), {"where": "SurrealDB"}
    for path in _SECRETS:
        if path[1] == storage.backend and path not in loaded.referenced and _holds_secret(loaded, path):
            yield "plaintext-secret", path, {}


def _etcd(section: EtcdSection, key: tuple[str, ...]) -> _Found:
    if any(one.startswith("http://") for one in section.endpoints):
        has_files = bool(section.ca_cert or section.client_cert)
        yield "tls-unused" if has_files else "plaintext-storage", key, {"where": "etcd"}


def _holds_secret(loaded: "Loaded", path: tuple[str, ...]) -> bool:
    value = getattr(loaded.settings.storage.chosen, path[2]).get_secret_value()
    if path[2] != "url":
        return bool(value)
    # A password stands before the @ of a URL, or after "password=".
    before_host = value.partition("://")[2].rpartition("@")[0]
    return ":" in before_host or "password=" in value


def _seal(loaded: "Loaded") -> _Found:
    seal = loaded.settings.seal
    if seal.static is not None:
        yield "machine-unseals", ("seal", "static"), {}
        if seal.shamir is not None:
            yield "seal-twice", ("seal", "shamir"), {}
    elif seal.shamir is not None and seal.shamir.threshold == 1:
        yield "single-share", ("seal", "shamir", "threshold"), {}


def _audit(loaded: "Loaded") -> _Found:
    # Vault's form has no audit devices: they are enabled by the API.
    if not loaded.settings.audit.enabled and not loaded.is_vault_form:
        yield "audit-disabled", ("audit", "enabled"), {}


def _metrics(loaded: "Loaded") -> _Found:
    section = loaded.settings.metrics
    key = ("metrics", "address")
    if not section.enabled:
        return
    if section.address is None:
        yield "metrics-nowhere", ("metrics",), {}
        return
    if not section.address.is_loopback:
        yield "metrics-everywhere", key, {"address": str(section.address)}
    if section.address.port == PROMETHEUS_PORT:
        yield "metrics-port", key, {}
