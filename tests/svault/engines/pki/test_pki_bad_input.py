"""What cannot be used is refused with a sentence: never a crash, never a value of a key."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, mldsa, x25519
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from mounted import Mounted, mounted
from svault.engines.pki import PkiEngine

TABLE = json.loads((Path(__file__).parent / "bad_input.json").read_text(encoding="utf-8"))
ROOT = {"common_name": "Root", "key_type": "ec", "ttl": "480h", "issuer_name": "root"}
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a.example.com")])


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "path", "body", "status", "sentence"), TABLE, ids=lambda value: str(value)[:40])
async def test_it_is_refused_with_a_sentence(
    ca: Mounted, method: str, path: str, body: dict[str, Any] | None, status: int, sentence: str | None
) -> None:
    await ca.call("POST", "roles/free", {"allow_any_name": True, "key_type": "ec", "ttl": "1h"})
    found, errors = await ca.call(method, path, body)
    assert found == status
    assert (errors == []) if sentence is None else (sentence in errors[0])


@pytest.mark.anyio
async def test_without_a_default_issuer_nothing_is_issued(pki: Mounted) -> None:
    await pki.call("POST", "roles/web", {"allow_any_name": True, "key_type": "ec"})
    status, errors = await pki.call("POST", "issue/web", {"common_name": "a"})
    assert status == 500
    assert "no default issuer currently configured" in errors[0]
    assert await pki.call("GET", "cert/ca") == (400, ["no default issuer currently configured"])
    for path in ("ca", "ca/pem", "ca_chain", "crl", "crl/pem"):
        answer = await pki.handle("GET", path)
        assert (answer.status, answer.raw) == (204, b"")


@pytest.mark.anyio
async def test_an_expired_issuer_issues_nothing(ca: Mounted) -> None:
    ca.clock.now += 500 * 3600
    status, errors = await ca.call("POST", "issue/web", {"common_name": "a.example.com"})
    assert status == 400
    assert "beyond the expiration of the CA certificate" in errors[0]


@pytest.mark.anyio
async def test_an_issuer_without_its_key_issues_nothing(pki: Mounted, ca: Mounted) -> None:
    other = await mounted(PkiEngine)
    root = (await ca.call("GET", "cert/ca"))[1]["certificate"]
    assert (await other.call("POST", "issuers/import/cert", {"pem_bundle": root}))[0] == 200
    await other.call("POST", "roles/web", {"allow_any_name": True, "key_type": "ec"})
    status, errors = await other.call("POST", "issue/web", {"common_name": "a"})
    assert status == 500
    assert "is not in this mount" in errors[0]


@pytest.mark.anyio
async def test_a_request_that_is_not_signed_with_its_own_key_is_refused(ca: Mounted) -> None:
    one, other = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    der = builder.sign(one, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    wanted, instead = (
        key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        for key in (one, other)
    )
    forged = x509.load_der_x509_csr(der.replace(wanted, instead)).public_bytes(serialization.Encoding.PEM).decode()
    status, errors = await ca.call("POST", "sign/web", {"csr": forged})
    assert status == 400
    assert "not signed with its own key" in errors[0]


@pytest.mark.anyio
async def test_a_curve_that_is_not_nists_is_refused(ca: Mounted) -> None:
    key = ec.generate_private_key(ec.SECP256K1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, hashes.SHA256())
    sent = {"csr": csr.public_bytes(serialization.Encoding.PEM).decode()}
    assert await ca.call("POST", "sign/web", sent) == (400, ["the key is of a type that is not supported"])


@pytest.mark.anyio
async def test_keys_that_cannot_be_a_cas_are_refused_without_being_shown(ca: Mounted) -> None:
    for key in (ed448.Ed448PrivateKey.generate(), x25519.X25519PrivateKey.generate()):
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        for path in ("keys/import", "config/ca"):
            status, errors = await ca.call("POST", path, {"pem_bundle": pem})
            assert status == 400
            assert pem.splitlines()[1] not in str(errors)


def _csr() -> bytes:
    key = mldsa.MLDSA65PrivateKey.generate()
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    names = x509.SubjectAlternativeName([x509.DNSName("b.example.com")])
    return builder.add_extension(names, critical=False).sign(key, None).public_bytes(serialization.Encoding.DER)


SMALL_KEY = ec.generate_private_key(ec.SECP256R1())


def _small_csr() -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(NAME)
    names = x509.SubjectAlternativeName([x509.DNSName("b.example.com"), x509.RFC822Name("u@example.com")])
    return builder.add_extension(names, critical=False).sign(SMALL_KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Some bytes replaced, removed or doubled."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["replace", "cut", "double"])):
            case "replace":
                data[place] = draw(st.integers(0, 255))
            case "cut" if len(data) > 20:
                del data[place : place + draw(st.integers(1, 10))]
            case _:
                data[place:place] = data[place : place + 8]
    return bytes(data)


def pem(label: str, der: bytes) -> str:
    """DER as PEM, on one line."""
    return f"-----BEGIN {label}-----\n{base64.b64encode(der).decode()}\n-----END {label}-----"


@pytest.fixture(scope="module")
def answering() -> Any:
    """`ask(path, body)` of a mount with a root and a role for every name, outside a test's own loop."""
    with asyncio.Runner() as runner:
        pki = runner.run(mounted(PkiEngine))
        runner.run(pki.call("POST", "root/generate/internal", ROOT))
        runner.run(
            pki.call("POST", "roles/free", {"allow_any_name": True, "key_type": "any", "ttl": "1h", "allowed_uri_sans": "*"})
        )
        root = runner.run(pki.handle("GET", "ca")).raw
        yield lambda path, body: runner.run(pki.call("POST", path, body)), root


