"""What the vault needs of a post-quantum library: ML-KEM-768 (FIPS 203) and ML-DSA-65 (FIPS 204), pure, hedged signing.

Secret keys are kept as **seeds** (d || z of 64 bytes for ML-KEM, xi of 32 bytes for ML-DSA), so that a key made with one backend
works in every other. Each adapter checks every length itself and raises `CryptoError`, never an exception of its library.
"""

from typing import Protocol

from svault.errors import BadRequestError

KEM_SEED, KEM_PUBLIC, KEM_CIPHERTEXT, KEM_SHARED = 64, 1184, 1088, 32
DSA_SEED, DSA_PUBLIC, DSA_SIGNATURE = 32, 1952, 3309


class CryptoError(BadRequestError):
    """A key, ciphertext or signature cannot be used: wrong length or not a valid encoding. Never says what it holds."""

    code = "vault_crypto"


class CryptoBackend(Protocol):
    """One library that computes ML-KEM-768 and ML-DSA-65. Methods are synchronous, and safe to call from several threads."""

    name: str
    """`openssl`, `oqs`, `aws-lc` or `rustcrypto`."""

    @property
    def version(self) -> str:
        """The library's own name and version, for people."""
        ...

    def kem_public(self, seed: bytes) -> bytes:
        """The encapsulation key of a seed (KeyGen_internal of FIPS 203)."""
        ...

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """A fresh shared secret and its ciphertext: `(shared, ciphertext)`. Refuses a key that fails FIPS 203's modulus check."""
        ...

    def kem_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """The shared secret; a tampered ciphertext of the right length gives another secret (implicit rejection)."""
        ...

    def dsa_public(self, seed: bytes) -> bytes:
        """The verification key of a seed (KeyGen_internal of FIPS 204)."""
        ...

    def dsa_sign(self, seed: bytes, message: bytes, context: bytes = b"") -> bytes:
        """A signature with a context of at most 255 bytes."""
        ...

    def dsa_verify(self, public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
        """Whether the signature is the key's. A malformed key raises CryptoError; a malformed signature is False."""
        ...
