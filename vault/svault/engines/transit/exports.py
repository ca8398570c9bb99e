"""A key version as text: its public key, and its export in each format.

Source: Vault's API page of the transit engine, export. Post-quantum keys export their seed or raw public key; `der` and
`pem` are PKCS #8 and SubjectPublicKeyInfo (RFC 9881, RFC 9935).
"""

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import load_der_x509_certificate

from svault.engines.transit.derivation import derive_ed25519
from svault.engines.transit.encoding import encode
from svault.engines.transit.keytypes import Family
from svault.engines.transit.material import private_der, public_der, public_pem
from svault.engines.transit.policies import KeyVersion, Policy
from svault.errors import BadRequestError

EXPORTS = ("encryption-key", "signing-key", "hmac-key", "public-key", "certificate-chain")
FORMATS = ("", "raw", "der", "pem")
_SEEDED: dict[str, Callable[[bytes], Any]] = {
    "ml-dsa-65": MLDSA65PrivateKey.from_seed_bytes,
    "ml-kem-768": MLKEM768PrivateKey.from_seed_bytes,
}


def public_text(policy: Policy, version: KeyVersion, context: bytes = b"") -> str:
    """The public key as reading a key shows it: PEM, or base64 of the raw key; of a derived key the context's, or nothing."""
    if policy.derived:
        return encode(derive_ed25519(policy, version, context).public_key().public_bytes_raw()) if context else ""
    if policy.type.family in {Family.RSA, Family.ECDSA}:
        return public_pem(version.public_key)
    return encode(_raw_public(policy, version))


def chain_text(version: KeyVersion) -> str:
    """The certificates in PEM, the leaf first."""
    loaded = [load_der_x509_certificate(certificate) for certificate in version.certificate_chain]
    return "\n".join(certificate.public_bytes(Encoding.PEM).decode("ascii").strip() for certificate in loaded)


def exported(policy: Policy, version: KeyVersion, kind: str, form: str) -> str:
    """One version in one of EXPORTS and FORMATS. Raises BadRequestError when the type has no such thing."""
    family = policy.type.family
    if kind == "certificate-chain":
        if not version.certificate_chain:
            raise BadRequestError("selected key version does not have a certificate chain imported")
        return chain_text(version)
    if kind == "hmac-key" or (kind == "encryption-key" and family is Family.AEAD):
        if form in {"der", "pem"}:
            raise BadRequestError("unknown format for HMAC key; supported values are `` or `raw`")
        return encode(version.hmac_key if kind == "hmac-key" else version.private)
    if not policy.type.has_public_key:
        raise BadRequestError(f"unknown key type {policy.type} for export type {kind}")
    if family in {Family.RSA, Family.ECDSA}:
        return _exported_pair(version, kind, form, family)
    return _exported_raw_or_pair(policy, version, kind, form)


def _exported_pair(version: KeyVersion, kind: str, form: str, family: Family) -> str:
    """RSA and ECDSA: the default formats are PKCS #1, SEC 1 and SubjectPublicKeyInfo in PEM; only RSA's end in a line break."""
    if form == "raw":
        name = "rsa" if family is Family.RSA else "ec"
        raise BadRequestError(f"unknown key format for {name} key; supported values are ``, `der`, or `pem`")
    if kind == "public-key":
        text = encode(version.public) if form == "der" else public_pem(version.public_key)
    elif not version.private:
        return ""
    elif form == "der":
        text = encode(version.private)
    else:
        text = _pem_private(version.private_key, PrivateFormat.PKCS8 if form else PrivateFormat.TraditionalOpenSSL)
    return text if family is Family.RSA else text.strip()


def _exported_raw_or_pair(policy: Policy, version: KeyVersion, kind: str, form: str) -> str:
    """Ed25519 and post-quantum: base64 of the raw key (Go's for Ed25519: the seed, then the public key), or DER and PEM."""
    is_public = kind == "public-key"
    if not is_public and not version.private:
        return ""
    raw = _raw_public(policy, version)
    if not is_public:
        raw = _ed25519_seed(version) + raw if policy.type.family is Family.ED25519 else version.private
    if form in {"", "raw"}:
        return encode(raw)
    key = public_key(policy, version) if is_public else private_key(policy, version)
    if key is None:
        raise BadRequestError(f"unknown key format for {policy.type} key; supported values are `` or `raw`")
    if form == "pem":
        return (public_pem(key) if is_public else _pem_private(key, PrivateFormat.PKCS8)).strip()
    return encode(public_der(key) if is_public else private_der(key))


def private_key(policy: Policy, version: KeyVersion) -> Any:
    """The private key as `cryptography` has it, or None when it does not know the type."""
    if policy.type.is_pkcs8:
        return version.private_key
    load = _SEEDED.get(policy.type.name)
    return load and load(version.private)


def public_key(policy: Policy, version: KeyVersion) -> Any:
    """The public key as `cryptography` has it, or None when it does not know the type."""
    if policy.type.is_pkcs8:
        return version.public_key
    private = private_key(policy, version)
    return private and private.public_key()


def _raw_public(policy: Policy, version: KeyVersion) -> bytes:
    if policy.type.family is not Family.ED25519:
        return version.public
    public: Any = version.public_key
    raw: bytes = public.public_bytes_raw()
    return raw


def _ed25519_seed(version: KeyVersion) -> bytes:
    private: Any = version.private_key
    seed: bytes = private.private_bytes_raw()
    return seed


def _pem_private(key: Any, form: PrivateFormat) -> str:
    pem: bytes = key.private_bytes(Encoding.PEM, form, NoEncryption())
    return pem.decode("ascii")
