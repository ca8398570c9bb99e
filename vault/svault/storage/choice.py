"""The storage backends by name, as `[storage] backend` gives it. A module and its library are loaded when chosen."""

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from svault.errors import StorageError
from svault.storage.base import Storage


@dataclass(frozen=True, slots=True)
class Backend:
    """Where a backend's class is, and the extra of `stratumops` that brings its library (empty: the standard library will do)."""

    module: str
    storage: str
    extra: str = ""


BACKENDS: Mapping[str, Backend] = {
    "memory": Backend("svault.storage.memory", "MemoryStorage"),
    "filesystem": Backend("svault.storage.filesystem", "FilesystemStorage"),
    "etcd": Backend("svault.storage.etcd", "EtcdStorage", "etcd"),
    "postgresql": Backend("svault.storage.postgresql", "PostgresqlStorage", "postgresql"),
    "surrealdb": Backend("svault.storage.surrealdb", "SurrealStorage", "surrealdb"),
}


def make_storage(backend: str, options: Mapping[str, Any]) -> Storage:
    """A storage that is not open yet, made from the backend's own keyword options.

    Raises StorageError: an unknown backend, an option that it does not take or misses (its name, never its value), or a
    library that is not installed.
    """
    chosen = BACKENDS.get(backend)
    if chosen is None:
        raise StorageError(f"there is no storage backend {backend!r}", hint=f"choose one of: {', '.join(BACKENDS)}")
    try:
        made = getattr(importlib.import_module(chosen.module), chosen.storage)
    except ImportError as error:
        library = (error.name or chosen.extra).partition(".")[0]
        if not chosen.extra or library == "svault":
            raise
        hint = f"pip install 'stratumops[{chosen.extra}]'"
        raise StorageError(f"the storage backend {backend!r} needs the library {library!r}", hint=hint) from error
    _check(backend, made, options)
    return cast("Storage", made(**options))


def _check(backend: str, made: type, options: Mapping[str, Any]) -> None:
    parameters = inspect.signature(made).parameters
    unknown = sorted(options.keys() - parameters.keys())
    missing = [name for name, parameter in parameters.items() if parameter.default is parameter.empty and name not in options]
    if unknown:
        hint = f"it takes: {', '.join(parameters)}"
        raise StorageError(f"the storage backend {backend!r} has no option {unknown[0]!r}", hint=hint)
    if missing:
        raise StorageError(f"the storage backend {backend!r} needs the option {missing[0]!r}")
