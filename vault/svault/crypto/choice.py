"""Which library computes ML-KEM and ML-DSA: `crypto_backend` of svault.toml, or the default of this machine.

A library is imported when its backend is asked for, and not before.
"""

import threading
from importlib import import_module
from types import MappingProxyType
from typing import NamedTuple

from svault.crypto import oqs_native
from svault.crypto.base import CryptoBackend
from svault.crypto.self_test import failure
from svault.crypto.unavailable import BackendUnavailableError
from svault.errors import BadRequestError

LOADERS = MappingProxyType(
    {
        "openssl": ("svault.crypto.openssl",),
        "oqs": ("svault.crypto.oqs_native", "svault.crypto.oqs_wasm"),
        "aws-lc": ("svault.crypto.awslc",),
        "rustcrypto": ("svault.crypto.rustcrypto",),
    }
)
"""The backends, and for each the modules whose `load(libcrypto)` is asked in turn; None means that the library is not there."""

_loaded: dict[tuple[str, str | None], CryptoBackend] = {}
_lock = threading.RLock()


class Availability(NamedTuple):
    """One backend on this machine: its library's version, or None with the reason and how to install it."""

    name: str
    version: str | None
    reason: str = ""
    install: str = ""


def backend(name: str | None = None, *, libcrypto: str | None = None) -> CryptoBackend:
    """Return the backend that is called `name`, or the default one; the same object each time.

    `libcrypto` is the path of AWS-LC's libcrypto, for `aws-lc`. Raises BackendUnavailableError when the library is not there
    or fails the self-test, BadRequestError for an unknown name.
    """
    chosen = name or default_name()
    if chosen not in LOADERS:
        raise BadRequestError(f"unknown crypto backend {chosen!r}; there are: {', '.join(LOADERS)}")
    with _lock:
        key = chosen, libcrypto
        if key not in _loaded:
            _loaded[key] = _load(chosen, libcrypto)
        return _loaded[key]


def default_name() -> str:
    """Return `oqs` where a native liboqs is found that passes the self-test, else `openssl`."""
    if oqs_native.find() is None:
        return "openssl"
    try:
        return backend("oqs").name
    except BackendUnavailableError:
        return "openssl"


def available() -> list[Availability]:
    """Return what each backend says on this machine. Loads every library that is there: for people who ask, not for starts."""
    return [_availability(name) for name in LOADERS]


def _availability(name: str) -> Availability:
    try:
        return Availability(name, backend(name).version)
    except BackendUnavailableError as error:
        return Availability(name, None, error.reason, error.install)


def _load(name: str, libcrypto: str | None) -> CryptoBackend:
    for module in LOADERS[name]:
        try:
            loaded: CryptoBackend | None = import_module(module).load(libcrypto)
        except ModuleNotFoundError:
            continue
        if loaded is not None:
            # The locked `cryptography` is tested as it is built; the others are whatever the machine has.
            wrong = None if name == "openssl" else failure(loaded)
            if wrong is None:
                return loaded
            raise BackendUnavailableError(name, f"{loaded.version} fails the self-test: {wrong}")
    raise BackendUnavailableError(name, "its library is not installed")
