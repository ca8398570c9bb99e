"""The same requests to a real OpenBao and to us: fields, X.509 properties and refusals must agree."""

import base64
import re
import time
from typing import Any

import pytest
from cryptography import x509

from mounted import Mounted

pytestmark = pytest.mark.anyio
ROOT = {"common_name": "Root", "key_type": "ec", "ttl": "480h", "issuer_name": "root"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FREE = {
    "serial_number",
    "expiration",
    "not_before",
    "certificate",
    "private_key",
    "issuing_ca",
    "ca_chain",
    "issuer_id",
    "key_id",
}


def sentences(errors: list[str]) -> list[str]:
    """Errors without the times and ids of one server."""
    return [UUID.sub("ID", TIME.sub("TIME", error)) for error in errors]


def certificate_of(text: str) -> x509.Certificate:
    """The certificate of an answer in any format."""
    if "-----BEGIN" in text:
        return x509.load_pem_x509_certificate(text[text.index("-----BEGIN CERTIFICATE") :].encode())
    return x509.load_der_x509_certificate(base64.b64decode(text))


def properties(certificate: x509.Certificate, issuer: x509.Certificate) -> dict[str, Any]:
    """Everything of a certificate but its keys, its serial number and the moment it was made."""
    assert 60 < certificate.serial_number.bit_length() <= 160
    length = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    found: dict[str, Any] = {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "length": length.total_seconds(),
        "algorithm": certificate.signature_algorithm_oid.dotted_string,
        "key": certificate.public_key_algorithm_oid.dotted_string,
        "key_bits": getattr(certificate.public_key(), "key_size", 0),
    }
    for extension in certificate.extensions:
        value: Any = extension.value
        if isinstance(value, x509.SubjectKeyIdentifier):
            assert value == x509.SubjectKeyIdentifier.from_public_key(certificate.public_key())
            shown = "of the key"
        elif isinstance(value, x509.AuthorityKeyIdentifier):
            own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
            assert value.key_identifier == own.digest
            shown = "of the issuer"
        else:
            shown = repr(value)
        found[extension.oid.dotted_string] = (extension.critical, shown)
    return found


def comparable(status: int, answer: Any) -> dict[str, Any]:
    """An answer with a certificate, or a refusal, as far as two servers must agree."""
    if status != 200:
        return {"status": status, "errors": sentences(answer)}
    certificate, issuer = certificate_of(answer["certificate"]), certificate_of(answer["issuing_ca"])
    assert answer["expiration"] == certificate.not_valid_after_utc.timestamp()
    certificate.verify_directly_issued_by(issuer)
    return {
        "status": status,
        "fields": sorted(answer),
        "plain": {name: value for name, value in answer.items() if name not in _FREE},
        "blocks": re.findall("-----BEGIN .*-----", answer["certificate"]),
        "chain": [len(re.findall("-----BEGIN .*-----", one)) for one in answer.get("ca_chain", [])],
        "private": re.findall("-----BEGIN .*-----", answer.get("private_key", "")),
        **properties(certificate, issuer),
    }


async def test_roles_are_stored_and_refused_as_openbao_does(pki: Mounted, bao: Any, cases: dict[str, Any]) -> None:
    ask = bao.mount()
    differing = []
    for role in cases["roles"]:
        theirs, ours = ask("POST", "roles/x", role), await pki.call("POST", "roles/x", role)
        if theirs[0] == 200:
            theirs, ours = ask("GET", "roles/x"), await pki.call("GET", "roles/x")
            assert "allow_token_displayname" in theirs[1]
        if theirs != ours:
            differing.append((role, _difference(theirs, ours)))
    assert not differing, "\n".join(map(str, differing))


async def test_certificates_are_issued_and_refused_as_openbao_does(pki: Mounted, bao: Any, cases: dict[str, Any]) -> None:
    ask = bao.mount()
    pki.clock.now = time.time()
    assert ask("POST", "root/generate/internal", ROOT)[0] == (await pki.call("POST", "root/generate/internal", ROOT))[0] == 200
    differing = []
    for role, request in cases["issue"]:
        full = {"allow_any_name": True, "key_type": "ec", "ttl": "10h", **role}
        assert ask("POST", "roles/x", full)[0] == (await pki.call("POST", "roles/x", full))[0] == 200, role
        theirs = comparable(*ask("POST", "issue/x", request))
        ours = comparable(*await pki.call("POST", "issue/x", request))
        if difference := _difference(theirs, ours):
            differing.append((role, request, difference))
    assert not differing, "\n".join(map(str, differing))


async def test_roots_are_made_and_refused_as_openbao_does(pki: Mounted, bao: Any, cases: dict[str, Any]) -> None:
    ask = bao.mount()
    pki.clock.now = time.time()
    differing = []
    for request in cases["roots"]:
        theirs = comparable(*ask("POST", "root/generate/exported", request))
        ours = comparable(*await pki.call("POST", "root/generate/exported", request))
        if difference := _difference(theirs, ours):
            differing.append((request, difference))
    assert not differing, "\n".join(map(str, differing))


def _difference(theirs: Any, ours: Any) -> Any:
    """What differs by name; a validity up to a fixed moment is some seconds shorter for whoever was asked later."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        names = theirs.keys() | ours.keys()
        pairs = {name: (theirs.get(name), ours.get(name)) for name in sorted(names)}
        return {name: (one, other) for name, (one, other) in pairs.items() if one != other and not _is_close(name, one, other)}
    if isinstance(theirs, tuple) and isinstance(theirs[1], dict) and isinstance(ours[1], dict):
        return _difference(theirs[1], ours[1])
    return theirs, ours


def _is_close(name: str, one: Any, other: Any) -> bool:
    return name == "length" and one is not None and other is not None and abs(one - other) < 10
