"""A native liboqs, through ctypes.

It is looked for in `$OQS_INSTALL_PATH/lib` (and `lib64`), then where the system's loader finds a library called `oqs`. The
binding `liboqs-python` is not imported: it writes to standard output, and where it finds no library it runs `git clone` and
ends the process.
"""

import ctypes
import ctypes.util
import functools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from svault.crypto.oqs import Draws, OqsBackend
from svault.crypto.unavailable import OQS_VARIABLE, BackendUnavailableError

FUNCTIONS = (
    "OQS_init",
    "OQS_version",
    "OQS_randombytes_custom_algorithm",
    "OQS_KEM_ml_kem_768_keypair_derand",
    "OQS_KEM_ml_kem_768_encaps",
    "OQS_KEM_ml_kem_768_decaps",
    "OQS_SIG_ml_dsa_65_keypair",
    "OQS_SIG_ml_dsa_65_sign_with_ctx_str",
    "OQS_SIG_ml_dsa_65_verify_with_ctx_str",
)
_draws = Draws()


def _random_bytes(target: int, length: int) -> None:
    ctypes.memmove(target, _draws.take(length), length)


_RANDOM_BYTES = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_size_t)(_random_bytes)  # liboqs keeps its address


@functools.cache
def find() -> str | None:
    """Return the path or the loader's name of a native liboqs, or None. Looks once in a process."""
    if folder := os.environ.get(OQS_VARIABLE):
        suffix = "dylib" if sys.platform == "darwin" else "so"
        for library in (Path(folder) / "lib" / f"liboqs.{suffix}", Path(folder) / "lib64" / f"liboqs.{suffix}"):
            if library.exists():
                return str(library)
    return ctypes.util.find_library("oqs")


def load(_: str | None) -> OqsBackend | None:
    """Return the backend over the native liboqs, or None when there is none. Raises BackendUnavailableError."""
    path = find()
    return None if path is None else OqsBackend(NativeLiboqs(path))


class NativeLiboqs:
    """The Liboqs in this process. Raises BackendUnavailableError when `path` is not a liboqs with what is needed.

    liboqs has one source of randomness in a process: from here on it is the operating system's, through `Draws`.
    """

    size_length = ctypes.sizeof(ctypes.c_size_t)

    def __init__(self, path: str) -> None:
        try:
            self._library = ctypes.CDLL(path)
        except OSError:
            raise BackendUnavailableError("oqs", f"{path} cannot be loaded") from None
        absent = [function for function in FUNCTIONS if not hasattr(self._library, function)]
        if absent:
            raise BackendUnavailableError("oqs", f"{path} is too old, or no liboqs: it has no {absent[0]}")
        self._library.OQS_version.restype = ctypes.c_char_p
        self._library.OQS_init()
        self._library.OQS_randombytes_custom_algorithm(_RANDOM_BYTES)
        self._version = self._library.OQS_version().decode("ascii", "replace")

    @property
    def version(self) -> str:
        """See Liboqs."""
        return f"liboqs {self._version} (native)"

    def call(
        self, function: str, outputs: Sequence[int], inputs: Sequence[bytes | int], draw: bytes | None = None
    ) -> tuple[int, list[bytes]]:
        """See Liboqs."""
        buffers = [ctypes.create_string_buffer(length) for length in outputs]
        values = [ctypes.c_char_p(value) if isinstance(value, bytes) else ctypes.c_size_t(value) for value in inputs]
        try:
            with _draws.given(draw):
                status = getattr(self._library, function)(*buffers, *values)
            return status, [buffer.raw for buffer in buffers]
        finally:
            for buffer in buffers:
                ctypes.memset(buffer, 0, len(buffer))
