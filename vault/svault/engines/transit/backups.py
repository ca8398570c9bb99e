"""Backups in Vault's form: what OpenBao and Vault wrote can be restored here, and ours there (our own key types excepted).

The form is JSON in base64: `policy` with the versions that may be used, `archived_keys` with all of them, counted from the
minimum available version; numbers of RSA and elliptic-curve keys are plain JSON numbers.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from svault.crypto.base import CryptoBackend
from svault.engines.transit.encoding import decode, encode
from svault.engines.transit.exports import public_text
from svault.engines.transit.keytypes import NUMBERS, Family, KeyType
from svault.engines.transit.material import CURVES, private_der, public_der, public_of_seed
from svault.engines.transit.policies import Event, KeyVersion, Policy
from svault.errors import BadRequestError
from svault.logical import rfc3339
from svault.logical.routes import NAME

_HKDF = 1
_IN_EACH_VERSION = -1
_NANOSECONDS = 1_000_000_000
_FLAGS = {
    "derived": "derived",
    "convergent_encryption": "convergent",
    "exportable": "exportable",
    "allow_plaintext_backup": "allow_plaintext_backup",
    "deletion_allowed": "deletion_allowed",
    "soft_deleted": "soft_deleted",
    "Imported": "imported",
    "AllowImportedKeyRotation": "allow_imported_rotation",
}
_COUNTS = ("latest_version", "min_decryption_version", "min_encryption_version", "min_available_version", "key_size")
_EMPTY = {"time": rfc3339(0), "creation_time": 0, "convergent_version": 0, "public_key": ""}


def to_backup(policy: Policy) -> str:
    """The backup of a key, in base64."""
    entries = {number: _entry(policy, version) for number, version in sorted(policy.versions.items())}
    first = policy.min_available_version
    document = {
        **{theirs: getattr(policy, ours) for theirs, ours in _FLAGS.items()},
        **{count: getattr(policy, count) for count in _COUNTS},
        "name": policy.name,
        "type": policy.type.number,
        "kdf": _HKDF if policy.derived else 0,
        "convergent_version": _IN_EACH_VERSION if policy.convergent else 0,
        "keys": {str(number): entries[number] for number in policy.usable},
        "archive_version": policy.latest_version,
        "archive_min_version": first,
        "backup_info": _event(policy.backed_up),
        "restore_info": _event(policy.restored),
        "auto_rotate_period": policy.auto_rotate_period * _NANOSECONDS,
        "version_template": "",
        "storage_prefix": "",
    }
    archived = [entries.get(number, _EMPTY) for number in range(first, policy.latest_version + 1)]
    return encode(json.dumps({"policy": document, "archived_keys": {"keys": archived}}).encode())


def from_backup(text: str, backend: CryptoBackend, name: str = "") -> Policy:
    """The key of a backup, under its own or another name. Raises BadRequestError for what is not a backup."""
    try:
        document = json.loads(decode(text))
        policy, archive = document["policy"], (document.get("archived_keys") or {}).get("keys") or []
        return _policy(policy, archive, backend, name)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, ArithmeticError, RecursionError):
        raise BadRequestError("the backup cannot be read: it is not what the backup endpoint returns") from None


def _policy(document: Mapping[str, Any], archive: list[Mapping[str, Any]], backend: CryptoBackend, name: str) -> Policy:
    kind = NUMBERS[document["type"]]
    flags: dict[str, Any] = {ours: bool(document.get(theirs, False)) for theirs, ours in _FLAGS.items()}
    counts: dict[str, Any] = {count: int(document.get(count) or 0) for count in _COUNTS}
    policy = Policy(
        name=str(name or document["name"]),
        type=kind,
        **flags,
        **counts,
        auto_rotate_period=int(document.get("auto_rotate_period") or 0) // _NANOSECONDS,
        backed_up=_read_event(document.get("backup_info")),
    )
    if policy.derived and document.get("kdf") != _HKDF:
        raise BadRequestError(
            "the backup's key derives with hmac-sha256-counter, which is no longer used: rotate it into a new key"
        )
    if document.get("version_template"):
        raise BadRequestError("the backup's key writes ciphertexts with its own prefix, which is not supported")
    first = policy.min_available_version
    entries = {first + index: entry for index, entry in enumerate(archive)}
    entries |= {int(number): entry for number, entry in document["keys"].items()}
    convergent_version = int(document.get("convergent_version") or 0)
    versions = {
        number: _version(kind, entry, backend, convergent_version)
        for number, entry in entries.items()
        if max(first, 1) <= number <= policy.latest_version
    }
    minimum = max(policy.min_decryption_version, 1)
    usable = sum(number >= minimum for number in versions)
    if not usable or usable != policy.latest_version - minimum + 1:
        raise ValueError("versions are missing")
    if not re.fullmatch(NAME, policy.name):
        raise BadRequestError("key names cannot be paths")
    return replace(policy, versions=versions, min_decryption_version=minimum)


def _event(event: Event | None) -> dict[str, Any] | None:
    return {"time": rfc3339(event.time), "version": event.version} if event else None


def _read_event(event: Mapping[str, Any] | None) -> Event | None:
    return Event(_seconds(event["time"]), int(event["version"])) if event else None


def _seconds(text: str) -> float:
    """Go's times have up to nine digits behind the second."""
    time = datetime.fromisoformat(re.sub(r"(\.\d{1,6})\d*", r"\1", text.replace("Z", "+00:00")))
    return max(0.0, time.astimezone(UTC).timestamp())


