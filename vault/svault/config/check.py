"""What this machine lacks for a configuration. No other machine is asked."""

import importlib.util
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from svault.config.assembly import core_settings, static_key
from svault.config.errors import ConfigError
from svault.config.findings import Finding, found
from svault.config.loading import Loaded, load
from svault.config.safety import unsafe
from svault.crypto import oqs_native
from svault.crypto.choice import backend
from svault.crypto.unavailable import NATIVE_OQS, BackendUnavailableError
from svault.http.tls import TlsError, tls_files
from svault.storage.choice import BACKENDS

_ORDER = ("error", "warning", "info")
_KEYS = {"tls_key", "client_key", "key_file"}
_FILES = (
    ("server", "tls_cert"),
    ("server", "tls_key"),
    ("server", "client_ca"),
    ("server", "peer_ca"),
    ("storage", "etcd", "ca_cert"),
    ("storage", "etcd", "client_cert"),
    ("storage", "etcd", "client_key"),
    ("seal", "static", "key_file"),
)
"""The keys that name a file which the server reads."""


def check(path: Path) -> list[Finding]:
    """All findings about a configuration on this machine, the worst first. Raises ConfigError when it cannot be read."""
    loaded = load(path, needs_values=False)
    found_here = [*loaded.findings, *unsafe(loaded), *_lacking(loaded)]
    return sorted(found_here, key=lambda one: (_ORDER.index(one.severity), one.line or 0))


def _lacking(loaded: Loaded) -> Iterator[Finding]:
    core_settings(loaded.settings)  # raises for an engine that there is not
    files = list(_files(loaded))
    yield from files
    if not any(one.severity == "error" and one.key.startswith("server.") for one in files):
        yield from _certificate(loaded)
    yield from _static(loaded)
    yield from _storage(loaded)
    yield from _crypto(loaded)
    yield from _folders(loaded)


def _files(loaded: Loaded) -> Iterator[Finding]:
    for path in _FILES:
        value: object = loaded.settings
        for part in path:
            value = getattr(value, part, None)
        if not value or (path[0] == "storage" and path[1] != loaded.settings.storage.backend):
            continue
        file, at = Path(str(value)), (".".join(path), loaded.line_of(path))
        try:
            with file.open("rb"):
                mode = file.stat().st_mode
        except FileNotFoundError:
            yield found("file-missing", *at, path=str(file))
        except OSError as error:
            yield found("file-unreadable", *at, path=str(file), why=error.strerror or "it cannot be opened")
        else:
            if path[-1] in _KEYS and mode & (stat.S_IRGRP | stat.S_IROTH):
                yield found("file-open", *at, path=str(file))


def _certificate(loaded: Loaded) -> Iterator[Finding]:
    tls = tls_files(loaded.settings.server)
    if tls is not None:
        try:
            tls.context()
        except TlsError as error:
            yield found("certificate-unusable", "server.tls_cert", loaded.line_of(("server", "tls_cert")), why=error.message)


def _static(loaded: Loaded) -> Iterator[Finding]:
    section = loaded.settings.seal.static
    if section is None or (section.key_file and not Path(section.key_file).exists()):
        return
    try:
        static_key(section)
    except ConfigError as error:
        key = ("seal", "static", "key_env" if section.key_env else "key_file")
        yield found("static-key-unusable", ".".join(key), loaded.line_of(key), what=error.message)


def _storage(loaded: Loaded) -> Iterator[Finding]:
    name = loaded.settings.storage.backend
    extra = BACKENDS[name].extra
    for library in LIBRARIES.get(name, ()):
        if importlib.util.find_spec(library) is None:
            at = ("storage", "backend")
            install = f"pip install 'stratumops[{extra}]'"
            yield found("library-missing", ".".join(at), loaded.line_of(at), library=library, install=install)


LIBRARIES = {"etcd": ("aetcd", "grpc"), "postgresql": ("psycopg",), "surrealdb": ("surrealdb",)}
"""What each storage imports."""


def _crypto(loaded: Loaded) -> Iterator[Finding]:
    name = loaded.settings.vault.crypto_backend
    if name is None:
        return
    at = ("vault", "crypto_backend")
    try:
        backend(name)
    except BackendUnavailableError as error:
        yield found("crypto-missing", ".".join(at), loaded.line_of(at), backend=name, why=error.reason, install=error.install)
    else:
        if name == "oqs" and oqs_native.find() is None:
            yield found("crypto-slow", ".".join(at), loaded.line_of(at), install=NATIVE_OQS)


def _folders(loaded: Loaded) -> Iterator[Finding]:
    settings = loaded.settings
    wanted: list[tuple[tuple[str, ...], Path]] = []
    if settings.audit.enabled and settings.audit.backend == "file":
        wanted.append((("audit", "path"), Path(settings.audit.path).absolute().parent))
    if settings.storage.filesystem is not None and settings.storage.backend == "filesystem":
        wanted.append((("storage", "filesystem", "path"), Path(settings.storage.filesystem.path).absolute()))
    for path, folder in wanted:
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
            yield found("folder-unwritable", ".".join(path), loaded.line_of(path), path=str(there))
