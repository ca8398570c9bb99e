"""An approver's key: Ed25519 and ML-DSA-65 (FIPS 204) together. A signature holds only if both halves do.

At rest the two seeds are encrypted under a passphrase: scrypt (RFC 7914), then AES-256-GCM with everything else in the file as
associated data.
"""

import base64
import hashlib
import json
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from provisioning.approval.errors import WrongPassphraseError
from stratumops.errors import InvalidInputError

FORMAT = "stratumops approver key 1"
LEAST_CHARACTERS = 12
_LEAST_DIFFERENT = 5
_MOST_CHARACTERS = 1024
_SEED = 32
_ED25519_PUBLIC, _ED25519_SIGNATURE = 32, 64
_MLDSA_PUBLIC, _MLDSA_SIGNATURE = 1952, 3309
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 1 << 17, 8, 1
"""128 MiB and about half a second a guess."""
_LARGEST_N = 1 << 20


@dataclass(frozen=True, slots=True)
class PublicKey:
    """Both public halves, in this order: 32 bytes of Ed25519, 1952 of ML-DSA-65."""

    raw: bytes

    def __post_init__(self) -> None:
        """Raises ValueError for another length."""
        if len(self.raw) != _ED25519_PUBLIC + _MLDSA_PUBLIC:
            raise ValueError("a public key has another length")

    @property
    def id(self) -> str:
        """The first 16 digits of its SHA-256."""
        return hashlib.sha256(self.raw).hexdigest()[:16]

    @property
    def text(self) -> str:
        """As it stands in files: base64."""
        return base64.b64encode(self.raw).decode("ascii")

    @classmethod
    def of_text(cls, text: str) -> "PublicKey":
        """The inverse of `text`. Raises ValueError."""
        return cls(base64.b64decode(text, validate=True))

    def verifies(self, message: bytes, signature: bytes, context: bytes) -> bool:
        """Whether both halves of a signature hold."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only who verifies loads it
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 - as above
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey  # noqa: PLC0415 - as above

        if len(signature) != _ED25519_SIGNATURE + _MLDSA_SIGNATURE:
            return False
        classical, quantum = signature[:_ED25519_SIGNATURE], signature[_ED25519_SIGNATURE:]
        try:
            Ed25519PublicKey.from_public_bytes(self.raw[:_ED25519_PUBLIC]).verify(classical, _in_context(message, context))
            MLDSA65PublicKey.from_public_bytes(self.raw[_ED25519_PUBLIC:]).verify(quantum, message, context)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer(Protocol):
    """What signs approvals for one approver: a key, or a process that holds one for a while."""

    @property
    def name(self) -> str:
        """The approver's name."""
        ...

    @property
    def public(self) -> PublicKey:
        """What verifies its signatures."""
        ...

    def sign(self, message: bytes, context: bytes) -> bytes:
        """The signature of a message for one purpose."""
        ...


