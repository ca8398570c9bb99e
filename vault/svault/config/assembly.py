"""From a configuration to the vault that it describes."""

import base64
import binascii
import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from svault.config.errors import ConfigError
from svault.config.model import EngineSection, Settings, StaticSection
from svault.core import kinds
from svault.core.core import Core
from svault.core.mount_entry import MountEntry
from svault.core.settings import CONFIGURED, AuditDevice, CoreSettings
from svault.crypto.choice import backend
from svault.storage.base import Storage
from svault.storage.choice import make_storage

KEY_BYTES = 32


def core_of(settings: Settings) -> Core:
    """The vault of a configuration, not open. Raises ConfigError, StorageError, BackendUnavailableError."""
    return Core(
        storage_of(settings),
        crypto=backend(settings.vault.crypto_backend),
        settings=core_settings(settings),
        static_key=static_key(settings.seal.static) if settings.seal.static else None,
    )


def storage_of(settings: Settings) -> Storage:
    """The storage of a configuration, not open. Raises StorageError: a library that is not installed, an impossible option."""
    chosen = settings.storage.chosen
    options = {name: _plain(value) for name, value in chosen} if chosen else {}
    return make_storage(settings.storage.backend, options)


def _plain(value: Any) -> Any:
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def core_settings(settings: Settings) -> CoreSettings:
    """What the core is told."""
    shamir = settings.seal.shamir
    return CoreSettings(
        default_lease_ttl=settings.auth.default_lease_ttl,
        max_lease_ttl=settings.auth.max_lease_ttl,
        mounts=tuple(_mount(name, engine) for name, engine in settings.engines.items()),
        cluster_name=settings.vault.cluster_name,
        storage_type=settings.storage.backend,
        advertise=settings.server.api_addr,
        peer_ca=settings.server.peer_ca,
        peer_cert=settings.server.tls_cert,
        peer_key=settings.server.tls_key,
        log_level=settings.vault.log_level,
        audit_devices=_audit_devices(settings),
        shares=shamir.shares if shamir else 0,
        threshold=shamir.threshold if shamir else 0,
    )


def _mount(name: str, engine: EngineSection) -> MountEntry:
    options = {"version": str(engine.version)} if engine.version else {}
    kind, options = kinds.normalized(engine.type or name, options)
    if kind not in kinds.SECRET_KINDS or kind in kinds.ONE_EACH:
        known = ", ".join(sorted(kinds.SECRET_KINDS.keys() - kinds.ONE_EACH))
        raise ConfigError(f"engines.{name}: there is no engine {kind!r}", hint=f"set type to one of: {known}")
    return MountEntry(
        engine.path.strip("/") + "/",
        kind,
        description=engine.description,
        default_lease_ttl=engine.default_lease_ttl or 0,
        max_lease_ttl=engine.max_lease_ttl or 0,
        options=options,
    )


def _audit_devices(settings: Settings) -> tuple[AuditDevice, ...]:
    audit = settings.audit
    if not audit.enabled:
        return ()
    if audit.backend == "socket":
        return (AuditDevice(CONFIGURED, "socket", {"address": audit.address}),)
    options = {"file_path": str(Path(audit.path).absolute()), "retention_days": f"{audit.retention_days:g}"}
    return (AuditDevice(CONFIGURED, "file", options),)


def static_key(section: StaticSection) -> bytes:
    """The key of a static seal. Raises ConfigError, without the key."""
    if section.key_env:
        where, text = f"the environment variable {section.key_env}", os.environ.get(section.key_env, "")
        if not text:
            raise ConfigError(f"seal.static: {where} is not set")
        return _decoded(text.encode(), where)
    path = Path(section.key_file)
    try:
        return _decoded(path.read_bytes(), f"the file {path}")
    except OSError as error:
        raise ConfigError(f"seal.static: the file {path} cannot be read: {error.strerror}") from None


def _decoded(text: bytes, where: str) -> bytes:
    if len(text) == KEY_BYTES:
        return text
    text = text.strip()
    for decode in (binascii.unhexlify, lambda value: base64.b64decode(value, validate=True)):
        try:
            key = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise ConfigError(f"seal.static: {where} does not hold {KEY_BYTES} bytes as base64 or hex")
