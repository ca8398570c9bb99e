"""A certificate from a PKI engine into a secret: the private key goes straight to its handle."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prov_tools.vault.access import VaultClient
from prov_tools.vault.kv import Secret
from prov_tools.vault.mounts import require_mount
from stratumops.errors import NotFoundError
from svault.errors import NotFoundError as VaultNotFoundError

ENGINE, ROLE, FOLDER = "pki", "workspace", "secret/certs"
KEY_FIELD = "private_key"
KIND, CERTIFICATE = "kind", "certificate"
TTL, MOST_TTL, ROOT_TTL = "720h", "8760h", "87600h"
_ROLE = {
    "allow_any_name": True,
    "enforce_hostnames": True,
    "allow_wildcard_certificates": True,
    "allow_ip_sans": True,
    "key_type": "ec",
    "key_bits": 256,
    "max_ttl": MOST_TTL,
}
CLUSTER_NAMES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
"""What a Kubernetes API server is called inside its cluster, whatever the cluster is called."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to certify. `ttl` is a duration as Vault writes it; `role` empty takes the workspace's own, made on first use."""

    domain: str
    engine: str = ENGINE
    role: str = ""
    names: Sequence[str] = ()
    addresses: Sequence[str] = ()
    ttl: str = TTL
    cluster: str = ""
    folder: str = FOLDER


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate whose key is kept; everything here is public. `expires` is seconds since 1970."""

    secret: Secret
    version: int
    certificate: str
    chain: Sequence[str]
    serial: str
    expires: int
    notes: Sequence[str]


async def issued(client: VaultClient, wanted: Wanted) -> Issued:
    """Issue a certificate and keep it with its key at `FOLDER/DOMAIN`. Raises StratumError and VaultError."""
    secret = await Secret.at(client, f"{wanted.folder}/{wanted.domain}")
    mount, _ = await require_mount(client, wanted.engine, "pki")
    notes = await _require_root(client, mount.path)
    role = wanted.role or ROLE
    notes += await _require_role(client, mount.path, role, may_be_made=not wanted.role)
    asked: dict[str, Any] = {
        "common_name": wanted.domain,
        "alt_names": ",".join(wanted.names),
        "ip_sans": ",".join(wanted.addresses),
        "ttl": wanted.ttl,
    }
    made = await client.request("POST", f"{mount.path}issue/{role}", asked)
    data = made["data"]
    notes += made.get("warnings") or []
    chain = [str(one).strip() for one in data.get("ca_chain") or [data["issuing_ca"]]]
    fields = {KEY_FIELD: data["private_key"], CERTIFICATE: data["certificate"], "chain": "\n".join(chain)}
    custom = {
        KIND: CERTIFICATE,
        "domain": wanted.domain,
        "engine": mount.path.rstrip("/"),
        "role": role,
        "serial": data["serial_number"],
        "ttl": wanted.ttl,
        "expires": str(data["expiration"]),
        **({"cluster": wanted.cluster} if wanted.cluster else {}),
    }
    version = await secret.put(fields, origin="pki", custom=custom, replaces=True)
    return Issued(secret, version, data["certificate"], chain, data["serial_number"], data["expiration"], notes)


async def reissued(client: VaultClient, secret: Secret) -> tuple[Issued, str]:
    """A new certificate with a new key for the same names and for as long; answers it and the old one's serial.

    Raises NotFoundError: the secret holds no certificate.
    """
    facts = await secret.facts()
    custom = dict(facts.custom) if facts else {}
    if facts is None or facts.is_deleted or custom.get(KIND) != CERTIFICATE:
        raise NotFoundError(f"{secret.whole_path} holds no certificate", hint="`prov cert list` shows those that there are")
    text = str((await secret.values())[CERTIFICATE])
    folder, _, domain = secret.whole_path.rpartition("/")
    role = custom.get("role", ROLE)
    wanted = wanted_of(text, domain, "" if role == ROLE else role, custom, folder)
    return await issued(client, wanted), custom.get("serial", "")


def wanted_of(certificate: str, domain: str, role: str, custom: dict[str, str], folder: str) -> Wanted:
    """What a certificate (PEM) was asked to be."""
    from cryptography import x509  # noqa: PLC0415 - only a rotation reads certificates

    found = x509.load_pem_x509_certificate(certificate.encode())
    names, addresses = [], []
    try:
        alternatives = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [name for name in alternatives.get_values_for_type(x509.DNSName) if name != domain]
        addresses = [str(one) for one in alternatives.get_values_for_type(x509.IPAddress)]
    except x509.ExtensionNotFound:
        pass
    ttl = custom.get("ttl") or TTL
    return Wanted(domain, custom.get("engine", ENGINE), role, names, addresses, ttl, custom.get("cluster", ""), folder)


async def _require_root(client: VaultClient, mount: str) -> list[str]:
    try:
        await client.request("LIST", f"{mount}issuers")
    except VaultNotFoundError:
        name = "Workspace internal root"
        asked = {"common_name": name, "ttl": ROOT_TTL, "key_type": "ec", "key_bits": 384, "issuer_name": "workspace-root"}
        await client.request("POST", f"{mount}root/generate/internal", asked)
        note = (
            f"{mount} had no authority: an internal root ({name!r}, 10 years) was made; clients trust it once they have `chain`"
        )
        return [note]
    return []


async def _require_role(client: VaultClient, mount: str, role: str, *, may_be_made: bool) -> list[str]:
    try:
        await client.request("GET", f"{mount}roles/{role}")
    except VaultNotFoundError:
        if not may_be_made:
            raise NotFoundError(f"{mount} has no role {role!r}", hint="leave the role out to use the workspace's own") from None
        await client.request("POST", f"{mount}roles/{role}", _ROLE)
        return [f"the role {role!r} was made: any host name, at most {MOST_TTL}"]
    return []
