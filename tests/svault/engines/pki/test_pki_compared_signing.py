"""CSRs, intermediates, revocation and configuration: the same requests to a real OpenBao and to us."""

import re
import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mounted import Mounted
from svault.errors import VaultError

pytestmark = pytest.mark.anyio
VARIABLE = re.compile(
    r"valid values are .*|\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|([0-9a-f]{2}:){15,}[0-9a-f]{2}|\b1[78]\d{8}\b"
)
PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----[^-]*-----END [A-Z0-9 ]+-----\n?")
NAMES = [x509.DNSName("d.example.com"), x509.RFC822Name("u@e.example.com"), x509.UniformResourceIdentifier("https://x")]
KEYS: dict[str, Any] = {
    "ec": ec.generate_private_key(ec.SECP256R1()),
    "rsa": rsa.generate_private_key(65537, 2048),
    "rsa1024": rsa.generate_private_key(65537, 1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "mldsa": mldsa.MLDSA65PrivateKey.generate(),
}


def csr(key: str = "ec", common_name: str = "c.example.com", names: list[Any] | None = None, *extra: Any) -> str:
    """A request in PEM."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    for one in extra:
        builder = builder.add_extension(one, critical=True)
    digest = None if key in {"ed25519", "mldsa"} else hashes.SHA256()
    return builder.sign(KEYS[key], digest).public_bytes(serialization.Encoding.PEM).decode()


def shape(value: Any) -> Any:
    """An answer in which what differs from server to server is replaced by its kind; certificates by their properties."""
    if isinstance(value, dict):
        return {shape(name): shape(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shape(one) for one in value]
    if isinstance(value, bytes):
        return shape(value.decode("latin-1")) if value[:5] == b"-----" else f"{len(value) > 0} bytes"
    if isinstance(value, str):
        return VARIABLE.sub("VARIABLE", PEM.sub(_seen, value))
    return "TIME" if isinstance(value, int) and value > 1_700_000_000 else value


def _seen(found: re.Match[str]) -> str:
    if found[1] == "CERTIFICATE":
        certificate = x509.load_pem_x509_certificate(found[0].encode())
        key_identifiers = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
        shown = {
            one.oid.dotted_string: (one.critical, isinstance(one.value, key_identifiers) or repr(one.value))
            for one in certificate.extensions
        }
        minutes = (certificate.not_valid_after_utc - certificate.not_valid_before_utc).total_seconds() // 60
        names = f"{certificate.subject.rfc4514_string()} of {certificate.issuer.rfc4514_string()}"
        return f"<{names} for {minutes}: {sorted(shown.items())}>"
    if found[1] == "X509 CRL":
        crl = x509.load_pem_x509_crl(found[0].encode())
        length = crl.next_update_utc - crl.last_update_utc
        extensions = [one.oid.dotted_string for one in crl.extensions]
        return f"<CRL of {crl.issuer.rfc4514_string()}: {len(crl)} for {length}, {extensions}>"
    if found[1] == "CERTIFICATE REQUEST":
        request = x509.load_pem_x509_csr(found[0].encode())
        return f"<request {request.subject.rfc4514_string()}: {list(request.extensions)}>"
    return f"<{found[1]}>"


ROOT = {"common_name": "Root", "key_type": "ec", "ttl": "480h", "issuer_name": "root", "key_name": "rk"}
WEB = {"allowed_domains": "example.com", "allow_subdomains": True, "key_type": "ec", "ttl": "1h"}
VERBATIM = csr(
    "ec",
    "any thing",
    NAMES,
    x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]),
    x509.BasicConstraints(ca=True, path_length=None),
)
CSR = csr()
STEPS: list[tuple[str, str, dict[str, Any] | None]] = [
    ("GET", "ca/pem", None),
    ("GET", "ca", None),
    ("GET", "ca_chain", None),
    ("GET", "crl", None),
    ("GET", "cert/ca", None),
    ("GET", "cert/ca_chain", None),
    ("GET", "cert/crl", None),
    *(("LIST", path, None) for path in ("issuers", "keys", "roles", "certs", "certs/revoked")),
    *(("GET", f"config/{name}", None) for name in ("issuers", "keys", "urls", "cluster", "crl", "auto-tidy")),
    ("POST", "root/generate/internal", ROOT),
    ("POST", "root/generate/internal", ROOT),
    ("POST", "root/generate/internal", {**ROOT, "issuer_name": "other"}),
    ("POST", "root/generate/nothing", ROOT),
    ("POST", "roles/web", WEB),
    ("POST", "roles/free", {"allow_any_name": True, "key_type": "any", "ttl": "1h"}),
    ("POST", "roles/rsa", {"allow_any_name": True, "key_type": "rsa", "ttl": "1h"}),
    ("POST", "roles/rsa4", {"allow_any_name": True, "key_type": "rsa", "key_bits": 4096, "ttl": "1h"}),
    ("POST", "roles/ec384", {"allow_any_name": True, "key_type": "ec", "key_bits": 384, "ttl": "1h"}),
    ("POST", "roles/own", {**WEB, "use_csr_common_name": False, "use_csr_sans": False}),
    ("PATCH", "roles/web", {"ttl": "2h"}),
    ("PATCH", "roles/nothing", {"ttl": "2h"}),
    ("PATCH", "roles/web", {"key_type": "zz"}),
    ("LIST", "roles", None),
    ("POST", "issue/nothing", {"common_name": "a.example.com"}),
    ("POST", "sign/web", {"csr": csr("ec", names=NAMES[:1])}),
    ("POST", "sign/web", {"csr": csr("ec", names=NAMES)}),
    ("POST", "sign/web", {"csr": CSR, "common_name": "other.example.com", "alt_names": "z.example.com"}),
    ("POST", "sign/own", {"csr": csr("ec", names=NAMES), "common_name": "other.example.com", "alt_names": "z.example.com"}),
    ("POST", "sign/own", {"csr": CSR}),
    ("POST", "sign/web", {"csr": csr("rsa")}),
    ("POST", "sign/web", {"csr": csr("ec", "evil.com")}),
    ("POST", "sign/rsa", {"csr": csr("rsa")}),
    ("POST", "sign/rsa", {"csr": csr("rsa1024")}),
    ("POST", "sign/free", {"csr": csr("rsa1024")}),
    ("POST", "sign/rsa4", {"csr": csr("rsa")}),
    ("POST", "sign/ec384", {"csr": CSR}),
    ("POST", "sign/free", {"csr": csr("ed25519")}),
    ("POST", "sign/free", {"csr": csr("mldsa")}),
    ("POST", "sign/free", {"csr": "zz"}),
    ("POST", "sign/free", {"csr": ""}),
    ("POST", "sign/free", {}),
    ("POST", "sign/nothing", {"csr": CSR}),
    ("POST", "sign/free", {"csr": csr("ec", "evil.com", None, x509.BasicConstraints(ca=True, path_length=None))}),
    ("POST", "sign-verbatim", {"csr": VERBATIM}),
    ("POST", "sign-verbatim/web", {"csr": csr("ec", "any thing", NAMES), "ttl": "1h"}),
    ("POST", "sign-verbatim/nothing", {"csr": CSR}),
    ("POST", "sign-verbatim", {"csr": CSR, "key_usage": "DigitalSignature", "ext_key_usage": "ServerAuth", "ttl": "5h"}),
    ("POST", "sign-verbatim", {"csr": csr("ec", "")}),
    ("POST", "issuer/nothing/sign-verbatim", {"csr": CSR}),
    ("POST", "issuer/root/sign/free", {"csr": csr("ec", "")}),
    ("POST", "issuer/nothing/sign/free", {"csr": CSR}),
    ("POST", "issuer/root/issue/web", {"common_name": "q.example.com", "format": "pem_bundle"}),
    ("POST", "root/sign-intermediate", {"csr": CSR}),
    ("POST", "root/sign-intermediate", {"csr": VERBATIM, "common_name": "Int CA", "ttl": "400h", "use_csr_values": True}),
    (
        "POST",
        "root/sign-intermediate",
        {"csr": CSR, "common_name": "Int", "max_path_length": 5, "permitted_dns_domains": "a.com", "organization": "OO"},
    ),
    ("POST", "root/sign-intermediate", {"csr": CSR, "common_name": "Int", "format": "pem_bundle", "max_path_length": 0}),
    ("POST", "root/sign-intermediate", {"csr": CSR, "common_name": "Int", "ttl": "700h"}),
    ("POST", "root/sign-intermediate", {"csr": "zz"}),
    ("POST", "root/sign-intermediate", {}),
    ("POST", "issuer/root/sign-intermediate", {"csr": CSR, "common_name": "Int"}),
    ("POST", "root/sign-self-issued", {"certificate": "zz"}),
    (
        "POST",
        "intermediate/generate/internal",
        {"common_name": "Int", "key_type": "ec", "key_name": "ik", "alt_names": "int.example.com"},
    ),
    ("POST", "intermediate/generate/exported", {"common_name": "Int", "key_type": "ec", "add_basic_constraints": True}),
    ("POST", "intermediate/generate/existing", {"common_name": "Int", "key_ref": "ik"}),
    ("POST", "intermediate/generate/existing", {"common_name": "Int", "key_ref": "nothing"}),
    ("POST", "intermediate/set-signed", {"certificate": "zz"}),
    ("POST", "intermediate/set-signed", {}),
    ("POST", "config/ca", {"pem_bundle": "A" * 500}),
    ("GET", "config/issuers", None),
    ("POST", "config/issuers", {"default": "root"}),
    ("POST", "config/issuers", {"default": "nothing"}),
    ("POST", "config/issuers", {}),
    ("POST", "config/keys", {"default": "rk"}),
    ("POST", "config/keys", {"default": "nothing"}),
    ("POST", "config/keys", {"default": ""}),
    ("POST", "root/replace", {"default": "root"}),
    ("POST", "root/replace", {}),
    ("GET", "issuer/root", None),
    ("GET", "issuer/default/json", None),
    ("GET", "issuer/default/pem", None),
    ("GET", "issuer/default/der", None),
    ("GET", "issuer/nothing", None),
    ("GET", "issuer/nothing/pem", None),
    ("GET", "issuer/nothing/crl/pem", None),
    ("GET", "issuer/default/crl", None),
    ("GET", "issuer/default/crl/pem", None),
    ("GET", "issuer/default/crl/der", None),
    ("GET", "key/rk", None),
    ("GET", "key/nothing", None),
    ("GET", "ca/pem", None),
    ("GET", "ca_chain", None),
    ("GET", "crl/pem", None),
    ("GET", "cert/ca", None),
    ("GET", "cert/ca_chain", None),
    ("GET", "cert/crl", None),
    ("GET", "cert/ca/raw/pem", None),
    ("GET", "cert/00:11", None),
    ("GET", "cert/00:11/raw", None),
    *(
        ("PATCH", "issuer/root", body)
        for body in (
            {},
            {"usage": "zz"},
            {"usage": "issuing-certificates"},
            {"leaf_not_after_behavior": "zz"},
            {"leaf_not_after_behavior": "truncate"},
            {"revocation_signature_algorithm": "zz"},
            {"revocation_signature_algorithm": "ECDSAWithSHA512"},
            {"manual_chain": "self"},
            {"manual_chain": "nothing"},
            {"manual_chain": ""},
            {"issuing_certificates": "zz"},
            {"issuer_name": "bad name"},
            {"issuer_name": "default"},
        )
    ),
    ("POST", "issuer/root", {"issuer_name": "root"}),
    ("POST", "issuer/root", {"issuer_name": "root", "usage": "read-only"}),
    ("POST", "issue/web", {"common_name": "a.example.com"}),
    ("POST", "issuer/root", {"issuer_name": "root"}),
    ("POST", "config/urls", {"issuing_certificates": "zz"}),
    (
        "POST",
        "config/urls",
        {"issuing_certificates": "http://a.b/ca", "crl_distribution_points": "http://a.b/crl", "ocsp_servers": "http://a.b/ocsp"},
    ),
    ("POST", "sign/web", {"csr": CSR}),
    ("POST", "config/urls", {"enable_templating": True, "issuing_certificates": "{{cluster_aia_path}}/ca"}),
    ("POST", "sign/web", {"csr": CSR}),
    ("POST", "config/urls", {"enable_templating": True, "issuing_certificates": "{{foo}}"}),
    ("POST", "config/cluster", {"path": "zz"}),
    ("POST", "config/cluster", {"path": "https://x/v1/pki", "aia_path": "http://y/v1/pki"}),
    ("POST", "config/urls", {"issuing_certificates": "{{cluster_aia_path}}/issuer/{{issuer_id}}/der"}),
    ("POST", "sign/web", {"csr": CSR}),
    (
        "POST",
        "config/urls",
        {"enable_templating": False, "issuing_certificates": "", "ocsp_servers": [], "crl_distribution_points": ""},
    ),
    *(
        ("POST", "config/crl", body)
        for body in (
            {"expiry": "10h", "disable": True},
            {"auto_rebuild": True},
            {"auto_rebuild": True, "auto_rebuild_grace_period": "100h"},
            {"disable": False},
            {"delta_rebuild_interval": "1m", "expiry": "72h"},
        )
    ),
    ("GET", "crl/rotate", None),
    *(
        ("POST", "config/auto-tidy", body)
        for body in (
            {"enabled": True},
            {"interval_duration": "5s", "enabled": True, "tidy_revoked_certs": True},
            {"safety_buffer": "0s"},
            {"pause_duration": "1m"},
            {"page_size": 0},
            {"enabled": False},
        )
    ),
    ("POST", "tidy", {"safety_buffer": 0}),
    ("POST", "tidy-cancel", {}),
    ("POST", "keys/generate/internal", {"key_type": "ec", "key_name": "g1"}),
    ("POST", "keys/generate/internal", {"key_type": "ec", "key_name": "g1"}),
    ("POST", "keys/generate/exported", {"key_type": "ed25519"}),
    ("POST", "keys/generate/internal", {"key_type": "zz"}),
    ("POST", "keys/import", {"pem_bundle": "zz"}),
    ("POST", "key/g1", {"key_name": "g2"}),
    ("POST", "key/g2", {"key_name": "bad name"}),
    ("POST", "key/g2", {"key_name": ""}),
    ("DELETE", "key/nothing", None),
    ("DELETE", "issuer/nothing", None),
    ("POST", "revoke", {}),
    ("POST", "revoke", {"serial_number": "00:11"}),
    ("POST", "revoke", {"serial_number": "zz"}),
    ("POST", "revoke", {"serial_number": "00:11", "certificate": "x"}),
    ("POST", "revoke-with-key", {"serial_number": "00:11"}),
    ("POST", "revoke-with-key", {"serial_number": "00:11", "private_key": "x"}),
    ("DELETE", "roles/web", None),
    ("GET", "roles/web", None),
    ("POST", "issuer/root/revoke", {}),
    ("GET", "issuer/root", None),
    ("POST", "issuer/root/revoke", {}),
    ("DELETE", "issuer/root", None),
    ("GET", "issuer/default", None),
    ("GET", "config/issuers", None),
    ("POST", "issue/free", {"common_name": "a", "key_type": "ec"}),
    ("DELETE", "root", None),
    ("LIST", "issuers", None),
]


BAD_INPUT = {"config/cluster"}
"""Where OpenBao says 500 of what is only the client's mistake: we say 400, with the same sentence."""


async def ask_ours(pki: Mounted, method: str, path: str, body: dict[str, Any] | None) -> list[Any]:
    """Status, what a client sees (raw bytes, data or errors), and warnings."""
    try:
        answer = await pki.handle(method, path, body)
    except VaultError as error:
        return [error.http_status, error.errors, []]
    if answer.raw is not None:
        return [answer.status or 200, answer.raw or None, []]
    return [answer.status or (200 if answer.data or answer.warnings else 204), answer.data, answer.warnings]


async def test_a_long_conversation_goes_as_with_openbao(pki: Mounted, bao: Any) -> None:
    ask = bao.mount(full=True)
    pki.clock.now = time.time()
    differing = []
    for method, path, body in STEPS:
        theirs, ours = shape(list(ask(method, path, body))), shape(await ask_ours(pki, method, path, body))
        if path in BAD_INPUT and theirs[0] == 500:
            theirs = [400, [theirs[1][0].removeprefix("1 error occurred:\n\t* ").strip()], []]
        if theirs != ours:
            differing.append((method, path, body and {name: str(value)[:60] for name, value in body.items()}, theirs, ours))
    assert not differing, "\n".join(f"{one[:3]}\n  theirs {one[3]}\n  ours   {one[4]}" for one in differing)
