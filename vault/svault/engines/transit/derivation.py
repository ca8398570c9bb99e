"""Keys made of keys: one for each context of a derived key (HKDF-SHA256, RFC 5869), and what two parties agree on (ECDH)."""

from cryptography.hazmat.primitives.asymmetric.ec import ECDH, EllipticCurvePrivateKey, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from svault.engines.transit.keytypes import Family
from svault.engines.transit.policies import KeyVersion, Policy
from svault.errors import BadRequestError


def derive(policy: Policy, version: KeyVersion, context: bytes, length: int) -> bytes:
    """The key of a context, as Vault derives it. Raises BadRequestError when there is no context."""
    if not context:
        raise BadRequestError(
            "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request"
            " information must be included in order to perform operations with the key"
        )
    secret = version.private
    if policy.type.family is Family.ED25519:  # Go's private key is the seed and the public key
        private = version.private_key
        assert isinstance(private, Ed25519PrivateKey)
        secret = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    return HKDF(SHA256(), length, None, context).derive(secret)


def derive_ed25519(policy: Policy, version: KeyVersion, context: bytes) -> Ed25519PrivateKey:
    """The signing key of a context."""
    return Ed25519PrivateKey.from_private_bytes(derive(policy, version, context, 32))


def agree(policy: Policy, version: KeyVersion, peer_pem: str, length: int) -> bytes:
    """A symmetric key from an ECDSA key and another party's public key. Raises BadRequestError when that cannot be used."""
    try:
        peer = load_pem_public_key(peer_pem.encode())
    except (ValueError, TypeError):
        raise BadRequestError(
            "failed to parse supplied peer public key PEM: data does not contain any valid public keys "
        ) from None
    if not isinstance(peer, EllipticCurvePublicKey):
        raise BadRequestError("supplied peer public key is not an ECDSA key")
    if not version.private:
        raise BadRequestError("requested version of the base key does not contain a private part")
    own = version.private_key
    assert isinstance(own, EllipticCurvePrivateKey)
    if own.curve.name != peer.curve.name:
        raise BadRequestError(f"base private key type {policy.type} does not match peer public key curve")
    return HKDF(SHA256(), length, None, None).derive(own.exchange(ECDH(), peer))