CSRS = [_csr(), _small_csr()]


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_requests_never_crash(answering: Any, data: st.DataObject) -> None:
    ask, _ = answering
    der = data.draw(st.sampled_from(CSRS).flatmap(damaged))
    path = data.draw(st.sampled_from(["sign/free", "sign-verbatim", "root/sign-intermediate"]))
    assert ask(path, {"csr": pem("CERTIFICATE REQUEST", der)})[0] in {200, 400}


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_requests_that_are_signed_again_never_crash(answering: Any, data: st.DataObject) -> None:
    ask, _ = answering
    tbs = data.draw(damaged(x509.load_der_x509_csr(CSRS[1]).tbs_certrequest_bytes))
    signed = SMALL_KEY.sign(tbs, ec.ECDSA(hashes.SHA256()))
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    body = tbs + algorithm + b"\x03" + bytes([len(signed) + 1]) + b"\0" + signed
    der = b"\x30\x82" + len(body).to_bytes(2, "big") + body
    path = data.draw(st.sampled_from(["sign/free", "sign-verbatim", "root/sign-intermediate"]))
    sent = {"csr": pem("CERTIFICATE REQUEST", der), "use_csr_values": data.draw(st.booleans()), "ttl": "1h"}
    assert ask(path, sent)[0] in {200, 400}


@settings(max_examples=300)
@given(data=st.data())
def test_damaged_certificates_never_crash(answering: Any, data: st.DataObject) -> None:
    ask, root = answering
    text = pem("CERTIFICATE", data.draw(damaged(root)))
    path, field = data.draw(
        st.sampled_from(
            [("revoke", "certificate"), ("issuers/import/cert", "pem_bundle"), ("root/sign-self-issued", "certificate")]
        )
    )
    assert ask(path, {field: text})[0] in {200, 400}


@settings(max_examples=200)
@given(
    text=st.text(max_size=300)
    | st.from_regex(r"-----BEGIN [A-Z ]{1,20}-----\n[A-Za-z0-9+/=\n]{0,80}\n-----END [A-Z ]{1,20}-----"),
    path=st.sampled_from(["revoke", "config/ca", "keys/import", "root/sign-self-issued", "revoke-with-key", "sign/free"]),
)
def test_any_text_in_place_of_pem_never_crashes(answering: Any, text: str, path: str) -> None:
    ask, _ = answering
    body = dict.fromkeys(["certificate", "pem_bundle", "csr", "private_key"], text)
    assert ask(path, body)[0] in {200, 400}


@settings(max_examples=300)
@given(
    common_name=st.text(max_size=80),
    alt_names=st.lists(st.text(max_size=30), max_size=3),
    uris=st.text(max_size=30),
    ips=st.text(max_size=20),
)
def test_any_names_are_issued_or_refused(answering: Any, common_name: str, alt_names: list[str], uris: str, ips: str) -> None:
    ask, _ = answering
    body = {"common_name": common_name, "alt_names": ",".join(alt_names), "uri_sans": uris, "ip_sans": ips, "key_type": "ec"}
    assert ask("issue/free", body)[0] in {200, 400}


@settings(max_examples=150)
@given(
    field=st.sampled_from(
        ["allowed_domains", "ttl", "key_usage", "policy_identifiers", "ext_key_usage_oids", "not_after", "key_bits"]
    ),
    value=st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20), st.lists, max_leaves=4),
)
def test_any_value_of_a_roles_field_is_stored_or_refused(answering: Any, field: str, value: Any) -> None:
    ask, _ = answering
    status, answer = ask("roles/any", {field: value, "allow_any_name": True, "key_type": "ec"})
    assert status in {200, 400} or "policy identifier" in answer[0]
    if status == 200:
        assert ask("issue/any", {"common_name": "a", "key_type": "ec"})[0] in {200, 400}