def _entry(policy: Policy, version: KeyVersion) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "key": None,
        "hmac_key": encode(version.hmac_key),
        "time": rfc3339(version.created),
        "creation_time": int(version.created),
        "ec_x": None,
        "ec_y": None,
        "ec_d": None,
        "rsa_key": None,
        "rsa_public_key": None,
        "public_key": "",
        "convergent_version": version.convergent_version,
        "certificate_chain": [encode(certificate) for certificate in version.certificate_chain] or None,
    }
    match policy.type.family:
        case Family.AEAD | Family.HMAC:
            return entry | {"key": encode(version.private)}
        case Family.ML_DSA | Family.KEM:
            return entry | {"key": encode(version.private), "public_key": encode(version.public)}
        case Family.RSA:
            return entry | _rsa_numbers(version)
    shown = public_text(replace(policy, derived=False), version)
    if policy.type.family is Family.ECDSA:
        return entry | {"public_key": shown} | _ec_numbers(version)
    if not version.private:
        return entry | {"public_key": shown}
    private: Any = version.private_key
    return entry | {"public_key": shown, "key": encode(private.private_bytes_raw() + decode(shown))}


def _rsa_numbers(version: KeyVersion) -> dict[str, Any]:
    public: Any = version.public_key
    numbers = public.public_numbers()
    both = {"N": numbers.n, "E": numbers.e}
    if not version.private:
        return {"rsa_public_key": both}
    private: Any = version.private_key
    secret = private.private_numbers()
    computed = {"Dp": secret.dmp1, "Dq": secret.dmq1, "Qinv": secret.iqmp, "CRTValues": []}
    return {"rsa_key": both | {"D": secret.d, "Primes": [secret.p, secret.q], "Precomputed": computed}}


def _ec_numbers(version: KeyVersion) -> dict[str, Any]:
    public: Any = version.public_key
    numbers = public.public_numbers()
    private: Any = version.private_key if version.private else None
    return {"ec_x": numbers.x, "ec_y": numbers.y, "ec_d": private and private.private_numbers().private_value}


def _version(kind: KeyType, entry: Mapping[str, Any], backend: CryptoBackend, convergent_version: int) -> KeyVersion:
    private, public = _material(kind, entry, backend)
    return KeyVersion(
        private=private,
        public=public,
        hmac_key=decode(entry["hmac_key"] or ""),
        created=_seconds(entry["time"]),
        convergent_version=int(entry.get("convergent_version") or convergent_version),
        certificate_chain=tuple(decode(certificate) for certificate in entry.get("certificate_chain") or ()),
    )


def _material(kind: KeyType, entry: Mapping[str, Any], backend: CryptoBackend) -> tuple[bytes, bytes]:
    """The private and the public key of an entry, as a KeyVersion keeps them. Raises ValueError, TypeError, KeyError."""
    key = decode(entry.get("key") or "")
    match kind.family:
        case Family.RSA:
            return _rsa_material(kind, entry.get("rsa_key"), entry.get("rsa_public_key"))
        case Family.ECDSA:
            public = ec.EllipticCurvePublicNumbers(entry["ec_x"], entry["ec_y"], CURVES[kind.name])
            if entry.get("ec_d") is None:
                return b"", public_der(public.public_key())
            return private_der(ec.EllipticCurvePrivateNumbers(entry["ec_d"], public).private_key()), public_der(
                public.public_key()
            )
        case Family.ED25519 if key:
            private = ed25519.Ed25519PrivateKey.from_private_bytes(key[: kind.size])
            return private_der(private), public_der(private.public_key())
        case Family.ED25519:
            return b"", public_der(ed25519.Ed25519PublicKey.from_public_bytes(decode(entry["public_key"])))
    if not key or (kind.size and len(key) != kind.size):
        raise ValueError("a key has the wrong length")
    return key, public_of_seed(kind, backend, key) if kind.has_public_key else b""


def _rsa_material(kind: KeyType, private: Mapping[str, Any] | None, public: Mapping[str, Any] | None) -> tuple[bytes, bytes]:
    source = private or public
    if source is None or source["N"].bit_length() != kind.size * 8:
        raise ValueError("an RSA key has the wrong length")
    numbers = rsa.RSAPublicNumbers(source["E"], source["N"])
    if private is None:
        return b"", public_der(numbers.public_key())
    p, q = private["Primes"]
    d = private["D"]
    whole = rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), rsa.rsa_crt_iqmp(p, q), numbers)
    return private_der(whole.private_key()), public_der(numbers.public_key())
