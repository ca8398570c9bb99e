"""liboqs as WebAssembly, for machines without a native one: the file that the distribution `pyoqs-wasm` brings, in wasmtime.

That distribution's own package is called `oqs`, as liboqs-python's is: it is never imported, only its file is read.
"""

import threading
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import wasmtime

from svault.crypto.base import CryptoError
from svault.crypto.oqs import Draws, OqsBackend
from svault.crypto.unavailable import BackendUnavailableError
from svault.crypto.wasm_cache import compiled
from svault.crypto.wasm_library import HostFunction, WasmLibrary, needs
from svault.errors import InternalError

DISTRIBUTION, FILE = "pyoqs-wasm", "oqs/liboqs.so"
MAX_MESSAGE = 64 << 20


def load(_: str | None) -> OqsBackend | None:
    """Return the backend over liboqs as WebAssembly, or None when it is not installed. Raises BackendUnavailableError."""
    try:
        distribution = metadata.distribution(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        return None
    return OqsBackend(WasmLiboqs(Path(str(distribution.locate_file(FILE))), distribution.version))


class WasmLiboqs:
    """The Liboqs in a sandbox of its own. One call at a time; after each, what it left in the sandbox's memory is zeroed.

    Raises BackendUnavailableError when `file` is not what it should be.
    """

    size_length = 4

    def __init__(self, file: Path, version: str) -> None:
        self._lock = threading.Lock()
        self._draws = Draws()
        self._version = version
        try:
            wasm = file.read_bytes()
            need = needs(wasm)
            engine = wasmtime.Engine()
            self._engine, self._module, self._needs = engine, compiled(engine, wasm), need
            self._library: WasmLibrary | None = self._fresh()
        except (OSError, ValueError, KeyError, wasmtime.WasmtimeError, wasmtime.Trap, InternalError):
            raise BackendUnavailableError("oqs", f"{file} is damaged, or no liboqs that this can run") from None

    @property
    def version(self) -> str:
        """See Liboqs."""
        return f"liboqs {self._version} (WebAssembly, wasmtime {metadata.version('wasmtime')})"

    def call(
        self, function: str, outputs: Sequence[int], inputs: Sequence[bytes | int], draw: bytes | None = None
    ) -> tuple[int, list[bytes]]:
        """See Liboqs."""
        if any(len(value) > MAX_MESSAGE for value in inputs if isinstance(value, bytes)):
            raise CryptoError(f"liboqs as WebAssembly takes messages of at most {MAX_MESSAGE} bytes")
        with self._lock:
            library = self._linked()
            try:
                targets = [library.allocate(length) for length in outputs]
                values = [library.put(value) if isinstance(value, bytes) else value for value in inputs]
                with self._draws.given(draw):
                    status = library.call(function, *targets, *values)
                return status, [library.read(target, length) for target, length in zip(targets, outputs, strict=True)]
            except (wasmtime.WasmtimeError, wasmtime.Trap, InternalError) as error:
                self._library = None  # nothing is known of its state: the next call gets a fresh one
                raise error if isinstance(error, InternalError) else InternalError("liboqs as WebAssembly stopped") from None
            finally:
                library.reset()

    def _linked(self) -> WasmLibrary:
        if self._library is None:
            self._library = self._fresh()
        return self._library

    def _fresh(self) -> WasmLibrary:
        library = WasmLibrary(self._engine, self._module, self._needs, self._imported)
        library.call("OQS_init")
        library.keep()
        return library

    def _imported(self, library: WasmLibrary) -> Mapping[str, HostFunction]:
        """The functions of the C library that liboqs's ML-KEM and ML-DSA call."""

        def compare(one: int, other: int, length: int) -> int:
            left, right = library.read(one, length), library.read(other, length)
            return (left > right) - (left < right)

        def once(control: int, function: int) -> int:
            if library.read(control, 4) == bytes(4):
                library.write(control, (1).to_bytes(4, "little"))
                library.call_entry(function)
            return 0

        def zeroed(count: int, length: int) -> int:
            return library.put(bytes(count * length))

        def random_bytes(target: int, length: int) -> int:
            library.write(target, self._draws.take(length))
            return 0

        return {
            "memcmp": compare,
            "pthread_once": once,
            "malloc": library.allocate,
            "calloc": zeroed,
            "aligned_alloc": lambda alignment, length: library.allocate(length, alignment),
            "free": lambda _: None,
            "explicit_bzero": lambda target, length: library.write(target, bytes(length)),
            "getentropy": random_bytes,
        }
