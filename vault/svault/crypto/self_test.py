"""The known-answer test that a library passes before it is used, as FIPS 140-3 asks of a module at its start.

The libraries that ctypes loads are whatever the machine has. This refuses one that is too old (drafts of FIPS 203 and 204 give
other answers), that does not check public keys, or that ignores a seed or a context.
"""

import hashlib

from svault.crypto.base import KEM_CIPHERTEXT, KEM_PUBLIC, KEM_SEED, CryptoBackend, CryptoError
from svault.errors import VaultError

_SEED = bytes(range(KEM_SEED))
_DSA_SEED = _SEED[:32]
_KEM_PUBLIC_SHA256 = "0b7934c83125c788995e2ba6bd761e33046b3e40571be53e023309a29f398cc9"
_DSA_PUBLIC_SHA256 = "d666806e11cee19a7c989f7445f90dd419cf4d2d51db8c0fdb4c0f0a542238c9"


def failure(backend: CryptoBackend) -> str | None:
    """Return what the backend computes wrongly, or None. Takes a millisecond, as WebAssembly some fifteen."""
    try:
        public = backend.kem_public(_SEED)
        shared, ciphertext = backend.kem_encapsulate(public)
        rejected = hashlib.shake_256(_SEED[32:] + bytes(KEM_CIPHERTEXT)).digest(32)  # FIPS 203, algorithm 18, line 7
        verifying = backend.dsa_public(_DSA_SEED)
        signature = backend.dsa_sign(_DSA_SEED, b"message", b"context")
        answers = {
            "ML-KEM key generation": hashlib.sha256(public).hexdigest() == _KEM_PUBLIC_SHA256,
            "ML-KEM decapsulation": backend.kem_decapsulate(_SEED, ciphertext) == shared,
            "ML-KEM implicit rejection": backend.kem_decapsulate(_SEED, bytes(KEM_CIPHERTEXT)) == rejected,
            "the check of ML-KEM public keys": _refuses_a_bad_public_key(backend),
            "ML-DSA key generation": hashlib.sha256(verifying).hexdigest() == _DSA_PUBLIC_SHA256,
            "ML-DSA signing": backend.dsa_verify(verifying, b"message", signature, b"context"),
            "ML-DSA contexts": not backend.dsa_verify(verifying, b"message", signature),
        }
    except VaultError as error:
        return str(error)
    return next((what for what, holds in answers.items() if not holds), None)


def _refuses_a_bad_public_key(backend: CryptoBackend) -> bool:
    try:
        backend.kem_encapsulate(b"\xff" * KEM_PUBLIC)  # coefficients of 4095, where 3328 is the largest
    except CryptoError:
        return True
    return False
