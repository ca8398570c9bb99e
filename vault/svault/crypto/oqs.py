"""ML-KEM-768 and ML-DSA-65 by liboqs, whichever way it runs: natively (`oqs_native`) or as WebAssembly (`oqs_wasm`).

liboqs checks no lengths: all of them are checked here. It has no function that makes an ML-DSA key from a seed (version 0.16;
`OQS_SIG_keypair` draws xi, the 32 bytes of FIPS 204's algorithm 1, from its randomness), so the seed is handed to it as that
one draw: the expansion is liboqs's own.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from svault.crypto.base import (
    DSA_PUBLIC,
    DSA_SEED,
    DSA_SIGNATURE,
    KEM_CIPHERTEXT,
    KEM_PUBLIC,
    KEM_SEED,
    KEM_SHARED,
    CryptoError,
)
from svault.crypto.lengths import require_context, require_length
from svault.errors import InternalError

KEM_SECRET, DSA_SECRET = 2400, 4032  # expanded keys, as FIPS 203 and 204 encode them


class Liboqs(Protocol):
    """One liboqs. Its functions take pointers to outputs, then pointers to inputs and their lengths, and return 0 or not."""

    @property
    def version(self) -> str:
        """liboqs's own version, and how it runs."""
        ...

    @property
    def size_length(self) -> int:
        """How many bytes a `size_t` has there."""
        ...

    def call(
        self, function: str, outputs: Sequence[int], inputs: Sequence[bytes | int], draw: bytes | None = None
    ) -> tuple[int, list[bytes]]:
        """Call `function` with buffers of the lengths `outputs`; return its status and what it wrote into them.

        Randomness comes from the operating system, or is `draw` when that is given, which must then be drawn in one piece.
        """
        ...


class Draws(threading.local):
    """What liboqs is given when it asks for random bytes: each thread's own pending draw, else the operating system's."""

    pending: bytes | None = None

    def take(self, length: int) -> bytes:
        """Return `length` random bytes."""
        if self.pending is not None and len(self.pending) == length:
            given, self.pending = self.pending, None
            return given
        return os.urandom(length)

    @contextmanager
    def given(self, draw: bytes | None) -> Iterator[None]:
        """Give `draw` to what runs inside. Raises InternalError when it was not taken: what was made is not of that seed."""
        self.pending = draw
        try:
            yield
            if self.pending is not None:
                raise InternalError("liboqs draws its randomness in an unknown way")
        finally:
            self.pending = None


class OqsBackend:
    """The CryptoBackend over one liboqs."""

    name = "oqs"

    def __init__(self, library: Liboqs) -> None:
        self._library = library

    @property
    def version(self) -> str:
        """See CryptoBackend."""
        return self._library.version

    def kem_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        return self._kem_keys(seed)[0]

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See CryptoBackend."""
        require_length("public key", public, KEM_PUBLIC)
        status, (ciphertext, shared) = self._library.call("OQS_KEM_ml_kem_768_encaps", (KEM_CIPHERTEXT, KEM_SHARED), (public,))
        if status:
            raise CryptoError("the public key is not valid")
        return shared, ciphertext

    def kem_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """See CryptoBackend."""
        require_length("ciphertext", ciphertext, KEM_CIPHERTEXT)
        return self.decapsulate_expanded(self._kem_keys(seed)[1], ciphertext)

    def decapsulate_expanded(self, secret: bytes, ciphertext: bytes) -> bytes:
        """As kem_decapsulate, with the expanded key of 2400 bytes that FIPS 203 defines."""
        require_length("secret key", secret, KEM_SECRET)
        require_length("ciphertext", ciphertext, KEM_CIPHERTEXT)
        (shared,) = self._succeed("OQS_KEM_ml_kem_768_decaps", (KEM_SHARED,), (ciphertext, secret))
        return shared

    def dsa_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        return self._dsa_keys(seed)[0]

    def dsa_sign(self, seed: bytes, message: bytes, context: bytes = b"") -> bytes:
        """See CryptoBackend."""
        require_context(context)
        return self.sign_expanded(self._dsa_keys(seed)[1], message, context)

    def sign_expanded(self, secret: bytes, message: bytes, context: bytes = b"", draw: bytes | None = None) -> bytes:
        """As dsa_sign, with the expanded key of 4032 bytes; `draw` is FIPS 204's `rnd` of 32 bytes when it is not fresh."""
        require_length("secret key", secret, DSA_SECRET)
        require_context(context)
        signature, size = self._succeed(
            "OQS_SIG_ml_dsa_65_sign_with_ctx_str",
            (DSA_SIGNATURE, self._library.size_length),
            (message, len(message), context, len(context), secret),
            draw,
        )
        if int.from_bytes(size, "little") != DSA_SIGNATURE:
            raise InternalError("liboqs made a signature of another length")
        return signature

    def dsa_verify(self, public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
        """See CryptoBackend."""
        require_length("public key", public, DSA_PUBLIC)
        require_context(context)
        if len(signature) != DSA_SIGNATURE:
            return False
        inputs = (message, len(message), signature, len(signature), context, len(context), public)
        return self._library.call("OQS_SIG_ml_dsa_65_verify_with_ctx_str", (), inputs)[0] == 0

    def _kem_keys(self, seed: bytes) -> tuple[bytes, bytes]:
        require_length("seed", seed, KEM_SEED)
        public, secret = self._succeed("OQS_KEM_ml_kem_768_keypair_derand", (KEM_PUBLIC, KEM_SECRET), (seed,))
        return public, secret

    def _dsa_keys(self, seed: bytes) -> tuple[bytes, bytes]:
        require_length("seed", seed, DSA_SEED)
        public, secret = self._succeed("OQS_SIG_ml_dsa_65_keypair", (DSA_PUBLIC, DSA_SECRET), (), seed)
        return public, secret

    def _succeed(
        self, function: str, outputs: Sequence[int], inputs: Sequence[bytes | int], draw: bytes | None = None
    ) -> list[bytes]:
        status, written = self._library.call(function, outputs, inputs, draw)
        if status:
            raise InternalError(f"liboqs failed in {function}")
        return written
