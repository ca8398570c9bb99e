"""ML-KEM-768 and ML-DSA-65 by OpenSSL, through `cryptography`: the backend that is always there."""

import cryptography
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.backends.openssl import backend as openssl
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey

from svault.crypto.base import (
    DSA_PUBLIC,
    DSA_SEED,
    DSA_SIGNATURE,
    KEM_CIPHERTEXT,
    KEM_PUBLIC,
    KEM_SEED,
    CryptoError,
)
from svault.crypto.lengths import require_context, require_length


def load(_: str | None) -> "OpenSSLBackend":
    """Return the backend."""
    return OpenSSLBackend()


class OpenSSLBackend:
    """The CryptoBackend of `cryptography`; it holds no state."""

    name = "openssl"

    @property
    def version(self) -> str:
        """OpenSSL's own version and the binding's."""
        return f"{openssl.openssl_version_text()} (cryptography {cryptography.__version__})"

    def kem_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        return _kem_key(seed).public_key().public_bytes_raw()

    def kem_encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """See CryptoBackend."""
        require_length("public key", public, KEM_PUBLIC)
        try:
            return MLKEM768PublicKey.from_public_bytes(public).encapsulate()
        except ValueError:
            raise CryptoError("the public key is not valid") from None

    def kem_decapsulate(self, seed: bytes, ciphertext: bytes) -> bytes:
        """See CryptoBackend."""
        require_length("ciphertext", ciphertext, KEM_CIPHERTEXT)
        return _kem_key(seed).decapsulate(ciphertext)

    def dsa_public(self, seed: bytes) -> bytes:
        """See CryptoBackend."""
        return _dsa_key(seed).public_key().public_bytes_raw()

    def dsa_sign(self, seed: bytes, message: bytes, context: bytes = b"") -> bytes:
        """See CryptoBackend."""
        require_context(context)
        return _dsa_key(seed).sign(message, context)

    def dsa_verify(self, public: bytes, message: bytes, signature: bytes, context: bytes = b"") -> bool:
        """See CryptoBackend."""
        require_length("public key", public, DSA_PUBLIC)
        require_context(context)
        if len(signature) != DSA_SIGNATURE:
            return False
        try:
            MLDSA65PublicKey.from_public_bytes(public).verify(signature, message, context)
        except InvalidSignature:
            return False
        return True


def _kem_key(seed: bytes) -> MLKEM768PrivateKey:
    require_length("seed", seed, KEM_SEED)
    return MLKEM768PrivateKey.from_seed_bytes(seed)


def _dsa_key(seed: bytes) -> MLDSA65PrivateKey:
    require_length("seed", seed, DSA_SEED)
    return MLDSA65PrivateKey.from_seed_bytes(seed)
