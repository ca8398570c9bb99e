"""The audit's public key as text: PEM, a SubjectPublicKeyInfo with ML-DSA-65 (RFC 9881), which OpenSSL 3.5 reads too."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from stratumops.errors import InvalidInputError, NotFoundError

_MAX_BYTES = 64 * 1024


def as_pem(public: bytes) -> str:
    """A raw public key (1952 bytes) as PEM."""
    pem: bytes = MLDSA65PublicKey.from_public_bytes(public).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return pem.decode("ascii")


def read_public(path: Path) -> bytes:
    """The raw public key in a PEM file. Raises NotFoundError, InvalidInputError naming the file."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
        key = load_pem_public_key(data)
    except OSError as error:
        raise NotFoundError(
            f"{path} cannot be read: {error.strerror}", hint="`prov audit key` prints the public key of a workspace"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, MLDSA65PublicKey):
        raise InvalidInputError(f"{path} is no ML-DSA-65 public key in PEM", hint="give the file that `prov audit key` prints")
    raw: bytes = key.public_bytes_raw()
    return raw
