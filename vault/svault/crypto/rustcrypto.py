"""ML-KEM-768 by RustCrypto's `ml-kem` (through `ml-kem-rs`) and ML-DSA-65 by the Rust library `fast-mldsa`.

`ml-kem-rs` keeps a seed as its private key, but does not tell the public key of one that it did not make itself: that is
computed by OpenSSL, from the same seed.
"""

from importlib import metadata

from fast_mldsa.rust import MlDsa65, VerificationKey
from ml_kem_rs import mlkem768_decapsulate, mlkem768_encapsulate

from svault.crypto.base import DSA_PUBLIC, DSA_SEED, DSA_SIGNATURE, KEM_CIPHERTEXT, KEM_PUBLIC, KEM_SEED, CryptoError
from svault.crypto.lengths import require_context, require_length
from svault.crypto.openssl import OpenSSLBackend

DISTRIBUTIONS = ("ml-kem-rs", "fast-mldsa")


def load(_: str | None) -> "RustCryptoBackend":
    """Return the backend."""
    return RustCryptoBackend()


class RustCryptoBackend:
    """The CryptoBackend of the two libraries; it holds no state of its own."""

    name = "rustcrypto"

    def __init__(self) -> None:
        self._openssl = OpenSSLBackend()

    @property
    def version(self) -> str:
        """The versions of the two libraries."""
        return ", ".join(f"{name} {metadata.version(name)}" for name in DISTRIBUTIONS)

    def kem_public(self, seed: bytes) -> bytes:
        """See CryptoBackend. Computed by OpenSSL."""
        return self._openssl.kem_public(seed)

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See CryptoBackend."""
        require_length("public key", public, KEM_PUBLIC)
        try:
            ciphertext, shared = mlkem768_encapsulate(public)
        except ValueError:
            raise CryptoError("the public key is not valid") from None
        return shared, ciphertext

    def kem_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """See CryptoBackend."""
        require_length("seed", seed, KEM_SEED)
        require_length("ciphertext", ciphertext, KEM_CIPHERTEXT)
        return mlkem768_decapsulate(seed, ciphertext)

    def dsa_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        require_length("seed", seed, DSA_SEED)
        return MlDsa65.key_gen(seed)[0].to_bytes()

    def dsa_sign(self, seed: bytes, message: bytes, context: bytes = b"") -> bytes:
        """See CryptoBackend."""
        require_length("seed", seed, DSA_SEED)
        require_context(context)
        return MlDsa65.key_gen(seed)[1].sign(message, context)

    def dsa_verify(self, public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
        """See CryptoBackend."""
        require_length("public key", public, DSA_PUBLIC)
        require_context(context)
        if len(signature) != DSA_SIGNATURE:
            return False
        return VerificationKey.from_bytes(public).verify(signature, message, context)
