"""Compiled WebAssembly, kept between processes: compiling liboqs takes 1.5 s, loading it again 0.02 s.

What is loaded is machine code. So the folder is the user's own (0700), and a file starts with the SHA-256 of the rest: a
damaged one is compiled again instead of run.
"""

import contextlib
import hashlib
import os
import platform
import tempfile
from importlib import metadata
from pathlib import Path

import wasmtime

_DIGEST = hashlib.sha256().digest_size


def folder() -> Path:
    """Return where compiled modules are kept: in `$XDG_CACHE_HOME`, else in `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "stratumops" / "wasm"


def compiled(engine: wasmtime.Engine, wasm: bytes) -> wasmtime.Module:
    """Return the module of `wasm`, from the cache when a whole one is there. A cache that cannot be used costs time only."""
    key = hashlib.sha256(wasm + f"{metadata.version('wasmtime')} {platform.machine()}".encode()).hexdigest()
    file = folder() / f"{key}.cwasm"
    with contextlib.suppress(OSError, wasmtime.WasmtimeError):
        if (code := _read(file)) is not None:
            return wasmtime.Module.deserialize(engine, code)
    module = wasmtime.Module(engine, wasm)
    with contextlib.suppress(OSError):
        _write(file, bytes(module.serialize()))
    return module


def _private(directory: Path) -> bool:
    about = directory.stat()
    return about.st_uid == os.geteuid() and not about.st_mode & 0o022


def _read(file: Path) -> bytes | None:
    if not _private(file.parent):
        return None
    content = file.read_bytes()
    digest, code = content[:_DIGEST], content[_DIGEST:]
    return code if hashlib.sha256(code).digest() == digest else None


def _write(file: Path, code: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _private(file.parent):
        return
    descriptor, fresh = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(hashlib.sha256(code).digest() + code)
        Path(fresh).replace(file)
    except OSError:
        Path(fresh).unlink(missing_ok=True)
        raise
