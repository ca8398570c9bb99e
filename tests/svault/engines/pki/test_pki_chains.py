"""Chains of root, intermediate and leaf, for every kind of key, checked by other programs."""

import asyncio
import functools
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store

from mounted import Mounted, mounted
from svault.engines.pki import PkiEngine

pytestmark = pytest.mark.anyio
KINDS = [("rsa", 2048), ("rsa", 3072), ("ec", 256), ("ec", 384), ("ec", 521), ("ed25519", 0)]


async def chain(kind: str, bits: int) -> tuple[Mounted, Mounted, dict[str, Any]]:
    """A root and an intermediate in mounts of their own, and a leaf for `a.example.com`."""
    top, below = await mounted(PkiEngine), await mounted(PkiEngine)
    key = {"key_type": kind, "key_bits": bits}
    await made(top, "root/generate/internal", {"common_name": "Root", "ttl": "700h", **key})
    asked = await made(below, "intermediate/generate/internal", {"common_name": "Intermediate", **key})
    signed = await made(top, "root/sign-intermediate", {"csr": asked["csr"], "common_name": "Intermediate", "ttl": "600h"})
    bundle = "\n".join(signed["ca_chain"])
    taken = await made(below, "intermediate/set-signed", {"certificate": bundle})
    assert len(taken["imported_issuers"]) == 2
    await made(below, "roles/web", {"allowed_domains": "example.com", "allow_subdomains": True, "ttl": "10h", **key})
    return top, below, await made(below, "issue/web", {"common_name": "a.example.com"})


async def made(pki: Mounted, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The data of an answer that must be 200."""
    status, data = await pki.call("POST", path, body)
    assert status == 200, data
    return data


def load(pem: str) -> x509.Certificate:
    """A certificate."""
    return x509.load_pem_x509_certificate(pem.encode())


@pytest.mark.parametrize(("kind", "bits"), KINDS)
async def test_openssl_accepts_the_chain_and_the_crl_and_refuses_what_is_revoked(
    kind: str, bits: int, openssl: str, tmp_path: Path
) -> None:
    top, below, leaf = await chain(kind, bits)
    assert len(leaf["ca_chain"]) == 2
    (tmp_path / "root.pem").write_text(leaf["ca_chain"][1])
    (tmp_path / "leaf.pem").write_text(leaf["certificate"])

    (tmp_path / "intermediate.pem").write_text(leaf["ca_chain"][0])

    async def verified() -> subprocess.CompletedProcess[str]:
        lists = [(await one.handle("GET", "crl/pem")).raw or b"" for one in (top, below)]
        (tmp_path / "crl.pem").write_bytes(b"\n".join(lists) + b"\n")
        moment = str(int(below.clock.now) + 60)
        command = [openssl, "verify", "-attime", moment, "-crl_check_all", "-CRLfile", "crl.pem", "-x509_strict"]
        files = ["-CAfile", "root.pem", "-untrusted", "intermediate.pem", "-purpose", "sslserver", "leaf.pem"]
        run = functools.partial(subprocess.run, cwd=tmp_path, capture_output=True, text=True, check=False)
        return await asyncio.to_thread(run, [*command, *files])

    accepted = await verified()
    assert accepted.returncode == 0, accepted.stderr
    await made(below, "revoke", {"serial_number": leaf["serial_number"]})
    refused = await verified()
    assert refused.returncode != 0
    assert "certificate revoked" in refused.stderr


@pytest.mark.parametrize(("kind", "bits"), [("rsa", 2048), ("ec", 256)])
async def test_the_webs_own_rules_accept_the_chain(kind: str, bits: int) -> None:
    _, below, leaf = await chain(kind, bits)
    store = Store([load(leaf["ca_chain"][1])])
    moment = datetime.fromtimestamp(below.clock.now, UTC)
    verifier = PolicyBuilder().store(store).time(moment).build_server_verifier(x509.DNSName("a.example.com"))
    assert len(verifier.verify(load(leaf["certificate"]), [load(leaf["ca_chain"][0])])) == 3


@pytest.mark.parametrize("name", ["ml-dsa-65", "mldsa-65", "mldsa"])
async def test_an_ml_dsa_chain_is_signed_by_ml_dsa_from_root_to_leaf_and_crl(name: str) -> None:
    _, below, leaf = await chain(name, 65)
    certificates = [load(leaf["certificate"]), *map(load, leaf["ca_chain"])]
    for child, parent in zip(certificates, [*certificates[1:], certificates[-1]], strict=True):
        child.verify_directly_issued_by(parent)
        assert child.signature_algorithm_oid.dotted_string == "2.16.840.1.101.3.4.3.18"
        assert type(child.public_key()).__name__ == "MLDSA65PublicKey"
    assert load_pem_private_key(leaf["private_key"].encode(), None).public_key() == certificates[0].public_key()
    await made(below, "revoke", {"serial_number": leaf["serial_number"]})
    crl = x509.load_der_x509_crl((await below.handle("GET", "crl")).raw or b"")
    assert crl.is_signature_valid(certificates[1].public_key())
    assert crl.get_revoked_certificate_by_serial_number(certificates[0].serial_number) is not None


async def test_an_ml_dsa_key_is_stored_as_its_seed(pki: Mounted) -> None:
    made_key = await made(pki, "keys/generate/exported", {"key_type": "ml-dsa-65"})
    assert made_key["key_type"] == "mldsa"
    kept = await pki.engine.mount.view.read(f"keys/{made_key['key_id']}")
    assert len(kept["pkcs8"]) < 100
    assert kept["pkcs8"] in made_key["private_key"].replace("\n", "")


@pytest.mark.parametrize("bits", [66, 128])
async def test_ml_dsa_has_no_other_sizes(pki: Mounted, bits: int) -> None:
    assert await pki.call("POST", "roles/x", {"key_type": "ml-dsa-65", "key_bits": bits}) == (
        400,
        [f"unsupported bit length for ML-DSA key: {bits}"],
    )


@pytest.mark.parametrize("kind", ["ec", "rsa", "ed25519", "mldsa"])
async def test_a_root_made_here_issues_in_openbao_and_the_other_way_round(pki: Mounted, bao: Any, kind: str) -> None:
    ask, request = bao.mount(), {"common_name": "Root", "key_type": kind, "ttl": "700h"}
    role = {"allow_any_name": True, "key_type": "ec", "ttl": "1h"}
    ours = await made(pki, "root/generate/exported", request)
    status, theirs = ask("POST", "root/generate/exported", request)
    assert status == 200
    other, ask_other = await mounted(PkiEngine), bao.mount()
    other.clock.now = load(theirs["certificate"]).not_valid_before_utc.timestamp() + 40
    await made(other, "config/ca", {"pem_bundle": theirs["private_key"] + "\n" + theirs["certificate"]})
    await made(other, "roles/x", role)
    load((await made(other, "issue/x", {"common_name": "a"}))["certificate"]).verify_directly_issued_by(
        load(theirs["certificate"])
    )
    status, taken = ask_other("POST", "config/ca", {"pem_bundle": ours["private_key"] + "\n" + ours["certificate"]})
    assert status == 200, taken
    assert taken["mapping"] == {taken["imported_issuers"][0]: taken["imported_keys"][0]}
    assert ask_other("POST", "roles/x", role)[0] == 200
    status, leaf = ask_other("POST", "issue/x", {"common_name": "a"})
    assert status == 200, leaf
    load(leaf["certificate"]).verify_directly_issued_by(load(ours["certificate"]))
