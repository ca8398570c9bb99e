"""The names of signature algorithms, as `revocation_signature_algorithm` takes and answers them."""

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding

from svault.engines.pki.failures import failure
from svault.engines.pki.key_types import KeyType, kind_of
from svault.errors import BadRequestError

_NAMES = {
    "sha256withrsa": "SHA256WithRSA",
    "sha384withrsa": "SHA384WithRSA",
    "sha512withrsa": "SHA512WithRSA",
    "sha256withrsapss": "SHA256WithRSAPSS",
    "sha384withrsapss": "SHA384WithRSAPSS",
    "sha512withrsapss": "SHA512WithRSAPSS",
    "ecdsawithsha256": "ECDSAWithSHA256",
    "ecdsawithsha384": "ECDSAWithSHA384",
    "ecdsawithsha512": "ECDSAWithSHA512",
    "pureed25519": "Ed25519",
    "ed25519": "Ed25519",
    "mldsa44": "MLDSA44",
    "mldsa65": "MLDSA65",
    "mldsa87": "MLDSA87",
}
_KINDS = {"RSA": "rsa", "ECDSA": "ec", "Ed25519": "ed25519", "MLDSA": "mldsa"}
_GO_NAMES = {"rsa": "RSA", "ec": "ECDSA", "ed25519": "Ed25519", "mldsa": "MLDSA"}


def algorithm_named(text: str, kind: KeyType) -> str:
    """The algorithm that a client names, for a key of this kind; nothing stays nothing. Raises BadRequestError, or a failure."""
    if not text:
        return ""
    name = _NAMES.get(text.strip().lower())
    if name is None:
        raise BadRequestError(f"Unknown signature algorithm value: 0 - valid values are {', '.join(_NAMES)}")
    if not any(part in name and one == kind.name for part, one in _KINDS.items()):
        raise failure(f"unable to use issuer of type {_GO_NAMES[kind.name]} to sign with {name} key type")
    return name


def algorithm_of(certificate: x509.Certificate) -> str:
    """The algorithm of a certificate's own signature."""
    kind = kind_of(certificate.public_key())
    if kind.name == "ed25519":
        return "Ed25519"
    if kind.name == "mldsa":
        return f"MLDSA{kind.bits}"
    digest = certificate.signature_hash_algorithm
    name = digest.name.upper() if digest else ""
    if kind.name == "ec":
        return f"ECDSAWith{name}"
    return f"{name}WithRSA" + ("PSS" if isinstance(certificate.signature_algorithm_parameters, padding.PSS) else "")


def bits_of(algorithm: str) -> int:
    """The digest's bits in an algorithm's name, or 0."""
    return next((bits for bits in (256, 384, 512) if f"SHA{bits}" in algorithm), 0)


def is_pss(algorithm: str) -> bool:
    """Whether an algorithm is RSASSA-PSS."""
    return algorithm.endswith("PSS")