@dataclass(frozen=True, slots=True)
class ApproverKey:
    """A decrypted key: 32 bytes of an Ed25519 seed, then 32 of an ML-DSA-65 seed."""

    name: str
    seeds: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError for another length."""
        if len(self.seeds) != 2 * _SEED:
            raise ValueError("a key has another length")

    @property
    def public(self) -> PublicKey:
        """What verifies its signatures."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - only who has a key
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey  # noqa: PLC0415 - as above

        classical = Ed25519PrivateKey.from_private_bytes(self.seeds[:_SEED]).public_key()
        quantum = MLDSA65PrivateKey.from_seed_bytes(self.seeds[_SEED:]).public_key()
        return PublicKey(classical.public_bytes_raw() + quantum.public_bytes_raw())

    def sign(self, message: bytes, context: bytes) -> bytes:
        """Both signatures, one behind the other; one made for a context holds for no other."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - only who has a key
        from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey  # noqa: PLC0415 - as above

        classical = Ed25519PrivateKey.from_private_bytes(self.seeds[:_SEED]).sign(_in_context(message, context))
        return classical + MLDSA65PrivateKey.from_seed_bytes(self.seeds[_SEED:]).sign(message, context)


def new_key(name: str) -> ApproverKey:
    """A fresh key."""
    return ApproverKey(name, secrets.token_bytes(2 * _SEED))


def check_passphrase(passphrase: str) -> None:
    """Raises InvalidInputError for one that a program would guess."""
    text = unicodedata.normalize("NFC", passphrase)
    hint = f"four or five unrelated words are easy to keep in mind and hard to guess; at least {LEAST_CHARACTERS} characters"
    if len(text) < LEAST_CHARACTERS:
        raise InvalidInputError(f"the passphrase is too short: it needs at least {LEAST_CHARACTERS} characters", hint=hint)
    if len(text) > _MOST_CHARACTERS:
        raise InvalidInputError(f"the passphrase has more than {_MOST_CHARACTERS} characters", hint="a shorter one is as good")
    if len(set(text)) < _LEAST_DIFFERENT:
        raise InvalidInputError("the passphrase repeats the same few characters", hint=hint)


def lock_key(key: ApproverKey, passphrase: str) -> str:
    """The text of the key's file. Raises InvalidInputError for a weak passphrase."""
    check_passphrase(passphrase)
    members = {
        "format": FORMAT,
        "name": key.name,
        "public": key.public.text,
        "kdf": {"name": "scrypt", "n": _SCRYPT_N, "r": _SCRYPT_R, "p": _SCRYPT_P, "salt": _encoded(secrets.token_bytes(16))},
        "nonce": _encoded(secrets.token_bytes(12)),
    }
    sealed = _cipher(passphrase, members).encrypt(_bytes(members["nonce"]), key.seeds, _associated(members))
    return json.dumps({**members, "ciphertext": _encoded(sealed)}, ensure_ascii=False, indent=1) + "\n"


def unlock_key(text: str, passphrase: str) -> ApproverKey:
    """The key in the text of its file. Raises WrongPassphraseError, InvalidInputError (this is no such file)."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - only who opens a key loads it

    members = dict(_members(text))
    sealed = _bytes(members.pop("ciphertext"))
    try:
        seeds = _cipher(passphrase, members).decrypt(_bytes(members["nonce"]), sealed, _associated(members))
    except InvalidTag:
        raise WrongPassphraseError(
            f"this passphrase does not open the key of {members['name']!r}",
            hint="type it again; if you are sure of it, the key's file was altered: restore it",
        ) from None
    return ApproverKey(str(members["name"]), seeds)


def public_of(text: str) -> tuple[str, PublicKey]:
    """The name and the public key in the text of a key's file, which nothing has verified yet. Raises InvalidInputError."""
    members = _members(text)
    return str(members["name"]), PublicKey.of_text(members["public"])


def _members(text: str) -> Mapping[str, Any]:
    """The members of a key's file, of the right kinds and within limits."""
    try:
        found = json.loads(text)
        kdf = found["kdf"]
        is_right = (
            found["format"] == FORMAT
            and set(found) == {"format", "name", "public", "kdf", "nonce", "ciphertext"}
            and set(kdf) == {"name", "n", "r", "p", "salt"}
            and isinstance(found["name"], str)
            and kdf["name"] == "scrypt"
            and kdf["n"] in {1 << bits for bits in range(15, _LARGEST_N.bit_length())}
            and (kdf["r"], kdf["p"]) == (_SCRYPT_R, _SCRYPT_P)
            and len(_bytes(found["nonce"])) == 12
            and len(_bytes(kdf["salt"])) == 16
            and len(_bytes(found["ciphertext"])) == 2 * _SEED + 16
        )
        PublicKey.of_text(found["public"])
    except (ValueError, TypeError, KeyError, RecursionError):
        is_right, found = False, {}
    if not is_right:
        raise InvalidInputError("this file holds no approver key", hint="restore it from a backup, or make a new key")
    return dict(found)


def _cipher(passphrase: str, members: Mapping[str, Any]) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only who opens or makes a key loads it
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt  # noqa: PLC0415 - as above

    kdf = members["kdf"]
    words = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    return AESGCM(Scrypt(salt=_bytes(kdf["salt"]), length=32, n=kdf["n"], r=kdf["r"], p=kdf["p"]).derive(words))


def _associated(members: Mapping[str, Any]) -> bytes:
    return json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def _in_context(message: bytes, context: bytes) -> bytes:
    # Ed25519 as `cryptography` has it takes no context, so it goes before the message with its length.
    return len(context).to_bytes(1, "big") + context + message


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: Any) -> bytes:
    return base64.b64decode(text, validate=True)
